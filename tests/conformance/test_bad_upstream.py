"""What upstreams do wrong: the caller gets one clear error, in time, and nothing is made up."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from doubles import behaviours as do
from doubles.scripted import Behaviour, Scripted
from doubles.serve import Served, backend, config, route, serving
from sluice_sidecar.config import Resilience, Retries

ASK: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": "Hello?"}]}


@pytest.fixture
async def served(up: Scripted) -> AsyncIterator[Served]:
    hasty = Resilience(connect=0.5, first_token=0.5, total=1.5, retries=Retries(attempts=1))
    async with serving(config(route([backend(up.url)], resilience=hasty))) as one:
        yield one


async def ask(served: Served, stream: bool = False) -> httpx.Response:
    async with httpx.AsyncClient(timeout=10) as client:
        return await client.post(served.base_url + "/chat/completions", json={**ASK, "stream": stream})


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("behaviour", "status"),
    [
        pytest.param(lambda: do.reset(), 502, id="resets"),
        pytest.param(lambda: do.stall(), 504, id="stalls"),
        pytest.param(lambda: do.html(500), 500, id="500 with HTML"),
        pytest.param(lambda: do.error(503), 503, id="503"),
        pytest.param(lambda: do.raw_body(b"<html>", headers={"content-type": "text/html"}), 502, id="200 with HTML"),
    ],
)
async def test_before_the_first_byte(
    up: Scripted, served: Served, behaviour: Callable[[], Behaviour], status: int, stream: bool
) -> None:
    up.otherwise(behaviour())
    answer = await ask(served, stream)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["message"]
    assert "<html>" not in error["message"]


async def test_invalid_json(up: Scripted, served: Served) -> None:
    up.answer(do.invalid_json())
    answer = await ask(served)
    assert answer.status_code == 502
    assert answer.json()["error"]["code"] == "bad_upstream_answer"


async def test_an_error_inside_200_is_passed_and_counted_as_one(up: Scripted, served: Served) -> None:
    up.answer(do.error_inside("model overloaded"))
    answer = await ask(served)
    assert "model overloaded" in answer.json()["error"]["message"]
    assert served.gateway.ledger.recent(1)[0]["error"]


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(lambda: do.half_event(), id="half an event, then closes"),
        pytest.param(lambda: do.half_event(clean=True), id="half an event, then ends as if well"),
        pytest.param(lambda: do.reset("piece"), id="resets in mid stream"),
        pytest.param(lambda: do.stall(after="piece"), id="stalls in mid stream"),
    ],
)
async def test_a_broken_stream_ends_with_an_error_event(
    up: Scripted, served: Served, behaviour: Callable[[], Behaviour]
) -> None:
    up.answer(behaviour())
    answer = await ask(served, stream=True)
    assert answer.status_code == 200
    events = [line for line in answer.text.split("\n\n") if line]
    assert events[0].startswith("data: ")
    assert '"error"' in events[-1]
    assert "[DONE]" not in answer.text


async def test_a_stream_without_end_is_ended(up: Scripted, served: Served) -> None:
    up.answer(do.endless())
    said = b""
    async with (
        httpx.AsyncClient(timeout=10) as client,
        client.stream("POST", served.base_url + "/chat/completions", json={**ASK, "stream": True}) as answer,
    ):
        async for chunk in answer.aiter_bytes():
            said = (said + chunk)[-2000:]
    assert b'"error"' in said
    await asyncio.wait_for(up.requests[0].gone.wait(), 30)


async def test_nothing_is_retried_after_the_first_byte(up: Scripted) -> None:
    patient = Resilience(retries=Retries(attempts=3, budget=1.0))
    async with serving(config(route([backend(up.url)], resilience=patient))) as served:
        up.answer(do.reset("piece")).otherwise(do.text("A second answer."))
        answer = await ask(served, stream=True)
    assert "A second answer" not in answer.text
    assert up.count == 1


async def test_events_split_within_characters_arrive_whole(up: Scripted, served: Served) -> None:
    up.answer(do.text(["grüße ", "日本語 ", "🎉"], cut=1))
    answer = await ask(served, stream=True)
    assert "".join(p for p in ("grüße", "日本語", "🎉") if p in answer.text) == "grüße日本語🎉"


async def test_nobody_listens(served: Served) -> None:
    nowhere = config(route([backend("http://127.0.0.1:9/v1")], resilience=Resilience(retries=Retries(attempts=1))))
    async with serving(nowhere) as other:
        answer = await ask(other)
    assert answer.status_code == 502


async def test_private_addresses_are_not_reached() -> None:
    inward = config(route([backend("http://10.0.0.1/v1")]))
    async with serving(inward) as served:
        answer = await ask(served)
    assert answer.status_code == 502
    assert "egress" in answer.json()["error"]["message"]
