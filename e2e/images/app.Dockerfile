# An application that knows OpenAI's SDK and nothing of Sluice, for the cluster's tests.
ARG BASE=docker.io/library/python:3.13-slim
FROM ${BASE}
COPY e2e/images/app.txt ./
RUN python -m pip install --no-cache-dir --only-binary :all: --require-hashes -r app.txt
COPY e2e/images/app.py e2e/images/upstream.py e2e/images/load.py e2e/images/documents.py e2e/images/receiver.py /
ENV PATH=/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1
USER 65532:65532
ENTRYPOINT ["python", "/app.py"]
