"""Hostile documents and answers: long ones are read off the event loop, odd ones are not read, none raises."""

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from doubles.cached import Hands, printed, put
from doubles.classes import said
from doubles.invoices import invoices
from doubles.shelf import Shelf
from sluice_sidecar.cache import layouts
from sluice_sidecar.cache.cache import Cache
from sluice_sidecar.cache.look import Look
from sluice_sidecar.cache.reuse.template import induce, strategy

FULL = strategy.LONGEST - 200


def head(number: int) -> str:
    return (
        "ACME Supplies GmbH\nIndustrial Road 5, 20095 Hamburg\n\n"
        f"Invoice number: R-{number}\nTotal due: {number}.50 EUR\nThank you for your order.\n"
    )


FILLERS: dict[str, str] = {
    "10,000 lines": "".join(f"{number}\n" for number in range(10_000)),
    "one line": "7 up " * FULL,
    "commas": "1." * FULL,
    "colons": "a:" * FULL,
    "blanks": "a" + " " * FULL,
    "bars": "|" * FULL,
    "dates": "01.02.2026 " * FULL,
    "digits": "1" * FULL,
}


async def asked(cache: Cache, text: str, answer: str) -> Look:
    kept = invoices()
    fp = printed(text, kept=kept)
    look = await cache.look(fp, kept)
    if look.hit is None:
        await put(cache, fp, kept, whole=said(answer), look=look)
    return look


def cache() -> Cache:
    clock = Hands()
    return Cache(Shelf(), None, clock=clock, monotonic=clock)


@pytest.mark.parametrize("name", ["10,000 lines", "commas", "colons"])
async def test_a_long_document_is_never_read_on_the_event_loop(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where: dict[str, set[bool]] = {"signature": set(), "induce": set()}

    def watched(what: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            where[what].add(threading.current_thread() is threading.main_thread())
            return real(*args)

        return call

    for what in ("signature", "induce"):
        monkeypatch.setattr(layouts, what, watched(what, getattr(layouts, what)))
    one = cache()
    for number in (101, 202, 303, 404):
        text = head(number) + FILLERS[name][:4_000]
        await asked(one, text, json.dumps({"number": f"R-{number}", "total": number + 0.5}))
    assert where["signature"] == {False}
    assert where["induce"] == {False}


@pytest.mark.parametrize("name", FILLERS)
def test_what_is_longer_is_no_document(name: str) -> None:
    assert strategy.is_document(head(1) + FILLERS[name][:FULL])
    assert not strategy.is_document(head(1) + (FILLERS[name] + "\n") * 40)


DEEP = '{"a":' * 1_000 + "1" + "}" * 1_000


@pytest.mark.parametrize(
    "answer",
    [DEEP, "[" * 1_000 + "]" * 1_000, '{"a":' * 300 + "1" + "}" * 300, "{" * 5_000, "I cannot read this.",
     '{"a": 1e999}', json.dumps({"total": 10**400}), '{"number": null}', "```json\n" * 2_000, ""],
)  # fmt: skip
async def test_an_odd_answer_among_siblings_costs_hits_at_most(answer: str) -> None:
    one = cache()
    for number in (101, 202, 303):
        await asked(one, head(number), json.dumps({"number": f"R-{number}", "total": number + 0.5}))
    await asked(one, head(404), answer)
    await asked(one, head(505), answer)
    look = await asked(one, head(606), json.dumps({"number": "R-606", "total": 606.5}))
    assert look.hit is None
    for judged in look.judged:
        read = json.loads(judged.proposal.entry.whole["choices"][0]["message"]["content"])
        assert read == {"number": "R-606", "total": 606.5}


async def test_the_same_documents_without_it_are_read() -> None:
    one = cache()
    for number in (101, 202, 303):
        await asked(one, head(number), json.dumps({"number": f"R-{number}", "total": number + 0.5}))
    assert len((await asked(one, head(606), "")).judged) == 1


async def test_learning_waits_in_line_and_drops_what_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    running, most, done = 0, 0, 0
    lock, learn = threading.Lock(), induce

    def counted(*args: Any) -> Any:
        nonlocal running, most, done
        with lock:
            running += 1
            most = max(most, running)
        found = learn(*args)
        with lock:
            running -= 1
            done += 1
        return found

    monkeypatch.setattr(layouts, "induce", counted)
    one = cache()
    answers = [json.dumps({"number": f"R-{number}", "total": number + 0.5}) for number in range(101, 160)]
    for number in range(3):
        await asked(one, head(101 + number), answers[number])
    done = 0
    await asyncio.gather(*(asked(one, head(101 + number), answers[number]) for number in range(3, 59)))
    assert most == 1
    assert 1 <= done <= layouts.WAITING + 3
