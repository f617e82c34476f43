"""`Prefer: respond-async` at any endpoint: 202, where to look, the answer itself when it is there."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from doubles.batching import closed_window, with_windows
from doubles.behaviours import error, text
from doubles.scripted import Gate, Scripted
from doubles.serve import Served, backend, config, policy, route, serving

ASK: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": "Hello"}], "stream": True}
CHAT = "/v1/chat/completions"
ASYNC = {"prefer": "respond-async"}


@pytest.fixture
async def up() -> AsyncIterator[Scripted]:
    async with Scripted() as scripted:
        yield scripted


@pytest.fixture
async def served(up: Scripted, tmp_path: Path) -> AsyncIterator[Served]:
    ready = config(route([backend(up.url)], policy="keep"), policies=[policy()])
    async with serving(ready, batches=tmp_path / "batch") as gateway:
        yield gateway


@pytest.fixture
async def client(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=served.url) as http:
        yield http


async def test_the_answer_is_fetched_later(client: httpx.AsyncClient, up: Scripted) -> None:
    gate = Gate()
    up.otherwise(text("Bonjour", gate=gate))
    made = await client.post(CHAT, json=ASK, headers=ASYNC)
    assert made.status_code == 202
    assert made.headers["preference-applied"] == "respond-async"
    place = made.headers["location"]
    assert made.json()["status"] == "queued"
    await up.arrived(1)
    early = await client.get(place + "/result")
    assert early.status_code == 202
    assert early.json()["status"] == "running"
    gate.open()
    done = await client.get(place + "/result", headers={"prefer": "wait=20"})
    assert done.status_code == 200
    assert done.json()["choices"][0]["message"]["content"] == "Bonjour"
    status = (await client.get(place)).json()
    assert status["status"] == "completed"
    assert status["result"] == place + "/result"


async def test_an_error_is_the_result_with_its_own_status(client: httpx.AsyncClient, up: Scripted) -> None:
    up.otherwise(error(400))
    place = (await client.post(CHAT, json=ASK, headers=ASYNC)).headers["location"]
    done = await client.get(place + "/result", headers={"prefer": "wait=20"})
    assert done.status_code == 400
    assert "error" in done.json()


async def test_the_cache_answers_deferred_requests_too(client: httpx.AsyncClient, up: Scripted) -> None:
    up.answer(text("once"))
    assert (await client.post(CHAT, json=ASK)).status_code == 200
    place = (await client.post(CHAT, json=ASK, headers=ASYNC)).headers["location"]
    done = await client.get(place + "/result", headers={"prefer": "wait=20"})
    assert done.json()["choices"][0]["message"]["content"] == "once"
    assert up.count == 1


async def test_an_idempotency_key_makes_one_request_of_two(client: httpx.AsyncClient, served: Served) -> None:
    await served.gateway.swap(with_windows(served.gateway.serving.config, closed_window("main")))
    keyed = ASYNC | {"idempotency-key": "k1"}
    first = await client.post(CHAT, json=ASK, headers=keyed)
    again = await client.post(CHAT, json=ASK, headers=keyed)
    assert first.headers["location"] == again.headers["location"]
    other = await client.post(CHAT, json=ASK | {"temperature": 1}, headers=keyed)
    assert other.status_code == 422
    assert other.json()["error"]["code"] == "idempotency_key_reused"


async def test_place_in_the_queue_and_taking_it_back(client: httpx.AsyncClient, served: Served, up: Scripted) -> None:
    await served.gateway.swap(with_windows(served.gateway.serving.config, closed_window("main")))
    places = [(await client.post(CHAT, json=ASK, headers=ASYNC)).headers["location"] for _ in range(3)]
    urgent = (await client.post(CHAT, json=ASK, headers=ASYNC | {"priority": "u=0"})).headers["location"]
    shown = [(await client.get(place)).json()["position"] for place in [urgent, *places]]
    assert shown == [1, 2, 3, 4]
    assert (await client.delete(places[0])).json()["status"] == "cancelled"
    gone = await client.get(places[0] + "/result")
    assert gone.status_code == 410
    assert gone.json()["error"]["code"] == "request_cancelled"
    assert up.count == 0


async def test_a_bad_request_is_refused_at_once(client: httpx.AsyncClient) -> None:
    bad = await client.post(CHAT, json=ASK | {"model": "nobody"}, headers=ASYNC)
    assert bad.status_code == 404
    assert bad.json()["error"]["code"] == "model_not_found"


async def test_without_a_queue_it_is_answered_at_once_and_batches_are_refused(up: Scripted) -> None:
    up.otherwise(text())
    async with serving(config(route([backend(up.url)]))) as plain, httpx.AsyncClient(base_url=plain.url) as http:
        assert (await http.post(CHAT, json=ASK | {"stream": False}, headers=ASYNC)).status_code == 200
        refused = await http.get("/v1/batches")
        assert refused.status_code == 501
        assert refused.json()["error"]["code"] == "batches_not_served"
