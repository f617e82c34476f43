"""Whether a model process answers, works, and fits twice."""

import asyncio
import os

from doubles.raw_server import RawServer, always, stalling
from sluice_cli.supervisor import health
from sluice_cli.supervisor.health import answers, fits_beside, idle, processor_time


def answer(body: bytes, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 " + status + b"\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body) + body


async def test_only_a_200_is_an_answer() -> None:
    async with RawServer(always(answer(b'{"status":"ok"}'))) as server:
        url = f"http://{server.origin.host}:{server.origin.port}"
        assert await answers(url, "/health") == b'{"status":"ok"}'
    assert await answers(url, "/health") is None  # nobody there any more
    async with RawServer(always(answer(b"loading", b"503 Service Unavailable"))) as server:
        assert await answers(f"http://{server.origin.host}:{server.origin.port}", "/health") is None


async def test_silence_is_no_answer() -> None:
    async with RawServer(stalling()) as server:
        url = f"http://{server.origin.host}:{server.origin.port}"
        async with asyncio.timeout(health.PATIENCE * 3):
            assert await answers(url, "/health") is None


async def test_idle_waits_for_slots_and_no_longer_than_told() -> None:
    async with RawServer(always(answer(b'[{"is_processing":false}]'))) as server:
        async with asyncio.timeout(60):
            await idle(f"http://{server.origin.host}:{server.origin.port}", 60.0)
    async with RawServer(always(answer(b'[{"is_processing":true}]'))) as server:
        clock = asyncio.get_running_loop().time
        began = clock()
        await idle(f"http://{server.origin.host}:{server.origin.port}", 0.15)
        assert clock() - began >= 0.14


def test_a_process_that_works_uses_time_and_one_that_is_gone_has_none() -> None:
    before = processor_time(os.getpid())
    assert before is not None
    while processor_time(os.getpid()) == before:
        sum(range(10_000))
    assert processor_time(2**22 + 1) is None


def test_this_process_fits_twice_and_a_gone_one_does_not() -> None:
    assert fits_beside(os.getpid())
    assert not fits_beside(2**22 + 1)
