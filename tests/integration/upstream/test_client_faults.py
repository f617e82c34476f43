"""An upstream that breaks off, lies or talks nonsense gives one clear error, and never a half answer as a whole one."""

import contextlib
import socket

import pytest

from doubles.calls import get, post
from doubles.raw_server import Handler, Peer, RawServer, once
from sluice_sidecar.upstream.client import (
    BadResponse,
    Client,
    ConnectFailed,
    ConnectionReset_,
    EgressDenied,
    Origin,
    UpstreamError,
)
from sluice_sidecar.upstream.guard import Guard


def resetting(answer: bytes) -> Handler:
    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer)
        peer.reset()

    return handler


BEFORE_HEAD = {
    "closed at once": (once(b""), ConnectionReset_, "closed the connection before"),
    "reset at once": (resetting(b""), ConnectionReset_, "reset the connection before"),
    "closed in mid head": (once(b"HTTP/1.1 200 OK\r\nconte"), ConnectionReset_, "before it answered"),
    "garbage": (once(b"SSH-2.0-OpenSSH_9.2p1\r\n"), BadResponse, "not valid HTTP/1.1"),
    "head too large": (once(b"HTTP/1.1 200 OK\r\nx: " + b"x" * 70_000 + b"\r\n\r\n"), BadResponse, "65536"),
    "head without end": (once(b"HTTP/1.1 200 OK\r\nx: " + b"x" * 500_000), BadResponse, "65536"),
    "1xx without end": (once(b"HTTP/1.1 102 Processing\r\n\r\n" * 10_000), BadResponse, "65536"),
    "two lengths": (once(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"), BadResponse, "HTTP"),
    "length and chunks": (
        once(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
        BadResponse,
        "HTTP",
    ),
    "negative length": (once(b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"), BadResponse, "HTTP"),
    "a coding not asked for": (once(b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nx"), BadResponse, "gzip"),
    "another protocol": (
        once(b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
        BadResponse,
        "switches protocols",
    ),
}


@pytest.mark.parametrize(("handler", "kind", "says"), BEFORE_HEAD.values(), ids=BEFORE_HEAD)
async def test_before_the_head(client: Client, handler: Handler, kind: type[UpstreamError], says: str) -> None:
    async with RawServer(handler) as server:
        with pytest.raises(kind, match=says) as caught:
            await post(client, server.origin)
        assert caught.value.before_head
        assert str(server.origin) in str(caught.value)


CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n"
SIZED = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"

IN_BODY = {
    "shorter than its length": (once(SIZED), ConnectionReset_),
    "reset": (resetting(SIZED), ConnectionReset_),
    "reset until close": (resetting(b"HTTP/1.1 200 OK\r\n\r\nhalf"), ConnectionReset_),
    "chunks without end": (once(CHUNKED), ConnectionReset_),
    "chunk size is no number": (once(CHUNKED + b"zz\r\nabc\r\n"), BadResponse),
    "chunk longer than its size": (once(CHUNKED + b"2\r\nabc\r\n0\r\n\r\n"), BadResponse),
    "extension without end": (once(CHUNKED + b"2;" + b"x" * 500_000), BadResponse),
    "trailer without end": (once(CHUNKED + b"0\r\nx: " + b"x" * 500_000), BadResponse),
}


@pytest.mark.parametrize(("handler", "kind"), IN_BODY.values(), ids=IN_BODY)
async def test_in_the_body(client: Client, handler: Handler, kind: type[UpstreamError]) -> None:
    async with RawServer(handler) as server:
        with pytest.raises(kind) as caught:
            await (await get(client, server.origin)).read(1_000_000)
        assert not caught.value.before_head
        response = await get(client, server.origin)
        came = b""
        with contextlib.suppress(kind):
            while True:
                came += await anext(response)  # never StopAsyncIteration: that would be an answer's true end
        assert came in (b"half", b"halfab", b"")  # a reset may overtake what was sent before it


async def test_a_refused_port(client: Client) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))  # bound, and not listening
        port = sock.getsockname()[1]
        with pytest.raises(ConnectFailed, match=f"http://127.0.0.1:{port}: cannot connect") as caught:
            await get(client, Origin("http", "127.0.0.1", port))
    assert caught.value.before_head


async def test_a_name_that_does_not_exist(client: Client) -> None:
    with pytest.raises(ConnectFailed, match=r"cannot resolve host 'nowhere\.invalid'"):
        await get(client, Origin("http", "nowhere.invalid", 80))


async def test_an_address_that_the_guard_denies_is_not_connected_to() -> None:
    client = Client(Guard())
    async with RawServer(once(b"")) as server:
        with pytest.raises(EgressDenied, match=r'127\.0\.0\.1.*"127\.0\.0\.1/32".*spec\.egress\.allow'):
            await get(client, server.origin)
        assert server.peers == []
    await client.close()
