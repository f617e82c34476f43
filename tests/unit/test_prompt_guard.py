"""The guard stops what is shown to do harm, and wrongly stops what does none no more often than it says."""

from random import Random
from typing import Any

import pytest

from doubles.cached import ANSWER, ask, route
from sluice_sidecar.audit.governance import Passage
from sluice_sidecar.audit.guard import ALPHA, Watch, wrong
from sluice_sidecar.config import Backend
from sluice_sidecar.ledger.decision import Decision
from sluice_sidecar.route.reply import Reply

BACKEND = Backend(name="large", url="http://127.0.0.1:9/v1")


def run(with_it: float, without: float, answers: int, seed: int) -> Watch:
    """Answers that go wrong at these rates, one to one by chance, until it stops."""
    watch, random = Watch(), Random(seed)
    for _ in range(answers):
        short = random.random() < 0.5
        watch.take(with_it=short, wrong=random.random() < (with_it if short else without))
        if watch.harmful:
            break
    return watch


def test_harm_is_stopped_soon() -> None:
    watches = [run(0.3, 0.02, 1000, seed) for seed in range(40)]
    assert all(watch.harmful for watch in watches)
    assert sorted(watch.test.count for watch in watches)[20] < 150


def test_a_rewrite_as_good_as_the_full_prompt_goes_on() -> None:
    stopped = sum(run(0.1, 0.1, 1500, seed).harmful for seed in range(100))
    assert stopped <= 100 * ALPHA


def test_one_that_is_better_goes_on() -> None:
    assert not any(run(0.0, 0.2, 500, seed).harmful for seed in range(20))


def test_nothing_is_said_before_both_sides_answered() -> None:
    watch = Watch()
    for _ in range(500):
        watch.take(with_it=True, wrong=True)
    assert (watch.test.count, watch.harmful) == (0, False)


def passage(*, error: str | None = None, replied: bool = True, status: int = 200, **fields: Any) -> Passage:
    whole = {**ANSWER, "choices": [{**ANSWER["choices"][0], **fields.pop("choice", {})}]}
    one = ask(**fields)
    found = Passage(route(), "acme", one, one)
    found.decision = Decision("r", 0.0, "support", "auto", "acme", "openai_chat", error=error)
    found.reply = Reply(BACKEND, status, [], whole=whole) if replied else None
    return found


BROKEN = {"type": "json_schema", "json_schema": {"schema": {"type": 7}}}
SCHEMA = {"type": "json_schema", "json_schema": {"schema": {"type": "object", "required": ["total"]}}}


def saying(text: str) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": text}}


@pytest.mark.parametrize(
    ("given", "bad"),
    [
        ({}, False),
        ({"choice": {"finish_reason": "length"}}, True),
        ({"choice": {"finish_reason": "content_filter"}}, True),
        ({"error": "upstream_failed"}, True),
        ({"status": 500}, True),
        ({"status": 400}, True),
        ({"status": 429}, None),
        ({"error": "caller_left"}, None),
        ({"replied": False}, None),
        ({"response_format": {"type": "json_object"}, "choice": saying("{}")}, False),
        ({"response_format": {"type": "json_object"}, "choice": saying("Sure: {}")}, True),
        ({"response_format": SCHEMA, "choice": saying('{"total": 1}')}, False),
        ({"response_format": SCHEMA, "choice": saying('{"sum": 1}')}, True),
        ({"response_format": BROKEN, "choice": saying("1")}, False),
        ({"response_format": "json", "choice": saying("no")}, False),
    ],
)  # fmt: skip
def test_what_visibly_goes_wrong(given: dict[str, Any], bad: bool | None) -> None:
    assert wrong(passage(**given)) is bad
