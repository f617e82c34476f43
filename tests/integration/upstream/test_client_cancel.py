"""A call that nobody waits for any more is gone at once, in whatever state it was: the upstream sees it end."""

import asyncio
import os
import socket
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from doubles.calls import get, post
from doubles.raw_server import OK, Peer, RawServer, always, stalling
from sluice_sidecar.upstream.client import Client, Origin, Response
from sluice_sidecar.upstream.guard import Guard, SockAddr

PROMISE = 3.0  # seconds: 0.1 on a quiet machine, and nothing else would end it before


async def cancel(call: asyncio.Task[Any]) -> None:
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


async def gone_in_time(peer: Peer, call: asyncio.Task[Any]) -> None:
    start = time.perf_counter()
    await cancel(call)
    await asyncio.wait_for(peer.gone.wait(), 30)
    assert time.perf_counter() - start < PROMISE


def started(coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    return asyncio.get_running_loop().create_task(coroutine)


async def first_peer(server: RawServer) -> Peer:
    while not server.peers:
        await asyncio.sleep(0.001)
    return server.peers[0]


def open_files() -> set[str]:
    return {str(link.readlink()) for link in Path(f"/proc/{os.getpid()}/fd").iterdir() if link.is_symlink()}


async def test_while_the_name_is_resolved() -> None:
    class Waiting(Guard):
        def __init__(self) -> None:
            super().__init__()
            self.asked = asyncio.Event()

        async def addresses(self, host: str, port: int) -> list[SockAddr]:
            self.asked.set()
            await asyncio.Event().wait()
            return []

    guard = Waiting()
    client = Client(guard)
    call = started(get(client, Origin("http", "slow.example", 80)))
    await guard.asked.wait()
    start = time.perf_counter()
    await cancel(call)
    assert time.perf_counter() - start < PROMISE
    await client.close()


async def test_while_it_connects(client: Client) -> None:
    # a listener whose queue is full: the kernel drops what knocks further
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        knocking = []
        for _ in range(4):
            knocking.append(socket.socket())
            knocking[-1].setblocking(False)
            knocking[-1].connect_ex(deaf.getsockname())
        before = open_files()
        call = started(get(client, Origin("http", "127.0.0.1", deaf.getsockname()[1])))
        while open_files() <= before:
            await asyncio.sleep(0.001)
        start = time.perf_counter()
        await cancel(call)
        while not open_files() <= before:
            await asyncio.sleep(0.001)
        assert time.perf_counter() - start < PROMISE
        for sock in knocking:
            sock.close()


async def test_before_the_response_head(client: Client) -> None:
    async with RawServer(stalling()) as server:
        call = started(post(client, server.origin))
        peer = await first_peer(server)
        await peer.got_request.wait()
        await gone_in_time(peer, call)


async def test_before_the_response_head_on_a_kept_connection(client: Client) -> None:
    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK)
        peer.got_request.clear()
        await peer.request()
        await peer.watch()

    async with RawServer(handler) as server:
        await get(client, server.origin)
        call = started(post(client, server.origin))
        await server.peers[0].got_request.wait()
        await gone_in_time(server.peers[0], call)


async def test_while_a_large_body_is_written(client: Client) -> None:
    async def handler(peer: Peer) -> None:
        await peer.reader.readexactly(1000)
        peer.got_request.set()
        await cancelled.wait()
        await peer.watch()

    cancelled = asyncio.Event()
    async with RawServer(handler) as server:
        call = started(post(client, server.origin, bytes(50_000_000)))
        peer = await first_peer(server)
        await peer.got_request.wait()
        cancelled.set()
        await gone_in_time(peer, call)


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nhalf",
    ],
    ids=["content-length", "chunked", "until close"],
)
async def test_in_the_middle_of_the_body(client: Client, start: bytes) -> None:
    async def whole() -> None:
        await (await get(client, server.origin)).read(1000)

    async def stream() -> None:
        async for chunk in await get(client, server.origin):
            assert chunk == b"half"
            begun.set()

    begun = asyncio.Event()
    async with RawServer(stalling(start)) as server:
        call = started(whole())
        peer = await first_peer(server)
        await peer.got_request.wait()
        await gone_in_time(peer, call)
        call = started(stream())
        await begun.wait()
        await gone_in_time(server.peers[1], call)


async def test_a_response_that_is_aborted(client: Client) -> None:
    async with RawServer(stalling(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")) as server:
        response = await get(client, server.origin)
        start = time.perf_counter()
        response.abort()
        response.abort()
        await asyncio.wait_for(server.peers[0].gone.wait(), 5)
        assert time.perf_counter() - start < PROMISE


async def test_aborting_a_complete_response_keeps_its_connection(client: Client) -> None:
    async with RawServer(always(OK)) as server:
        for _ in range(3):
            (await get(client, server.origin)).abort()
        assert len(server.peers) == 1


async def test_a_cancel_that_meets_the_answer_does_not_hurt_the_next_call(client: Client) -> None:
    # the head is in, the connection back in its pool and with another caller, before the cancelled one runs
    async def ask() -> Response:
        return await get(client, server.origin)

    async with RawServer(always(OK)) as server:
        await ask()
        for turns in range(12):
            first = started(ask())
            for _ in range(turns):
                await asyncio.sleep(0)
            first.cancel()
            second = started(ask())
            await asyncio.gather(first, return_exceptions=True)
            assert await (await second).read(2) == b"ok"
