# membench on a CPU, from the package alone: docker build -t membench . && docker run --rm membench doctor
FROM python:3.11-slim
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY membench membench
COPY methods methods
COPY tasks tasks
# PyTorch's own index has this version without CUDA (+cpu), which pip takes before the other: gigabytes less.
RUN pip install --no-cache-dir -c constraints.txt --extra-index-url https://download.pytorch.org/whl/cpu torch \
 && pip install --no-cache-dir -c constraints.txt '.[all]' \
 && rm -rf /src
WORKDIR /work
ENTRYPOINT ["membench"]
