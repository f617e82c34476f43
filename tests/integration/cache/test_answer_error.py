"""The comparison's own error on labelled pairs, with the real embedding model: within what docs/answers.md states."""

import asyncio

import pytest

from bench.same_answer import KINDS, Told, judge, read, table

WRONGLY_SAME = 0.01
"""Of the decided pairs that differ, over all kinds."""
WRONGLY_DIFFERENT = 0.03
"""Of the decided pairs that say the same."""
DECIDED = {"label": 0.95, "number": 0.97, "json": 0.97, "code": 0.80, "prose": 0.55}


@pytest.fixture(scope="module")
def told() -> list[Told]:
    return asyncio.run(judge(read()))


def rate(rows: list[Told]) -> float:
    decided = [one for one in rows if one.verdict is not None]
    return sum(one.verdict != one.pair.same for one in decided) / len(decided)


def test_there_are_enough_pairs_of_every_kind(told: list[Told]) -> None:
    assert len(told) >= 1000
    for kind in KINDS:
        assert sum(one.pair.kind == kind for one in told) >= 100


def test_what_differs_is_rarely_called_the_same(told: list[Told]) -> None:
    assert rate([one for one in told if not one.pair.same]) <= WRONGLY_SAME


def test_what_is_the_same_is_rarely_called_different(told: list[Told]) -> None:
    assert rate([one for one in told if one.pair.same]) <= WRONGLY_DIFFERENT


def test_labels_figures_json_and_code_are_never_called_the_same_when_they_differ(told: list[Told]) -> None:
    assert [one.pair for one in told if one.pair.kind != "prose" and not one.pair.same and one.verdict] == []


@pytest.mark.parametrize("kind", KINDS)
def test_most_pairs_are_decided(told: list[Told], kind: str) -> None:
    rows = [one for one in told if one.pair.kind == kind]
    assert sum(one.verdict is not None for one in rows) >= DECIDED[kind] * len(rows)


def test_the_table_has_a_line_for_every_kind_and_one_for_all(told: list[Told]) -> None:
    assert len(table(told)) == 2 + len(KINDS) + 1
