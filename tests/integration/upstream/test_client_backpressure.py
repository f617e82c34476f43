"""Neither side's slowness fills the gateway's memory."""

import asyncio
import tracemalloc

import pytest

from doubles.calls import get, post
from doubles.raw_server import OK, Peer, RawServer, echo_length
from sluice_sidecar.upstream.client import Client

SIZE = 40_000_000


async def test_an_answer_that_nobody_reads_holds_the_upstream_back(client: Client) -> None:
    sent = 0

    async def handler(peer: Peer) -> None:
        nonlocal sent
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % SIZE)
        while sent < SIZE:
            await peer.send(bytes(100_000))
            sent += 100_000

    async with RawServer(handler) as server:
        response = await get(client, server.origin)
        before = -1
        while sent != before:  # until the server's writing stands still
            before = sent
            await asyncio.sleep(0.05)
        assert sent < SIZE / 2  # what the kernel's buffers and ours took
        came = 0
        async for chunk in response:
            assert len(chunk) < 2_000_000
            came += len(chunk)
        assert came == SIZE


async def test_a_large_body_is_written_as_the_upstream_takes_it(client: Client) -> None:
    async def handler(peer: Peer) -> None:
        head = await peer.reader.readuntil(b"\r\n\r\n")
        assert b"content-length: %d\r\n" % SIZE in head
        await measured.wait()
        await peer.reader.readexactly(SIZE)
        await peer.send(OK)

    measured = asyncio.Event()
    body = bytes(SIZE)
    async with RawServer(handler) as server:
        tracemalloc.start()
        try:
            call = asyncio.create_task(post(client, server.origin, body))
            while not server.peers:
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.05)
            assert tracemalloc.get_traced_memory()[1] < 5_000_000  # not a second copy of the body
        finally:
            tracemalloc.stop()
        measured.set()
        assert await (await call).read(2) == b"ok"


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 262_144, 262_145, 3_000_000])
async def test_bodies_of_every_size_arrive_whole(client: Client, size: int) -> None:
    async with RawServer(echo_length()) as server:
        for _ in range(2):
            assert await (await post(client, server.origin, b"x" * size)).read(10) == b"%d" % size


async def test_an_answer_before_the_body_is_written_ends_the_writing(client: Client) -> None:
    async def handler(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.send(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig")
        await peer.watch()

    async with RawServer(handler) as server:
        response = await post(client, server.origin, bytes(SIZE))
        assert (response.status, await response.read(3)) == (413, b"big")
        await asyncio.wait_for(server.peers[0].gone.wait(), 4)  # half a request is on it: never used again
