"""Through a whole gateway: callers who wait longer while deferred requests run have these take fewer places."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from doubles.behaviours import text
from doubles.scripted import Behaviour, Call, Scripted
from doubles.serve import Served, backend, config, route, serving
from sluice_sidecar.batch.gate import SAMPLES, TOLERANCE

CHAT = "/v1/chat/completions"


class Engine:
    """Answers callers slower once deferred requests run, which it holds."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.arrived = asyncio.Event()
        self.release = asyncio.Event()

    def behaviour(self) -> Behaviour:
        async def behave(call: Call) -> None:
            if "deferred" not in call.request.json["messages"][0]["content"]:
                await asyncio.sleep(self.seconds)
                await text("now")(call)
                return
            self.arrived.set()
            await self.release.wait()
            await text("later")(call)

        return behave


@pytest.fixture
async def engine() -> Engine:
    return Engine()


@pytest.fixture
async def served(engine: Engine, tmp_path: Path) -> AsyncIterator[Served]:
    async with Scripted() as up:
        up.otherwise(engine.behaviour())
        async with serving(config(route([backend(up.url)])), batches=tmp_path / "batch") as gateway:
            yield gateway


async def asked(served: Served, said: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=served.url, timeout=30.0) as client:
        body = {"model": "auto", "messages": [{"role": "user", "content": said}]}
        return await client.post(CHAT, json=body, headers=headers)


async def test_slower_callers_take_places_away(served: Served, engine: Engine) -> None:
    def places() -> int:
        return served.gateway.deferring.pools()[-1].concurrency

    took = []
    for number in range(SAMPLES):
        began = time.perf_counter()
        assert (await asked(served, f"ask {number}")).status_code == 200
        took.append(time.perf_counter() - began)
    assert places() == 4
    assert (await asked(served, "deferred", prefer="respond-async")).status_code == 202
    await engine.arrived.wait()
    engine.seconds = 2 * TOLERANCE * max(took)  # slower than the slowest, however busy this machine is
    for number in range(SAMPLES):
        assert (await asked(served, f"slow {number}")).status_code == 200
    assert places() == 2
    engine.release.set()
