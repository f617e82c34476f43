"""A shared gateway of several processes: all serve what the API server says, and one of them reports."""

import json
from pathlib import Path
from typing import Any

import httpx

from doubles.behaviours import text
from doubles.certificates import Authority, server_side
from doubles.kube import Api
from doubles.pods import addresses, mounts, pod, published, routed
from doubles.raw_server import Peer, RawServer
from doubles.running import ASK, until
from doubles.scripted import Scripted
from sluice_sidecar.config import Endpoints, Reports

ANSWER = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 14\r\n\r\n{"interval":1}'


async def test_all_processes_serve_and_one_reports_what_all_counted(api: Api, namespace: str, tmp_path: Path) -> None:
    run = mounts(api, namespace, tmp_path)
    authority = Authority()
    told: list[Any] = []
    reporters: set[int] = set()

    async def server(peer: Peer) -> None:
        while True:
            _, body = await peer.request()
            told.append(json.loads(body))
            reporters.add(id(peer))
            await peer.send(ANSWER)

    tls = server_side(tmp_path / "reports", authority.sign("localhost"))
    async with Scripted() as up, RawServer(server, tls=tls) as reports:
        up.otherwise(text("Hello"))
        served = routed(up.url)
        to = Endpoints(reports=Reports(url=f"https://localhost:{reports.port}", ca=authority.pem.decode()))
        api.apply(addresses(namespace, to), published(namespace, served))
        workers = ("--workers", "2", "--data", str(tmp_path / "data"))
        async with pod(run, namespace, api.server, "shared", *workers) as gateway:
            await gateway.serves(served)

            async def ask() -> int:
                async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
                    return (await client.post(gateway.url + "/v1/chat/completions", json=ASK)).status_code

            for _ in range(5):
                assert await ask() == 200
            await until(
                lambda: told and told[-1]["savings"].get("house", {}).get("requests") == 5, "a report of all requests"
            )
            await until(lambda: len(told) > 1, "another report")
            assert len(reporters) == 1
        assert gateway.process.returncode == 0
