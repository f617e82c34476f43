"""A new Config reaches the next request; open ones end on the old; nothing is dropped, nothing mixed."""

import asyncio
from typing import Any

import httpx
import pytest

from doubles import behaviours as do
from doubles.running import PATIENCE
from doubles.scripted import Gate, Scripted
from doubles.serve import backend, config, route, serving
from sluice_sidecar.config import Config

ASK: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": "Who are you?"}]}


async def test_under_load_every_answer_is_of_one_config() -> None:
    """Backend a sets model name a, backend b sets b; an answer of a with b's name would be a mix."""
    async with Scripted() as a, Scripted() as b:
        a.otherwise(do.text("a"))
        b.otherwise(do.text("b"))
        first = config(route([backend(a.url, "a", model="model-a")]))
        second = config(route([backend(b.url, "b", model="model-b")]))
        async with serving(first) as served, httpx.AsyncClient(base_url=served.base_url, timeout=PATIENCE) as client:
            seen: list[tuple[int, str, str | None]] = []

            async def load() -> None:
                for _ in range(60):
                    answer = await client.post("/chat/completions", json=ASK)
                    said = answer.json()["choices"][0]["message"]["content"]
                    seen.append((answer.status_code, said, answer.headers["x-sluice-backend"]))

            loads = asyncio.gather(*[load() for _ in range(5)])
            swaps = 0
            while not loads.done():
                swaps += 1
                await served.gateway.swap(second if swaps % 2 else first)
                await asyncio.wait({loads}, timeout=0.01)
            await loads
        assert swaps > 10
        assert len(seen) == 300
        assert {status for status, _, _ in seen} == {200}
        assert all(said == name for _, said, name in seen)
        assert {said for _, said, _ in seen} == {"a", "b"}
        assert {request.json["model"] for request in a.requests} == {"model-a"}
        assert {request.json["model"] for request in b.requests} == {"model-b"}


async def test_an_open_stream_ends_on_the_old_config() -> None:
    async with Scripted() as a, Scripted() as b:
        gate = Gate()
        a.answer(do.text(["still ", "the ", "old"], gate=gate))
        b.otherwise(do.text("new"))
        async with (
            serving(config(route([backend(a.url)]))) as served,
            httpx.AsyncClient(base_url=served.base_url, timeout=PATIENCE) as client,
            client.stream("POST", "/chat/completions", json={**ASK, "stream": True}) as stream,
        ):
            await served.gateway.swap(config(route([backend(b.url)])))
            answer = await client.post("/chat/completions", json=ASK)
            gate.open()
            text = "".join([chunk async for chunk in stream.aiter_text()])
    assert answer.json()["choices"][0]["message"]["content"] == "new"
    assert "old" in text
    assert text.endswith("data: [DONE]\n\n")


async def test_a_route_that_needs_more_is_refused_and_the_rest_served() -> None:
    async with Scripted() as up:
        up.otherwise(do.text("fine"))
        good, future = (
            route([backend(up.url)]),
            route([backend(up.url)], name="next", models=("next",), requires=("telepathy",)),
        )
        async with serving(config(good, future)) as served, httpx.AsyncClient(timeout=PATIENCE) as client:
            fine = await client.post(served.base_url + "/chat/completions", json=ASK)
            missing = await client.post(served.base_url + "/chat/completions", json={**ASK, "model": "next"})
            shown = (await client.get(served.admin + "/-/config")).json()
    assert fine.status_code == 200
    assert missing.status_code == 404
    assert "telepathy" in shown["refused"]["next"]


async def test_a_config_of_a_later_schema_is_refused_whole() -> None:
    async with Scripted() as up:
        up.otherwise(do.text("fine"))
        async with serving(config(route([backend(up.url)]))) as served, httpx.AsyncClient(timeout=PATIENCE) as client:
            with pytest.raises(ValueError, match="upgrade the gateway"):
                await served.gateway.swap(Config(schema_version=2))
            answer = await client.post(served.base_url + "/chat/completions", json=ASK)
    assert answer.status_code == 200
