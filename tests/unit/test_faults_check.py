"""The check of a fault run's history: a good one passes, and each kind of harm is seen for what it is."""

from dataclasses import replace

import pytest

from e2e.faults.check import RULES, violations
from e2e.faults.history import Acknowledged, Asked, Event, Killed, Read, Refused, Told
from e2e.faults.run import Ran, summary
from e2e.reliability import machine, page

BATCH = Asked("file-1", "file", ("file-1/0", "file-1/1"), told=True)
SINGLE = Asked("single-2", "single", ("single-2/0",), told=False)
RESULT = Read("batch_a", (("c0", "7 file-1/0"), ("c1", "3 file-1/1")))
WEBHOOK = Told("evt_1", "batch_a", '{"data": {"id": "batch_a"}}', verified=True)
GOOD: tuple[Event, ...] = (
    BATCH, SINGLE, Acknowledged("file-1", "batch_a"), Killed("gateway"), Acknowledged("file-1", "batch_a"),
    Acknowledged("single-2", "req_b"), Read("req_b", (("c0", "4 single-2/0"),)), RESULT, WEBHOOK, Killed("both"),
    WEBHOOK, RESULT,
)  # fmt: skip


def rules(*history: Event) -> set[str]:
    return {one.rule for one in violations(history)}


def without(*gone: Event) -> tuple[Event, ...]:
    return tuple(one for one in GOOD if one not in gone)


def test_a_good_history_has_no_violation() -> None:
    assert violations(GOOD) == []


def test_what_was_never_acknowledged_may_be_lost() -> None:
    assert rules(*GOOD, Asked("file-3", "file", ("file-3/0",), told=True)) == set()


@pytest.mark.parametrize(
    ("rule", "history"),
    [
        ("lost", without(RESULT)),
        ("lost", (*without(RESULT), replace(RESULT, answers=RESULT.answers[:1]))),
        ("lost", (*without(RESULT), replace(RESULT, answers=()))),
        ("changed", (*GOOD, replace(RESULT, answers=(("c0", "9 file-1/0"), RESULT.answers[1])))),
        ("changed", (*without(RESULT), replace(RESULT, answers=(*RESULT.answers, RESULT.answers[0])))),
        ("changed", (*without(RESULT), replace(RESULT, answers=(*RESULT.answers, ("c9", "5 file-1/0"))))),
        ("order", (*without(RESULT), replace(RESULT, answers=RESULT.answers[::-1]))),
        ("foreign", (*without(RESULT), replace(RESULT, answers=(("c0", "7 file-1/1"), ("c1", "3 file-1/0"))))),
        ("foreign", (*GOOD, Read("batch_z", ()))),
        ("foreign", (*GOOD, Told("evt_2", "req_b", "{}", verified=True))),
        ("untold", without(WEBHOOK)),
        ("unverified", (*GOOD, replace(WEBHOOK, verified=False))),
        ("retold", (*GOOD, replace(WEBHOOK, event="evt_9"))),
        ("retold", (*GOOD, replace(WEBHOOK, body="{}"))),
        ("key", (*GOOD, Acknowledged("single-2", "req_z"), Read("req_z", (("c0", "4 single-2/0"),)))),
        ("refused", (*GOOD, Refused("file-1", 404, "/v1/batches/batch_a: not found"))),
    ],
)  # fmt: skip
def test_a_history_with_harm_is_told_by_the_rule_that_it_breaks(rule: str, history: tuple[Event, ...]) -> None:
    assert rules(*history) == {rule}


def test_one_batch_for_two_keys_is_told() -> None:
    assert "key" in rules(*GOOD, Acknowledged("single-2", "batch_a"))


def test_every_rule_is_on_the_page_with_its_count() -> None:
    harmed = (*GOOD, Refused("file-1", 404, "gone"))
    found = summary(Ran(harmed, 4, 1.0), violations(harmed))
    said = page({"about": {**machine(), "kubernetes": "v1"}, "rows": []}, {"about": {**machine(), "seed": 1}, **found})
    assert all(f"| {text} | {int(rule == 'refused')} |" in said for rule, text in RULES.items())
    assert "| batches of a file | 1 |" in said
    assert "1 calls were made again" in said
