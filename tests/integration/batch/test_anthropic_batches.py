"""Anthropic's SDK runs a message batch as it does at Anthropic."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anthropic
import pytest
from anthropic import AsyncAnthropic

from doubles.batching import until
from doubles.behaviours import text
from doubles.scripted import Gate, Scripted
from doubles.serve import backend, config, route, serving


@pytest.fixture
async def up() -> AsyncIterator[Scripted]:
    async with Scripted() as scripted:
        yield scripted


@pytest.fixture
async def client(up: Scripted, tmp_path: Path) -> AsyncIterator[AsyncAnthropic]:
    async with (
        serving(config(route([backend(up.url)])), batches=tmp_path / "batch") as gateway,
        AsyncAnthropic(base_url=gateway.url, api_key="k", max_retries=0) as sdk,
    ):
        yield sdk


def asked(custom_id: str, said: str = "Hello", model: str = "auto") -> Any:
    params = {"model": model, "max_tokens": 16, "messages": [{"role": "user", "content": said}]}
    return {"custom_id": custom_id, "params": params}


async def test_results_come_one_a_request(client: AsyncAnthropic, up: Scripted) -> None:
    up.otherwise(text("Bonjour"))
    made = await client.messages.batches.create(requests=[asked("a"), asked("b", model="nobody")])
    assert made.processing_status == "in_progress"
    assert made.request_counts.processing == 2
    batch = await until(
        lambda: client.messages.batches.retrieve(made.id), lambda found: found.processing_status == "ended"
    )
    assert (batch.request_counts.succeeded, batch.request_counts.errored) == (1, 1)
    results = {one.custom_id: one.result async for one in await client.messages.batches.results(made.id)}
    good, bad = results["a"], results["b"]
    assert good.type == "succeeded"
    assert good.message.content[0].type == "text"
    assert good.message.content[0].text == "Bonjour"
    assert bad.type == "errored"
    assert bad.error.error.type == "not_found_error"
    assert up.requests[0].headers["anthropic-version"] == client.default_headers["anthropic-version"]
    listed = [found.id async for found in client.messages.batches.list()]
    assert listed == [made.id]
    await client.messages.batches.delete(made.id)
    with pytest.raises(anthropic.NotFoundError):
        await client.messages.batches.retrieve(made.id)


async def test_what_waits_of_a_cancelled_batch_is_canceled(client: AsyncAnthropic, up: Scripted) -> None:
    gate = Gate()
    up.otherwise(text("late", gate=gate))
    made = await client.messages.batches.create(requests=[asked(str(n), f"ask {n}") for n in range(7)])
    await up.arrived(4)
    assert (await client.messages.batches.cancel(made.id)).processing_status == "canceling"
    gate.open()
    batch = await until(
        lambda: client.messages.batches.retrieve(made.id), lambda found: found.processing_status == "ended"
    )
    assert (batch.request_counts.succeeded, batch.request_counts.canceled) == (4, 3)


async def test_a_bad_request_is_told_by_its_place(client: AsyncAnthropic) -> None:
    with pytest.raises(anthropic.BadRequestError, match=r"requests\.1\.custom_id: 'a' comes again"):
        await client.messages.batches.create(requests=[asked("a"), asked("a")])
