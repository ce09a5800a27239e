# membench on a CPU, from the package alone: docker build -t membench . && docker run --rm membench doctor
FROM python:3.11-slim
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY membench membench
COPY methods methods
COPY tasks tasks
# An index that has torch without CUDA saves gigabytes: docker build --build-arg TORCH_INDEX=URL -t membench .
ARG TORCH_INDEX=""
RUN pip install --no-cache-dir -c constraints.txt ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} torch \
 && pip install --no-cache-dir -c constraints.txt '.[all]' \
 && rm -rf /src
WORKDIR /work
ENTRYPOINT ["membench"]
