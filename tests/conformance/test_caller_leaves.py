"""A caller who leaves frees the model at once, in every state of its request."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from doubles import behaviours as do
from doubles.scripted import Scripted
from doubles.serve import Served, backend, config, policy, route, serving

ASK: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": "Tell me a long story, please."}]}

PROMISE = 0.1
"""Seconds within which the upstream call is closed. Tests allow three times that: machines are shared."""


@pytest.fixture(params=["without a cache", "with a cache"])
async def served(up: Scripted, request: pytest.FixtureRequest) -> AsyncIterator[Served]:
    kept = "keep" if request.param == "with a cache" else None
    async with serving(config(route([backend(up.url)], policy=kept), policies=[policy()])) as one:
        yield one


async def call(served: Served, body: dict[str, Any]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A raw connection with one request on it."""
    host, _, port = served.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    raw = orjson.dumps(body)
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d"
    writer.write(head % len(raw) + b"\r\n\r\n" + raw)
    await writer.drain()
    return reader, writer


async def leave(writer: asyncio.StreamWriter, up: Scripted) -> float:
    """Closes the caller's connection; how long the upstream's stayed open."""
    left = time.perf_counter()
    writer.close()
    await asyncio.wait_for(up.requests[0].gone.wait(), 30)
    return time.perf_counter() - left


@pytest.mark.parametrize("stream", [False, True])
async def test_before_the_head(up: Scripted, served: Served, stream: bool) -> None:
    up.answer(do.stall())
    _, writer = await call(served, {**ASK, "stream": stream})
    await up.arrived(1)
    assert await leave(writer, up) < 3 * PROMISE


async def test_within_a_whole_body(up: Scripted, served: Served) -> None:
    async def half(call: Any) -> None:
        await call.head(200, {"content-type": "application/json", "content-length": "1000"})
        await call.write(b'{"id": "x"')
        await asyncio.Event().wait()

    up.answer(half)
    _, writer = await call(served, ASK)
    await up.arrived(1)
    assert await leave(writer, up) < 3 * PROMISE


async def test_within_a_stream(up: Scripted, served: Served) -> None:
    up.answer(do.stall(after="piece"))
    reader, writer = await call(served, {**ASK, "stream": True})
    assert b"Hello" in await asyncio.wait_for(reader.readuntil(b"Hello"), 30)
    assert await leave(writer, up) < 3 * PROMISE


async def test_in_a_stream_without_end(up: Scripted, served: Served) -> None:
    up.answer(do.endless())
    reader, writer = await call(served, {**ASK, "stream": True})
    await asyncio.wait_for(reader.readuntil(b"and on"), 30)
    assert await leave(writer, up) < 3 * PROMISE


async def test_a_slow_reader_holds_the_upstream_back_and_not_the_memory(up: Scripted, served: Served) -> None:
    up.answer(do.endless("x" * 2000))
    reader, writer = await call(served, {**ASK, "stream": True})
    await asyncio.wait_for(reader.readuntil(b"xxx"), 30)
    # Nobody reads: the upstream's writes must come to a halt.
    (connection,) = up.live
    while connection.transport.get_write_buffer_size() == 0:
        await asyncio.sleep(0.01)
    assert await leave(writer, up) < 3 * PROMISE


async def test_the_ledger_shows_who_left(up: Scripted, served: Served) -> None:
    up.answer(do.stall())
    _, writer = await call(served, ASK)
    await up.arrived(1)
    await leave(writer, up)
    while not (found := served.gateway.ledger.recent(1)):
        await asyncio.sleep(0.01)
    assert found[0]["status"] == 499
    assert found[0]["error"] == "caller_left"
