# The operator. Built from the repository's root: docker build -f images/operator.Dockerfile .
# BASE may carry a digest: --build-arg BASE=python:3.13-slim@sha256:...
ARG BASE=docker.io/library/python:3.13-slim

FROM ${BASE} AS build
WORKDIR /src
COPY images/operator.txt images/sbom.txt ./
RUN python -m venv /opt/sluice && \
    /opt/sluice/bin/python -m pip install --no-cache-dir --no-compile --only-binary :all: --require-hashes -r operator.txt && \
    python -m venv /opt/sbom && \
    /opt/sbom/bin/python -m pip install --no-cache-dir --no-compile --require-hashes -r sbom.txt && \
    mkdir -p /opt/app && /opt/sbom/bin/cyclonedx-py environment /opt/sluice/bin/python -o /opt/app/sbom.cdx.json && \
    /opt/sluice/bin/python -m pip uninstall -y -q pip
COPY operator/sluice_operator /opt/app/sluice_operator
COPY sidecar/sluice_sidecar/__init__.py sidecar/sluice_sidecar/config.py sidecar/sluice_sidecar/signature.py sidecar/sluice_sidecar/version.py sidecar/sluice_sidecar/py.typed /opt/app/sluice_sidecar/
COPY sidecar/sluice_sidecar/batch/__init__.py sidecar/sluice_sidecar/batch/windows.py /opt/app/sluice_sidecar/batch/
COPY LICENSE NOTICE /opt/app/
RUN python -m compileall -q /opt/app

FROM ${BASE}
COPY --from=build /opt/sluice /opt/sluice
COPY --from=build /opt/app /opt/app
ENV PATH=/opt/sluice/bin:/usr/local/bin:/usr/bin:/bin PYTHONPATH=/opt/app PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
ENTRYPOINT ["python", "-m", "sluice_operator"]
