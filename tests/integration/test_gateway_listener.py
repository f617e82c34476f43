"""The gateway's port: limits on request heads, and how it closes."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sluice_sidecar import server
from sluice_sidecar.server import App, Listener


@asynccontextmanager
async def listening(app: App) -> AsyncIterator[Listener]:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    listener = Listener(app, sock)
    await listener.start()
    try:
        yield listener
    finally:
        listener.stop_accepting()
        await listener.drain(0.0)


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"hi"})


async def exchange(listener: Listener, *parts: bytes) -> bytes:
    """What comes back for some bytes, until the server closes."""
    reader, writer = await asyncio.open_connection(*listener.address)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        async with asyncio.timeout(60):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_an_answer_carries_no_header_of_ours() -> None:
    async with listening(hello) as listener:
        answer = await exchange(listener, b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert answer == b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi"


async def test_an_endless_head_is_cut_off() -> None:
    async with listening(hello) as listener:
        line = b"x-filler: " + b"a" * 1000 + b"\r\n"
        answer = await exchange(listener, b"GET / HTTP/1.1\r\nhost: x\r\n", *[line] * 80)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 431")


async def test_a_head_in_many_parts_is_a_head_all_the_same() -> None:
    async with listening(hello) as listener:
        head = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        assert (await exchange(listener, *[head[i : i + 1] for i in range(len(head))])).endswith(b"hi")


async def test_a_head_that_does_not_end_and_a_connection_that_says_nothing_are_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.05)
    async with listening(hello) as listener:
        assert (await exchange(listener, b"GET / HT")).startswith(b"HTTP/1.1 408")
        assert await exchange(listener) == b""


async def test_an_idle_connection_and_a_body_that_does_not_come_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "KEEP_ALIVE", 0.05)
    told: list[str] = []

    async def reads(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        while message["type"] == "http.request" and message.get("more_body"):
            message = await receive()
        told.append(message["type"])
        if message["type"] == "http.request":
            await hello(scope, receive, send)

    async with listening(reads) as listener:
        assert (await exchange(listener, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")).endswith(b"hi")  # then idle: closed
        for part in (b"", b"ha"):
            head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n"
            assert await exchange(listener, head + part) == b""
    assert told == ["http.request", "http.disconnect", "http.disconnect"]


async def test_a_long_answer_is_not_taken_for_an_idle_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "KEEP_ALIVE", 0.02)

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.2)  # ten times what an idle connection may last
        await hello(scope, receive, send)

    async with listening(slow) as listener:
        assert (await exchange(listener, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")).endswith(b"hi")


async def test_a_drain_waits_for_open_requests_and_closes_idle_connections() -> None:
    go, came = asyncio.Event(), asyncio.Event()

    async def waits(scope: Any, receive: Any, send: Any) -> None:
        came.set()
        await go.wait()
        await hello(scope, receive, send)

    async with listening(waits) as listener:
        idle, idle_writer = await asyncio.open_connection(*listener.address)
        asked = asyncio.create_task(exchange(listener, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"))
        await came.wait()
        assert listener.open == 1
        address = listener.address
        listener.stop_accepting()
        assert await idle.read() == b""
        idle_writer.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*address)
        draining = asyncio.create_task(listener.drain(10.0))
        go.set()
        assert (await asked).endswith(b"hi")  # and the connection is closed after it, though kept alive by the client
        assert await draining == 0


async def test_what_outlasts_the_drain_is_cut_and_counted() -> None:
    came = asyncio.Event()

    async def never(scope: Any, receive: Any, send: Any) -> None:
        came.set()
        await asyncio.Event().wait()

    async with listening(never) as listener:
        asked = asyncio.create_task(exchange(listener, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"))
        await came.wait()
        listener.stop_accepting()
        assert await listener.drain(0.05) == 1
        await asked
