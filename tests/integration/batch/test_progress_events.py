"""`GET …/events`: how far it is, as it changes, to any number of watchers, until the end or until the caller leaves."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from doubles.batching import closed_window, jsonl, line, until, with_windows
from doubles.behaviours import text
from doubles.scripted import Gate, Scripted
from doubles.serve import Served, backend, config, route, serving
from sluice_sidecar.batch import notifier

CHAT = "/v1/chat/completions"
ASK: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}
ASYNC = {"prefer": "respond-async"}


@pytest.fixture
async def up() -> AsyncIterator[Scripted]:
    async with Scripted() as scripted:
        yield scripted


@pytest.fixture
async def served(up: Scripted, tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(config(route([backend(up.url)])), batches=tmp_path / "batch") as gateway:
        yield gateway


@pytest.fixture
async def client(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=served.url, timeout=30.0) as http:
        yield http


async def events(client: httpx.AsyncClient, path: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Names and data, to the end of the stream."""
    async with client.stream("GET", path, headers={"accept": "text/event-stream"}) as stream:
        assert stream.status_code == 200
        assert stream.headers["content-type"].startswith("text/event-stream")
        name = ""
        async for one in stream.aiter_lines():
            field, _, value = one.partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                yield name, orjson.loads(value)


async def test_many_watch_one_request_to_its_end_with_one_look_for_all(
    client: httpx.AsyncClient, served: Served, up: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0

    def counted(*given: Any, **more: Any) -> Any:
        nonlocal looks
        looks += 1
        return seen(*given, **more)

    queue = served.gateway._batches._queue
    assert queue is not None
    seen = queue.store.seen
    monkeypatch.setattr(queue.store, "seen", counted)
    gate = Gate()
    up.otherwise(text("Bonjour", gate=gate))
    place = (await client.post(CHAT, json=ASK | {"stream": True}, headers=ASYNC)).headers["location"]
    running = [asyncio.Event() for _ in range(20)]

    async def follow(begun: asyncio.Event) -> list[tuple[str, str]]:
        told = []
        async for name, data in events(client, place + "/events"):
            told.append((name, data["status"]))
            if data["status"] == "running":
                begun.set()
        return told

    watching = [asyncio.create_task(follow(one)) for one in running]
    async with asyncio.timeout(30):
        await asyncio.gather(*(one.wait() for one in running))
        gate.open()
        told = await asyncio.gather(*watching)
    assert {one[-1] for one in told} == {("done", "completed")}
    assert looks < 20


async def test_place_and_window_are_told_and_a_watcher_who_leaves_is_forgotten(
    client: httpx.AsyncClient, served: Served
) -> None:
    await served.gateway.swap(with_windows(served.gateway.serving.config, closed_window("main")))
    places = [(await client.post(CHAT, json=ASK, headers=ASYNC)).headers["location"] for _ in range(2)]
    async for name, data in events(client, places[1] + "/events"):
        assert (name, data["status"], data["position"], data["window"]) == ("progress", "queued", 2, "night")
        break
    watching = served.gateway._batches._notifier
    assert watching is not None

    async def watchers() -> int:
        return watching._watchers

    assert await until(watchers, lambda count: count == 0) == 0
    taken: list[str] = []
    async for name, data in events(client, places[0] + "/events"):
        taken.append(f"{name} {data['status']}")
        if name == "progress":
            await client.delete(places[0])
    assert taken == ["progress queued", "done cancelled"]


async def test_a_batch_counts_up_and_another_tenants_is_unknown(client: httpx.AsyncClient, up: Scripted) -> None:
    up.otherwise(text("Bonjour"))
    lines = jsonl([line("a"), line("b", "Other")])
    file = (await client.post("/v1/files", files={"file": ("a", lines)}, data={"purpose": "batch"})).json()
    asked = {"input_file_id": file["id"], "endpoint": CHAT, "completion_window": "24h"}
    batch = (await client.post("/v1/batches", json=asked)).json()["id"]
    told = [one async for one in events(client, f"/v1/batches/{batch}/events")]
    name, data = told[-1]
    assert (name, data["status"]) == ("done", "completed")
    assert data["request_counts"] == {"total": 2, "completed": 2, "failed": 0}
    assert [one async for one in events(client, f"/v1/batches/{batch}/events")] == [told[-1]]
    assert (await client.get("/v1/batches/batch_other/events")).status_code == 404


async def test_a_gateway_that_stops_lets_watchers_go(client: httpx.AsyncClient, served: Served) -> None:
    await served.gateway.swap(with_windows(served.gateway.serving.config, closed_window("main")))
    place = (await client.post(CHAT, json=ASK, headers=ASYNC)).headers["location"]
    told = []
    async with asyncio.timeout(30):
        async for name, _ in events(client, place + "/events"):
            told.append(name)
            served.gateway.leave()
    assert told == ["progress"]


async def test_a_long_poll_ends_with_the_request_or_when_the_gateway_stops(
    client: httpx.AsyncClient, served: Served
) -> None:
    await served.gateway.swap(with_windows(served.gateway.serving.config, closed_window("main")))
    places = [(await client.post(CHAT, json=ASK, headers=ASYNC)).headers["location"] for _ in range(2)]
    waiting = [asyncio.create_task(client.get(one, headers={"prefer": "wait=300"})) for one in places]
    watching = served.gateway._batches._notifier
    assert watching is not None

    async def watchers() -> int:
        return watching._watchers

    await until(watchers, lambda count: count == 2)
    await client.delete(places[0])
    async with asyncio.timeout(30):
        assert (await waiting[0]).json()["status"] == "cancelled"
        served.gateway.leave()
        assert (await waiting[1]).json()["status"] == "queued"


async def test_too_many_watchers_are_refused(
    client: httpx.AsyncClient, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier, "MOST", 0)
    await served.gateway.swap(with_windows(served.gateway.serving.config, closed_window("main")))
    place = (await client.post(CHAT, json=ASK, headers=ASYNC)).headers["location"]
    refused = await client.get(place + "/events")
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too_many_watchers")
