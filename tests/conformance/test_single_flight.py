"""Equal asks at the same time make one upstream call, streams too, and nobody is hurt by who leaves."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from doubles import behaviours as do
from doubles.scripted import Gate, Scripted
from doubles.serve import Served, backend, config, policy, route, serving

ASK: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": "How do I reset my password?"}]}


@pytest.fixture
async def served(up: Scripted) -> AsyncIterator[Served]:
    async with serving(config(route([backend(up.url)], policy="keep"), policies=[policy()])) as one:
        yield one


@pytest.fixture
async def client(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=served.base_url, timeout=20) as one:
        yield one


async def waiting(served: Served, count: int) -> None:
    """Until that many requests are being answered."""
    while (await served.gateway.telemetry())["inflight"][""][0] < count:
        await asyncio.sleep(0.005)


async def test_twenty_equal_asks_make_one_call(up: Scripted, served: Served, client: httpx.AsyncClient) -> None:
    gate = Gate()
    up.answer(do.text("One answer.", gate=gate))
    asks = [asyncio.create_task(client.post("/chat/completions", json=ASK)) for _ in range(20)]
    await waiting(served, 20)
    gate.open()
    answers = [await one for one in asks]
    assert {one.json()["choices"][0]["message"]["content"] for one in answers} == {"One answer."}
    assert up.count == 1


async def test_a_follower_of_a_stream_gets_the_leader_s_chunks_live(
    up: Scripted, served: Served, client: httpx.AsyncClient
) -> None:
    gate = Gate()
    up.answer(do.text(["one ", "two ", "three"], gate=gate))
    streaming = {**ASK, "stream": True}
    async with client.stream("POST", "/chat/completions", json=streaming) as leader:
        leads = leader.aiter_text()
        seen = await anext(leads)
        async with client.stream("POST", "/chat/completions", json=streaming) as follower:
            follows = follower.aiter_text()
            first = ""
            while "one " not in first:  # it comes while the upstream still holds the rest back
                first += await anext(follows)
            gate.open()
            rest = first + "".join([chunk async for chunk in follows])
        whole = seen + "".join([chunk async for chunk in leads])
    assert "three" in rest
    assert rest.endswith("data: [DONE]\n\n")
    assert whole == rest
    assert up.count == 1


async def test_a_follower_that_wants_a_whole_gets_one(up: Scripted, served: Served, client: httpx.AsyncClient) -> None:
    gate = Gate()
    up.answer(do.text(["one ", "two"], gate=gate))
    async with client.stream("POST", "/chat/completions", json={**ASK, "stream": True}) as leader:
        follower = asyncio.create_task(client.post("/chat/completions", json=ASK))
        await waiting(served, 2)
        gate.open()
        await leader.aread()
    assert (await follower).json()["choices"][0]["message"]["content"] == "one two"
    assert up.count == 1


async def test_a_leader_who_leaves_does_not_hurt_followers(
    up: Scripted, served: Served, client: httpx.AsyncClient
) -> None:
    gate = Gate()
    up.answer(do.text("Still here.", gate=gate))
    leader = asyncio.create_task(client.post("/chat/completions", json=ASK))
    await up.arrived(1)
    follower = asyncio.create_task(client.post("/chat/completions", json=ASK))
    await waiting(served, 2)
    leader.cancel()
    await asyncio.gather(leader, return_exceptions=True)
    gate.open()
    assert (await follower).json()["choices"][0]["message"]["content"] == "Still here."
    assert not up.requests[0].gone.is_set()


async def test_the_last_to_leave_stops_the_upstream(up: Scripted, served: Served, client: httpx.AsyncClient) -> None:
    up.answer(do.stall())
    asks = [asyncio.create_task(client.post("/chat/completions", json=ASK)) for _ in range(3)]
    await waiting(served, 3)
    await up.arrived(1)
    for one in asks:
        one.cancel()
    await asyncio.gather(*asks, return_exceptions=True)
    await asyncio.wait_for(up.requests[0].gone.wait(), 2)


async def test_an_error_reaches_every_follower_and_is_not_kept(
    up: Scripted, served: Served, client: httpx.AsyncClient
) -> None:
    gate = Gate()
    up.answer(do.json_body({"error": {"message": "no", "type": "x"}}, status=400, gate=gate), do.text("Better."))
    asks = [asyncio.create_task(client.post("/chat/completions", json=ASK)) for _ in range(3)]
    await waiting(served, 3)
    gate.open()
    assert [(await one).status_code for one in asks] == [400] * 3
    assert (await client.post("/chat/completions", json=ASK)).status_code == 200
