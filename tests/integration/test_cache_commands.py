"""`sluice cache` on a gateway's real admin port: what it shows, drops, fills and moves, and how it fails."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from doubles import behaviours as do
from doubles.bookkeeping import Gateway
from doubles.scripted import Scripted
from doubles.serve import Served, backend, config, policy, route, serving
from sluice_cli.main import main
from sluice_sidecar.admin.admin import Admin
from sluice_sidecar.server import Listener

OPEN: dict[str, Any] = {
    "open": True, "reason": "bound held", "bound": 0.0083, "promised": 0.01, "threshold": 0.912, "labels": 1840.4,
    "errors": 6.0, "needed": 0.0, "served": 2210, "shadowed": 31, "drift": 0.04, "suspected": False, "history": [],
}  # fmt: skip
SHUT = {**OPEN, "open": False, "reason": "evidence", "threshold": None, "bound": 1.0, "needed": 119.6}
HIT = {
    "request": "r1", "at": 0.0, "tenant": "acme", "policy": "faq", "strategy": "label", "score": 0.99,
    "similarity": 0.9, "asked": "may I\x1b[31m\nreturn it?", "filled": "can it go back?", "entry": "0" * 32,
}  # fmt: skip


async def sluice(*words: str, stdin: bytes | None = None) -> Result:
    """`sluice cache WORDS`, in a thread: the gateway answers in this one."""
    return await asyncio.to_thread(CliRunner().invoke, main, ["cache", *words], stdin)


@pytest.fixture
async def told() -> AsyncIterator[tuple[Gateway, str]]:
    """A gateway that says what it is told, and its admin address."""
    gateway = Gateway(proven={"faq": {"label": OPEN, "paraphrase": SHUT}}, reused=[HIT])
    listener = Listener(Admin(gateway), socket.create_server(("127.0.0.1", 0)))
    await listener.start()
    yield gateway, f"127.0.0.1:{listener.address[1]}"
    listener.stop_accepting()
    await listener.cut()


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A whole gateway with a store."""
    async with Scripted() as up:
        up.otherwise(do.text("asked anew"))
        kept = config(route([backend(up.url)], policy="keep"), policies=[policy()])
        async with serving(kept, data=tmp_path / "data") as one:
            yield one


async def test_evidence_says_open_or_closed_and_what_is_missing(told: tuple[Gateway, str]) -> None:
    shown = await sluice("evidence", "--admin", told[1])
    header, label, paraphrase = shown.stdout.splitlines()
    assert header.split()[:4] == ["policy", "strategy", "state", "bound"]
    assert " ".join(label.split()) == "faq label open 0.83 % of 1 % 0.912 1840 6 31 of 2210 0.04 bound held"
    assert paraphrase.rstrip().endswith("not enough evidence yet")
    assert "about 120" in paraphrase
    one = await sluice("evidence", "faq", "--admin", told[1], "--json")
    assert json.loads(one.stdout) == {"faq": {"label": OPEN, "paraphrase": SHUT}}
    none = await sluice("evidence", "fag", "--admin", told[1])
    assert (none.exit_code, "for: faq" in none.stderr) == (1, True)


async def test_hits_stand_beside_their_questions_and_command_no_terminal(told: tuple[Gateway, str]) -> None:
    shown = await sluice("hits", "--admin", told[1], "--limit", "5")
    assert "faq  label  score 0.990  similarity 0.900" in shown.stdout
    assert "asked   may I [31m return it?" in shown.stdout
    assert "filled  can it go back?" in shown.stdout
    assert "\x1b" not in shown.stdout
    assert json.loads((await sluice("hits", "--admin", told[1], "--json")).stdout) == [HIT]


async def test_nothing_to_show_is_said(told: tuple[Gateway, str]) -> None:
    told[0].proven, told[0].reused = {}, []
    assert "no evidence yet" in (await sluice("evidence", "--admin", told[1])).stdout
    assert "no answer was reused" in (await sluice("hits", "--admin", told[1])).stdout


async def test_a_purge_says_what_it_drops(told: tuple[Gateway, str]) -> None:
    assert (
        await sluice("purge", "--admin", told[1], "--policy", "faq", "--tenant", "acme")
    ).stdout == "dropped 3 answers\n"
    assert told[0].purged == [{"policy": "faq", "tenant": "acme", "entry": None}]
    assert (await sluice("purge", "--admin", told[1])).exit_code == 2


@pytest.mark.parametrize("words", [["evidence"], ["hits"], ["purge", "--policy", "p"], ["export", "--policy", "p"]])
async def test_where_nothing_listens_it_says_what_to_start(words: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
    failed = await sluice(*words, "--admin", address)
    assert failed.exit_code == 1
    assert f"nothing listens at {address}: start `sluice run FILE`" in failed.stderr


async def test_the_data_port_is_told_apart(served: Served) -> None:
    failed = await sluice("evidence", "--admin", served.url)
    assert failed.exit_code == 1
    assert "answers 404 to /-/evidence: is it a gateway's admin port" in failed.stderr
    assert (await sluice("evidence", "--admin", "ftp://x")).exit_code == 2


def exchange(number: int, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": f"answer {number}"}, "finish_reason": "stop"}
    asked = {"model": "gpt-4o", "messages": [{"role": "user", "content": f"question {number}"}]}
    return {"request": asked, "response": {"object": "chat.completion", "choices": [choice]}, **more}


async def test_a_log_is_imported_exported_and_goes_on_after_wrong_lines(served: Served, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    lines = [json.dumps(exchange(number)) for number in range(230)]
    lines[3], lines[200] = "{", json.dumps(exchange(200, created="x"))
    log.write_text("\n".join([*lines, json.dumps(exchange(900, created=5))]) + "\n\n")
    common = ("--policy", "keep", "--admin", served.admin)
    first = await sluice("import", str(log), *common, "--model", "auto")
    assert first.exit_code == 1
    assert f"{log}:4: it is not JSON" in first.stderr
    assert f"{log}:201: created: seconds belong here" in first.stderr
    assert "228 stored, 0 known already, 1 too old, 2 wrong" in first.stderr
    again = await sluice("import", str(log), *common, "--model", "auto", "--from-line", "202")
    assert again.exit_code == 0
    assert "29 stored, 0 known already, 1 too old, 0 wrong" in again.stderr
    shown = await sluice("export", *common)
    assert shown.stderr == "228 answers\n"
    await sluice("purge", "--admin", served.admin, "--policy", "keep")
    back = await sluice("import", "-", *common, stdin=shown.stdout_bytes)
    assert "228 stored" in back.stderr


async def test_a_batch_is_joined_from_its_two_files(served: Served, tmp_path: Path) -> None:
    one = exchange(1)
    asked, output = tmp_path / "input.jsonl", tmp_path / "output.jsonl"
    asked.write_text(json.dumps({"custom_id": "a", "url": "/v1/chat/completions", "body": one["request"]}) + "\n")
    output.write_text(json.dumps({"custom_id": "a", "response": {"status_code": 200, "body": one["response"]}}))
    words = ("import", str(output), "--policy", "keep", "--admin", served.admin, "--model", "auto")
    assert "1 stored" in (await sluice(*words, "--requests", str(asked))).stderr
    assert "--requests FILE" in (await sluice(*words)).stderr


async def test_a_gateway_that_goes_away_tells_where_to_go_on(told: tuple[Gateway, str], tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text("\n".join(json.dumps(exchange(number)) for number in range(150)))

    async def gone(policy: str, lines: bytes) -> Any:
        if len(told[0].brought) == 1:
            raise OSError("away")
        told[0].brought.append((policy, lines))
        return {"stored": 100, "known": 0, "expired": 0, "refused": [], "store": "open"}

    told[0].import_entries = gone  # type: ignore[method-assign]
    failed = await sluice("import", str(log), "--policy", "keep", "--admin", told[1])
    assert failed.exit_code == 1
    assert "100 stored" in failed.stderr
    assert "go on with --from-line 101" in failed.stderr


async def test_an_unknown_policy_is_told_with_the_known_ones(served: Served) -> None:
    failed = await sluice("export", "--policy", "kept", "--admin", served.admin)
    assert (failed.exit_code, "known: keep" in failed.stderr) == (1, True)
