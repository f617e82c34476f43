"""A gateway tells the operator what it serves: when it starts, when that changes, and why it refuses something."""

import json
import ssl
import subprocess
from pathlib import Path
from typing import Any

from doubles.components import program
from doubles.kube import Api
from doubles.pods import addresses, config_map, mounts, pod, published, routed
from doubles.raw_server import Peer, RawServer
from doubles.running import until
from sluice_sidecar.config import Endpoints, Reports

ANSWER = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n{"interval":30}'


def certificate(folder: Path) -> tuple[ssl.SSLContext, str]:
    """The report server's TLS, and the PEM that vouches for it."""
    subprocess.run(
        [program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context, (folder / "cert.pem").read_text()


async def test_it_reports_what_it_serves_and_each_change_of_it(api: Api, namespace: str, tmp_path: Path) -> None:
    run = mounts(api, namespace, tmp_path)
    tls, ca = certificate(tmp_path)
    told: list[tuple[bytes, Any]] = []

    async def server(peer: Peer) -> None:
        while True:
            head, body = await peer.request()
            told.append((head, json.loads(body)))
            await peer.send(ANSWER)

    first, second = routed("http://127.0.0.1:1/v1"), routed("http://127.0.0.1:1/v1", model="other")
    async with RawServer(server, tls=tls) as reports:
        to = Endpoints(reports=Reports(url=f"https://localhost:{reports.port}", ca=ca))
        api.apply(addresses(namespace, to), published(namespace, first))
        async with pod(run, namespace, api.server) as gateway:
            await until(lambda: any(body["digest"] == first.digest for _, body in told), "the first report")
            api.apply(published(namespace, second))
            await until(lambda: told[-1][1]["digest"] == second.digest, "a report of the change")
            head, body = told[-1]
            token = (run / "operator" / "token").read_bytes().strip()
            assert head.startswith(b"POST /v1/reports HTTP/1.1")
            assert b"authorization: Bearer " + token in head
            assert body.pop("started") > 0
            assert body.pop("version")
            assert body.pop("capabilities")
            assert body == {
                "schemas": [1],
                "role": "shared",
                "digest": second.digest,
                "routes": {"house": second.routes["house"].digest},
                "refused": {},
                "problem": "",
                "savings": {},
                "policies": {},
                "windows": {},
            }
            api.apply(config_map(namespace, "sluice-config", config='{"routes": 1}'))
            await until(lambda: told[-1][1]["problem"], "a report of the refusal")
            assert "routes" in told[-1][1]["problem"]
            assert told[-1][1]["digest"] == second.digest
        assert gateway.process.returncode == 0
