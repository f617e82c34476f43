"""`sluice batch` against a gateway: submit, follow, fetch, cancel, and what it says when something is wrong."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from doubles.batching import closed_window, jsonl, line, with_windows
from doubles.behaviours import text
from doubles.scripted import Scripted
from doubles.serve import Served, backend, config, route, serving
from sluice_cli.batch.command import batch


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with Scripted() as up:
        up.otherwise(text("Bonjour"))
        async with serving(config(route([backend(up.url)])), batches=tmp_path / "batch") as gateway:
            yield gateway


async def ran(url: str, *arguments: str | Path) -> Result:
    command = [str(one) for one in arguments] + ["--base-url", url]
    return await asyncio.to_thread(CliRunner().invoke, batch, command)


async def test_a_file_goes_through(served: Served, tmp_path: Path) -> None:
    file = tmp_path / "asks.jsonl"
    file.write_bytes(jsonl([line("a"), line("b", "Other")]))
    made = await ran(served.url, "submit", file, "--wait")
    assert made.exit_code == 0, made.output
    id_ = made.stdout.split()[0]
    shown = await ran(served.base_url, "status", id_)
    assert shown.exit_code == 0
    assert "completed" in shown.stdout
    fetched = await ran(served.url, "results", id_, "-o", tmp_path / "answers.jsonl")
    assert fetched.exit_code == 0, fetched.output
    answers = [orjson.loads(one) for one in (tmp_path / "answers.jsonl").read_bytes().splitlines()]
    assert [one["custom_id"] for one in answers] == ["a", "b"]
    none = await ran(served.url, "results", id_, "--errors")
    assert none.exit_code == 1
    assert "has no errors" in none.output


async def test_a_bad_file_is_told_by_line(served: Served, tmp_path: Path) -> None:
    file = tmp_path / "asks.jsonl"
    file.write_bytes(jsonl([line("a"), line("a")]))
    made = await ran(served.url, "submit", file, "--wait")
    assert made.exit_code == 1
    assert "line 2: The custom_id 'a' of line 1 comes again" in made.stderr


async def test_a_batch_is_taken_back(served: Served, tmp_path: Path) -> None:
    await served.gateway.swap(with_windows(served.gateway.serving.config, closed_window("main")))
    file = tmp_path / "asks.jsonl"
    file.write_bytes(jsonl([line("a")]))
    id_ = (await ran(served.url, "submit", file)).stdout.split()[0]
    taken = await ran(served.url, "cancel", id_)
    assert taken.exit_code == 0
    assert "cancel" in taken.stdout
    assert (await ran(served.url, "status", id_, "--wait")).exit_code == 1


async def test_webhooks_are_sent_again(served: Served, tmp_path: Path) -> None:
    for wrong, says in (
        (("nothing",), "No webhook of 'nothing' is kept"),
        ((), "name a batch, or a time"),
        (("--since", "once"), '"once" is not a time'),
    ):
        said = await ran(served.url, "replay", *wrong)
        assert said.exit_code != 0
        assert says in said.output
    assert (await ran(served.url, "replay", "--since", "2h")).stdout == "0 webhooks will be sent again\n"
    file = tmp_path / "asks.jsonl"
    file.write_bytes(jsonl([line("a")]))
    refused = await ran(served.url, "submit", file, "--webhook", "https://hooks.example.com/in")
    assert "no BatchWindow with webhooks names the route main" in refused.output


async def test_what_cannot_be_is_told_with_its_cure(served: Served, tmp_path: Path) -> None:
    file = tmp_path / "asks.txt"
    file.write_text("hello\n")
    assert "the first line names no url" in (await ran(served.url, "submit", file)).output
    assert "No batch found with id 'nothing'" in (await ran(served.url, "status", "nothing")).output
    assert "nothing listens at" in (await ran("http://127.0.0.1:9", "status")).output
