# membench on a CPU, from the package alone: docker build -t membench . && docker run --rm membench doctor
FROM python:3.11-slim
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY membench membench
COPY methods methods
COPY tasks tasks
# The first line brings torch without CUDA where the package index has such a build under this version.
RUN pip install --no-cache-dir -c constraints.txt torch \
 && pip install --no-cache-dir -c constraints.txt '.[all]' \
 && rm -rf /src
WORKDIR /work
ENTRYPOINT ["membench"]
