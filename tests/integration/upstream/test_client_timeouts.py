"""Each part of a call has its own time, and the call ends with it."""

import asyncio
import socket
import time

import pytest

from doubles.calls import get, post
from doubles.raw_server import Peer, RawServer, stalling
from sluice_sidecar.upstream.client import Client, ConnectTimeout, FirstByteTimeout, Origin, Timeouts, TotalTimeout

LATE = 3.0  # seconds that a timeout may take longer on a busy machine; the other ones are 5


async def test_connecting_takes_too_long(client: Client) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        knocking = [socket.socket() for _ in range(4)]
        for sock in knocking:
            sock.setblocking(False)
            sock.connect_ex(deaf.getsockname())
        origin = Origin("http", "127.0.0.1", deaf.getsockname()[1])
        with pytest.raises(ConnectTimeout):
            await get(client, origin, Timeouts(connect=0.05, first_byte=5, total=5))
        with pytest.raises(TotalTimeout):
            await get(client, origin, Timeouts(connect=5, first_byte=5, total=0.05))
        for sock in knocking:
            sock.close()


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nconte"], ids=["nothing", "half a head"])
async def test_the_head_takes_too_long(client: Client, sent: bytes) -> None:
    async with RawServer(stalling(sent)) as server:
        start = time.perf_counter()
        with pytest.raises(FirstByteTimeout) as caught:
            await post(client, server.origin, timeouts=Timeouts(connect=5, first_byte=0.1, total=5))
        assert 0.09 < time.perf_counter() - start < 0.1 + LATE
        assert caught.value.before_head
        await asyncio.wait_for(server.peers[0].gone.wait(), 30)


async def test_a_call_without_head_ends_with_its_total_time(client: Client) -> None:
    async with RawServer(stalling()) as server:
        with pytest.raises(TotalTimeout) as caught:
            await post(client, server.origin, timeouts=Timeouts(connect=5, first_byte=5, total=0.1))
        assert caught.value.before_head


async def test_a_body_that_stalls_ends_with_the_total_time(client: Client) -> None:
    async with RawServer(stalling(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")) as server:
        start = time.perf_counter()
        response = await get(client, server.origin, Timeouts(connect=5, first_byte=0.05, total=0.15))
        with pytest.raises(TotalTimeout) as caught:
            await response.read(100)
        assert 0.14 < time.perf_counter() - start < 0.15 + LATE
        assert not caught.value.before_head
        await asyncio.wait_for(server.peers[0].gone.wait(), 30)


async def test_a_response_that_nobody_reads_ends_with_the_total_time(client: Client) -> None:
    async with RawServer(stalling(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")) as server:
        await get(client, server.origin, Timeouts(connect=5, first_byte=0.1, total=0.1))
        await asyncio.wait_for(server.peers[0].gone.wait(), 30)


async def test_a_slow_answer_within_its_time_is_whole(client: Client) -> None:
    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n")
        for _ in range(20):
            await asyncio.sleep(0.005)
            await peer.send(b"x")

    async with RawServer(handler) as server:
        response = await get(client, server.origin, Timeouts(connect=5, first_byte=0.05, total=5))
        assert await response.read(20) == b"x" * 20


async def test_a_shorter_time_is_kept_beside_longer_ones(client: Client) -> None:
    async with RawServer(stalling()) as server:
        patient = asyncio.create_task(get(client, server.origin))
        while not server.peers:
            await asyncio.sleep(0)
        start = time.perf_counter()
        with pytest.raises(FirstByteTimeout):
            await get(client, server.origin, Timeouts(connect=5, first_byte=0.05, total=5))
        assert time.perf_counter() - start < 0.05 + LATE
        assert not patient.done()
        patient.cancel()
        await asyncio.gather(patient, return_exceptions=True)
