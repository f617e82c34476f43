"""How much worse one answer is than another."""

import re

import pytest

from sluice_sidecar.audit.compare import Answers, Expected, Pattern, agreement
from sluice_sidecar.audit.judge import Judge
from sluice_sidecar.audit.model import Answer, Sample


def sample(expected: str | None = None) -> Sample:
    return Sample("1", "sha256:", "t", 0.0, ({"role": "user", "content": "?"},), "", expected)


@pytest.mark.parametrize(
    ("expected", "before", "after", "loss"),
    [
        ("billing", "billing", "shipping", 1.0),
        ("billing", "shipping", "Billing", -1.0),
        ("billing", "shipping", "returns", 0.0),
        ('{"a": 1, "b": 2}', '{"b": 2, "a": 1.0}', '{"a": 1, "b": 3}', 0.5),
        ('{"a": 1}', '{"a": 1}', "no idea", 1.0),
    ],
)
async def test_against_a_label(expected: str, before: str, after: str, loss: float) -> None:
    for comparator in (Expected(), Answers()):
        assert await comparator(sample(expected), Answer(before), Answer(after)) == loss


async def test_without_a_label_a_label_tells_nothing() -> None:
    assert await Expected()(sample(), Answer("a"), Answer("b")) is None


@pytest.mark.parametrize(
    ("before", "after", "loss"),
    [
        ("billing", "shipping", 1.0),
        ("billing", "Billing.", 0.0),
        ('{"a": {"b": [1, 2]}}', '{"a": {"b": [1, 3]}}', 0.5),
        ('{"a": 1}', '{"a": 1, "made": "up"}', 0.5),
        ("The parcel left on 3 May.", "The parcel did not leave on 3 May.", 1.0),
    ],
)
async def test_by_what_both_say(before: str, after: str, loss: float) -> None:
    assert await Answers()(sample(), Answer(before), Answer(after)) == loss


async def test_the_judge_is_asked_only_where_nothing_else_tells() -> None:
    asked: list[str] = []

    async def complete(instructions: str, shown: str) -> str:
        asked.append(shown)
        return '{"better": "first"}' if len(asked) % 2 else '{"better": "second"}'

    compare = Answers(judge=Judge(complete))
    assert await compare(sample(), Answer("billing"), Answer("shipping")) == 1.0
    assert not asked
    one = "You can send it back within thirty days; we pay the way back if it was our fault."
    two = "Returns are free when we made a mistake, and there is a month for it from the day it came."
    assert await compare(sample(), Answer(one), Answer(two)) == 1.0
    assert len(asked) == 2


async def test_a_pattern() -> None:
    compare = Pattern(re.compile(r"[A-Z]{3}-\d+"))
    assert await compare(sample(), Answer("ABC-12 "), Answer("it is ABC-12")) == 1.0
    assert await compare(sample(), Answer("none"), Answer("none too")) == 0.0


def test_agreement_counts_what_is_made_up() -> None:
    assert agreement("{}", "{}") == 1.0
    assert agreement('{"a": 1}', '{"a": 1, "b": 2, "c": 3}') == pytest.approx(1 / 3)
