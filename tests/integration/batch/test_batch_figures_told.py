"""What a gateway's metrics and its report to the operator say of windows, after real requests."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from doubles.batching import closed_window, until, with_windows
from doubles.behaviours import text
from doubles.scripted import Scripted
from doubles.serve import Served, backend, config, route, serving
from sluice_sidecar.config import BatchWindow, Window

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
OPEN = BatchWindow(name="night", windows=(Window(days=DAYS, start="00:00", end="00:00"),), routes=("main",))


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with Scripted() as up:
        up.otherwise(text("Bonjour"))
        ready = with_windows(config(route([backend(up.url)])), OPEN)
        async with serving(ready, batches=tmp_path / "batch") as gateway:
            yield gateway


async def deferred(served: Served, said: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=served.url, timeout=30.0) as client:
        body = {"model": "auto", "messages": [{"role": "user", "content": said}]}
        return await client.post("/v1/chat/completions", json=body, headers={"prefer": "respond-async"})


async def test_what_is_done_and_what_waits_is_told(served: Served) -> None:
    gateway = served.gateway
    for number in range(3):
        assert (await deferred(served, f"ask {number}")).status_code == 202
    found = await until(gateway.windows, lambda said: said["night"]["done"] == 3)
    assert (found["night"]["queued"], found["night"]["oldest"], found["night"]["failed"]) == (0, None, 0)
    await gateway.swap(with_windows(gateway.serving.config, closed_window("main")))
    made = (await deferred(served, "later")).json()
    found = await until(gateway.windows, lambda said: said["night"]["queued"] == 1)
    assert int(found["night"]["oldest"]) == made["created_at"]
    counted = await gateway.telemetry()
    assert counted["window_settled"]["night"] == [3, 0, 0]
    assert counted["window_waits"]["night"] == [1, 0]
    assert set(counted["window_oldest"]) == {"night"}
