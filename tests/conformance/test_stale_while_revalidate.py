"""An answer a little past its time is given at once and fetched again behind it, once."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from doubles import behaviours as do
from doubles.running import PATIENCE
from doubles.scripted import Gate, Scripted
from doubles.serve import Served, backend, config, policy, route, serving

ASK: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": "How do I reset my password?"}]}


@pytest.fixture
async def served(up: Scripted) -> AsyncIterator[Served]:
    brief = policy(ttl=0.05, stale_while_revalidate=600.0)
    async with serving(config(route([backend(up.url)], policy="keep"), policies=[brief])) as one:
        yield one


async def ask(served: Served) -> httpx.Response:
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        return await client.post(served.base_url + "/chat/completions", json=ASK)


def said(answer: httpx.Response) -> str:
    return str(answer.json()["choices"][0]["message"]["content"])


async def test_a_stale_answer_is_given_and_refreshed_once(up: Scripted, served: Served) -> None:
    gate = Gate()
    up.answer(do.text("Old."), do.text("New.", gate=gate))
    assert said(await ask(served)) == "Old."
    while (await served.gateway.telemetry())["inflight"][""][0]:
        await asyncio.sleep(0.001)
    assert served.gateway.cache is not None
    stale = await asyncio.gather(*[_until_stale(served) for _ in range(5)])
    assert {said(one) for one in stale} == {"Old."}
    await up.arrived(2)
    gate.open()
    while said(await ask(served)) == "Old.":
        await asyncio.sleep(0.005)
    assert up.requests[1].json["messages"] == ASK["messages"]


async def _until_stale(served: Served) -> httpx.Response:
    """An answer given after its time."""
    while True:
        answer = await ask(served)
        if served.gateway.ledger.recent(1)[0]["cache"] == "stale":
            return answer


async def test_a_failed_refresh_leaves_the_stale_answer(up: Scripted, served: Served) -> None:
    up.answer(do.text("Old.")).otherwise(do.error(400))
    await ask(served)
    await _until_stale(served)
    await up.arrived(2)
    answer = await ask(served)
    assert answer.status_code == 200
    assert said(answer) == "Old."
