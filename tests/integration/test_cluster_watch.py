"""The gateway's watch of one object: changes come at once, and it survives what an API server does to watches."""

import asyncio
import json
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from doubles.components import program
from doubles.raw_server import Peer, RawServer
from doubles.running import PATIENCE
from sluice_sidecar.cluster import api
from sluice_sidecar.cluster.api import Api, Found

PATH = "/api/v1/namespaces/n/configmaps"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
Answer = Callable[[Peer], Awaitable[None]]


def found(version: str) -> dict[str, Any]:
    return {"metadata": {"name": "c", "resourceVersion": version}, "data": {"v": version}}


def listing(version: str, *items: dict[str, Any]) -> Answer:
    body = json.dumps({"metadata": {"resourceVersion": version}, "items": items}).encode()
    return lambda peer: peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))


def events(*shown: tuple[str, dict[str, Any]], cut: int = 0) -> Answer:
    """A watch that says this and then nothing more; `cut` splits its bytes there."""
    lines = b"".join(json.dumps({"type": kind, "object": what}).encode() + b"\n" for kind, what in shown)

    async def answer(peer: Peer) -> None:
        await peer.send(CHUNKED)
        for part in (lines[:cut], lines[cut:]):
            if part:
                await peer.send(b"%x\r\n%b\r\n" % (len(part), part))

    return answer


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    (folder / "token").write_text("token-1\n")
    return folder


class Followed:
    """What one watch told, and what the server was asked."""

    def __init__(self) -> None:
        self.told: list[str | None] = []
        self.failures: list[str] = []
        self.asked: list[str] = []
        self._change = asyncio.Condition()

    async def note(self, version: str | None) -> None:
        async with self._change:
            self.told.append(version)
            self._change.notify_all()

    async def until(self, *versions: str | None) -> None:
        async with asyncio.timeout(PATIENCE), self._change:
            await self._change.wait_for(lambda: tuple(self.told) == versions)


@asynccontextmanager
async def following(certificate: Path, *script: Answer) -> AsyncIterator[Followed]:
    """Follows the object `c` on a server that answers one request after another; the last answer stays open."""
    seen, answers = Followed(), list(script)
    notes: set[asyncio.Task[None]] = set()

    async def server(peer: Peer) -> None:
        while answers:
            head, _ = await peer.request()
            seen.asked.append(head.split(b" ")[1].decode())
            assert b"authorization: Bearer token-1\r\n" in head
            await answers.pop(0)(peer)
        await peer.request()

    def tell(what: Found | None) -> None:
        notes.add(asyncio.ensure_future(seen.note(None if what is None else what["data"]["v"])))

    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    async with RawServer(server, tls=tls) as raw:
        client = Api("localhost", raw.port, certificate / "token", certificate / "cert.pem")
        task = asyncio.ensure_future(client.follow(PATH, "c", tell, lambda why: seen.failures.append(str(why))))
        try:
            yield seen
        finally:
            task.cancel()
            await asyncio.gather(task, *notes, return_exceptions=True)
            await client.close()


async def test_it_tells_what_is_there_and_each_change_however_the_bytes_are_cut(certificate: Path) -> None:
    shown = (
        ("MODIFIED", found("2")), ("BOOKMARK", {"metadata": {"resourceVersion": "3"}}), ("DELETED", found("4")),
        ("ADDED", found("5")),
    )  # fmt: skip
    async with following(certificate, listing("1", found("1")), events(*shown, cut=50)) as seen:
        await seen.until("1", "2", None, "5")
        assert seen.asked[0] == f"{PATH}?fieldSelector=metadata.name%3Dc"
        assert "watch=true" in seen.asked[1]
        assert "resourceVersion=1&" in seen.asked[1]
        assert seen.failures == []


async def test_an_object_that_is_not_there_is_told_too(certificate: Path) -> None:
    async with following(certificate, listing("7"), events(("ADDED", found("8")))) as seen:
        await seen.until(None, "8")


async def test_it_lists_again_where_the_watch_is_too_far_behind(certificate: Path) -> None:
    gone = ("ERROR", {"code": 410, "message": "too old"})
    script = listing("1", found("1")), events(gone), listing("9", found("9")), events(("MODIFIED", found("10")))
    async with following(certificate, *script) as seen:
        await seen.until("1", "9", "10")
        assert seen.failures == []


async def test_a_silent_watch_is_taken_for_dead(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "IDLE", 0.05)
    script = listing("1", found("1")), events(), listing("2", found("2")), events()
    async with following(certificate, *script) as seen:
        await seen.until("1", "2")
        assert "silent" in seen.failures[0]


async def test_a_refusal_is_told_and_tried_again(certificate: Path) -> None:
    body = b'{"message":"configmaps is forbidden"}'

    async def forbidden(peer: Peer) -> None:
        await peer.send(b"HTTP/1.1 403 Forbidden\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))

    async with following(certificate, forbidden, listing("1", found("1")), events()) as seen:
        await seen.until("1")
        assert seen.failures == ["the API server answered 403: configmaps is forbidden"]


def test_pauses_grow_to_a_limit_and_differ() -> None:
    assert all(0.1 <= api.pause(1) <= 0.2 for _ in range(100))
    assert all(2.5 <= api.pause(99) <= 5.0 for _ in range(100))
    assert len({api.pause(3) for _ in range(10)}) > 1
