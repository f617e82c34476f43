"""OpenAI's SDK runs a batch as it does at OpenAI: upload, create, poll, fetch output and errors."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from openai import AsyncOpenAI

from doubles.batching import closed_window, jsonl, line, until, with_windows
from doubles.behaviours import error, text
from doubles.scripted import Gate, Scripted
from doubles.serve import Served, backend, config, route, serving

DONE = ("completed", "failed", "cancelled", "expired")


@pytest.fixture
async def up() -> AsyncIterator[Scripted]:
    async with Scripted() as scripted:
        yield scripted


@pytest.fixture
async def served(up: Scripted, tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(config(route([backend(up.url)])), batches=tmp_path / "batch") as gateway:
        yield gateway


@pytest.fixture
async def client(served: Served) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=served.base_url, api_key="k", max_retries=0) as sdk:
        yield sdk


async def submit(client: AsyncOpenAI, *lines: Any, **more: Any) -> str:
    file = await client.files.create(file=("asks.jsonl", jsonl(lines)), purpose="batch")
    made = await client.batches.create(
        input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h", **more
    )
    assert made.status == "validating"
    return made.id


async def ended(client: AsyncOpenAI, id_: str) -> Any:
    return await until(lambda: client.batches.retrieve(id_), lambda batch: batch.status in DONE)


async def test_answers_come_in_the_order_of_the_input(client: AsyncOpenAI, up: Scripted) -> None:
    up.otherwise(text("Bonjour"))
    batch = await ended(client, await submit(client, line("a"), line("b", "Other"), metadata={"for": "tests"}))
    assert batch.status == "completed"
    assert batch.errors is None
    assert batch.error_file_id is None
    assert (batch.request_counts.total, batch.request_counts.completed, batch.request_counts.failed) == (2, 2, 0)
    assert batch.metadata == {"for": "tests"}
    content = await client.files.content(batch.output_file_id)
    found = [orjson.loads(one) for one in content.read().splitlines()]
    assert [one["custom_id"] for one in found] == ["a", "b"]
    assert {one["response"]["status_code"] for one in found} == {200}
    assert found[0]["response"]["body"]["choices"][0]["message"]["content"] == "Bonjour"
    assert found[0]["error"] is None


async def test_a_refused_request_is_in_the_error_file(client: AsyncOpenAI, up: Scripted) -> None:
    up.answer(error(400)).otherwise(text("fine"))
    batch = await ended(client, await submit(client, line("only")))
    assert batch.status == "completed"
    assert batch.output_file_id is None
    found = orjson.loads((await client.files.content(batch.error_file_id)).read())
    assert found["custom_id"] == "only"
    assert found["response"]["status_code"] == 400
    assert batch.request_counts.failed == 1


async def test_a_bad_file_is_told_by_line_and_nothing_runs(client: AsyncOpenAI, up: Scripted) -> None:
    other = line("c") | {"url": "/v1/embeddings"}
    lines = [line("a"), "{broken", line("a"), other, line("d", model="nobody"), line("e") | {"method": "GET"}]
    batch = await ended(client, await submit(client, *lines))
    assert batch.status == "failed"
    told = [(one.line, one.code) for one in batch.errors.data]
    assert told == [
        (2, "invalid_json_line"), (3, "duplicate_custom_id"), (4, "mismatched_endpoint"), (5, "mismatched_model"),
        (6, "invalid_method"),
    ]  # fmt: skip
    assert up.count == 0


async def test_a_cancelled_batch_keeps_what_is_done(client: AsyncOpenAI, up: Scripted) -> None:
    gate = Gate()
    up.otherwise(text("late", gate=gate))
    id_ = await submit(client, *(line(str(n), f"ask {n}") for n in range(9)))
    await up.arrived(4)
    batch = await client.batches.cancel(id_)
    assert batch.status == "cancelling"
    gate.open()
    batch = await ended(client, id_)
    assert batch.status == "cancelled"
    assert batch.request_counts.completed == 4
    assert up.count == 4
    lines = (await client.files.content(batch.output_file_id)).read().splitlines()
    assert len(lines) == 4


async def test_files_are_listed_and_deleted(client: AsyncOpenAI) -> None:
    made = [await client.files.create(file=(f"{n}.jsonl", b"{}\n"), purpose="batch") for n in range(3)]
    listed = [file.id async for file in client.files.list(limit=2)]
    assert listed == [file.id for file in reversed(made)]
    assert (await client.files.delete(made[0].id)).deleted
    assert [file.id async for file in client.files.list()] == [made[2].id, made[1].id]
    assert (await client.files.retrieve(made[1].id)).bytes == 3


async def test_batches_are_listed_newest_first(client: AsyncOpenAI, up: Scripted) -> None:
    up.otherwise(text())
    made = [await submit(client, line("a")) for _ in range(3)]
    assert [batch.id async for batch in client.batches.list(limit=2)] == made[::-1]


async def test_a_closed_window_holds_a_batch_until_it_opens(client: AsyncOpenAI, up: Scripted, served: Served) -> None:
    up.otherwise(text())
    plain = served.gateway.serving.config
    await served.gateway.swap(with_windows(plain, closed_window("main")))
    id_ = await submit(client, line("a"))
    waits = await until(lambda: client.batches.retrieve(id_), lambda batch: batch.status == "in_progress")
    assert waits.request_counts is not None
    assert waits.request_counts.completed == 0
    assert up.count == 0
    await served.gateway.swap(plain)
    assert (await ended(client, id_)).status == "completed"


async def test_what_comes_too_late_for_its_window_runs_outside(
    client: AsyncOpenAI, up: Scripted, served: Served
) -> None:
    up.otherwise(text())
    hurried = closed_window("main", deadline=0.001)
    await served.gateway.swap(with_windows(served.gateway.serving.config, hurried))
    assert (await ended(client, await submit(client, line("a")))).status == "completed"


async def test_a_window_may_refuse_what_it_cannot_do_in_time(client: AsyncOpenAI, served: Served) -> None:
    strict = closed_window("main", deadline=60.0, missed="Fail")
    await served.gateway.swap(with_windows(served.gateway.serving.config, strict))
    batch = await ended(client, await submit(client, line("a")))
    assert batch.status == "failed"
    assert batch.errors.data[0].code == "deadline_before_window"
