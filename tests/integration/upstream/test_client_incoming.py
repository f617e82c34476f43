"""Bodies that are sent on as they come in."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from doubles.raw_server import OK, Peer, RawServer
from sluice_sidecar.upstream.client import Client, Incoming, Timeouts
from sluice_sidecar.upstream.guard import Guard

TIMES = Timeouts(connect=5.0, first_byte=10.0, total=30.0)


async def test_pieces_leave_before_the_last_has_come() -> None:
    halfway = asyncio.Event()
    read: list[bytes] = []

    async def serve(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        read.append(await peer.reader.readexactly(5))
        halfway.set()
        read.append(await peer.reader.readexactly(5))
        await peer.send(OK)

    async def pieces() -> AsyncIterator[bytes]:
        yield b"first"
        await halfway.wait()
        yield b"after"

    async with RawServer(serve) as up:
        client = Client(Guard(loopback=True))
        response = await client.send(up.origin, b"POST", b"/", [], Incoming(10, pieces()), TIMES)
        assert (response.status, await response.read(10)) == (200, b"ok")
        await client.close()
    assert read == [b"first", b"after"]


async def test_an_answer_before_the_bodys_end_stops_it_and_its_connection_is_not_used_again() -> None:
    asked = asyncio.Event()

    async def serve(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.send(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")
        asked.set()
        await peer.watch()

    sent = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1_000):
            sent += 1
            yield bytes(65_536)
            await asked.wait()

    async with RawServer(serve) as up:
        client = Client(Guard(loopback=True))
        for _ in range(2):
            response = await client.send(up.origin, b"POST", b"/", [], Incoming(65_536_000, pieces()), TIMES)
            assert response.status == 413
        assert len(up.peers) == 2
        assert sent < 1_000
        await client.close()


async def test_a_caller_that_fails_in_the_middle_ends_the_call() -> None:
    async def serve(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.watch()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"first"
        raise LookupError("gone")

    async with RawServer(serve) as up:
        client = Client(Guard(loopback=True))
        with pytest.raises(LookupError):
            await client.send(up.origin, b"POST", b"/", [], Incoming(10, pieces()), TIMES)
        async with asyncio.timeout(10):
            await up.peers[0].gone.wait()
        await client.close()
