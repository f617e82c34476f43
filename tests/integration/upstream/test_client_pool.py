"""Connections are kept, used again, and let go when they are no good."""

import asyncio

import pytest

from doubles.calls import get, post
from doubles.raw_server import OK, Peer, RawServer, always, echo_length, once
from sluice_sidecar.upstream.client import Client, ConnectionReset_, UpstreamError
from sluice_sidecar.upstream.guard import Guard


async def test_a_thousand_requests_one_after_another_share_a_connection(client: Client) -> None:
    async with RawServer(echo_length()) as server:
        for size in range(1000):
            assert await (await post(client, server.origin, b"x" * size)).read(10) == b"%d" % size
        assert len(server.peers) == 1


async def test_two_hundred_at_once_do_not_mix(client: Client) -> None:
    async def length(size: int) -> bytes:
        return await (await post(client, server.origin, b"x" * size)).read(10)

    async with RawServer(echo_length()) as server:
        for _ in range(3):
            answers = await asyncio.gather(*(length(size) for size in range(200)))
            assert answers == [b"%d" % size for size in range(200)]
        assert len(server.peers) <= 200


async def test_the_connection_used_last_is_used_first(client: Client) -> None:
    async with RawServer(always(OK)) as server:
        await asyncio.gather(*(get(client, server.origin) for _ in range(5)))
        for _ in range(20):
            await get(client, server.origin)
        assert sorted(len(peer.heads) for peer in server.peers) == [1, 1, 1, 1, 21]


async def test_a_connection_that_the_server_closed_while_idle_is_discarded(client: Client) -> None:
    closed = asyncio.Event()

    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK)
        peer.writer.close()
        closed.set()

    async with RawServer(handler) as server:
        for count in (1, 2, 3):
            assert await (await post(client, server.origin)).read(2) == b"ok"
            assert len(server.peers) == count
            await asyncio.wait_for(closed.wait(), 4)
            closed.clear()


async def test_a_request_that_meets_a_dead_kept_connection_goes_once_more(client: Client) -> None:
    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK)
        await peer.request()  # read, and never answered
        peer.reset()

    async with RawServer(handler) as server:
        for _ in range(3):
            assert await (await post(client, server.origin, b"x" * 200_000)).read(2) == b"ok"
        assert len(server.peers) == 3


async def test_a_request_is_not_repeated_on_a_fresh_connection(client: Client) -> None:
    async def handler(peer: Peer) -> None:
        await peer.request()
        peer.reset()

    async with RawServer(handler) as server:
        with pytest.raises(ConnectionReset_) as caught:
            await post(client, server.origin)
        assert caught.value.before_head
        assert len(server.peers) == 1


async def test_a_request_is_not_repeated_after_a_byte_of_its_answer(client: Client) -> None:
    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK)
        await peer.request()
        await peer.send(b"H")
        peer.writer.close()

    async with RawServer(handler) as server:
        await get(client, server.origin)
        with pytest.raises(ConnectionReset_):
            await get(client, server.origin)
        assert len(server.peers) == 1


async def test_an_idle_connection_is_closed_in_time() -> None:
    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK)
        await peer.watch()

    client = Client(Guard(loopback=True), idle=0.05)
    async with RawServer(handler) as server:
        await get(client, server.origin)
        await asyncio.wait_for(server.peers[0].gone.wait(), 4)
    await client.close()


async def test_bytes_that_nobody_asked_for_end_an_idle_connection(client: Client) -> None:
    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK)
        await answered.wait()
        await peer.send(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n")
        await peer.watch()

    answered = asyncio.Event()
    async with RawServer(handler) as server:
        await get(client, server.origin)
        answered.set()
        await asyncio.wait_for(server.peers[0].gone.wait(), 4)
        assert (await get(client, server.origin)).status == 200
        assert len(server.peers) == 2


async def test_a_closed_client_ends_its_calls_and_takes_no_more() -> None:
    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.watch()

    client = Client(Guard(loopback=True))
    async with RawServer(handler) as server:
        call = asyncio.create_task(get(client, server.origin))
        while not server.peers:
            await asyncio.sleep(0)
        await server.peers[0].got_request.wait()
        await client.close()
        with pytest.raises(UpstreamError, match="closed"):
            await call
        await asyncio.wait_for(server.peers[0].gone.wait(), 4)
        with pytest.raises(UpstreamError, match="closed"):
            await get(client, server.origin)


async def test_once_is_enough_for_each_origin(client: Client) -> None:
    async with RawServer(once(OK)) as one, RawServer(once(OK)) as other:
        await asyncio.gather(get(client, one.origin), get(client, other.origin))
        assert (len(one.peers), len(other.peers)) == (1, 1)
