"""How soon the upstream call is closed when a caller leaves, by state: before the head, in mid body, in mid stream."""

import asyncio
import time
from typing import Any, cast

import orjson

from bench.client import Caller, spread
from bench.configs import ask, config
from bench.processes import gateway

ROUNDS = 100
BEGINNINGS = {
    "before the head": b"",
    "in mid body": b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n{"id"',
    "in mid stream": (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
        b'data: {"id":"x","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n'
    ),
}


class Hanging(asyncio.Protocol):
    """A model that begins to answer and then says no more; tells when its caller is gone."""

    def __init__(self, beginning: bytes, asked: asyncio.Event, gone: "asyncio.Queue[float]") -> None:
        self.beginning, self.asked, self.gone = beginning, asked, gone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by class

    def data_received(self, data: bytes) -> None:
        if b"\r\n\r\n" in data:
            self.transport.write(self.beginning)
            self.asked.set()

    def connection_lost(self, error: Exception | None) -> None:
        self.gone.put_nowait(time.perf_counter())


def leaving(_: int) -> dict[str, Any]:
    """The scenario."""
    found = {state: spread(asyncio.run(_state(beginning))) for state, beginning in BEGINNINGS.items()}
    return {**found, "worst_ms": max(one["p99"] for one in found.values())}


async def _state(beginning: bytes) -> list[float]:
    asked, gone = asyncio.Event(), asyncio.Queue[float]()
    server = await asyncio.get_running_loop().create_server(lambda: Hanging(beginning, asked, gone), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    context = gateway(config(f"http://127.0.0.1:{port}/v1"), "--no-access-log")
    sluice = await asyncio.to_thread(context.__enter__)
    times = []
    try:
        for _ in range(ROUNDS):
            asked.clear()
            caller = await Caller.connect(sluice.url)
            caller.send(orjson.dumps(ask(stream=beginning.find(b"event-stream") >= 0)))
            await asked.wait()
            if b"Hello" in beginning:
                await caller.read(b"Hello")
            await asyncio.sleep(0.005)
            left = time.perf_counter()
            caller.close()
            times.append((await asyncio.wait_for(gone.get(), 10) - left) * 1e3)
    finally:
        await asyncio.to_thread(context.__exit__, None, None, None)
        server.close()
    return times
