"""Weighted: exact shares, spread smoothly."""

from collections import Counter

import pytest

from doubles.calling import ask
from sluice_sidecar import config
from sluice_sidecar.route.strategies.weighted import Weighted

ASK = ask()


def weighted(**weights: int) -> Weighted:
    return Weighted(config.Weighted(weights=weights))


async def picks(strategy: Weighted, count: int, able: set[str]) -> list[str]:
    return [await strategy.choose(ASK, able) for _ in range(count)]


async def test_every_round_has_exactly_the_weights() -> None:
    chosen = await picks(weighted(a=5, b=1, c=1), 70, {"a", "b", "c"})
    for start in range(0, 70, 7):
        assert Counter(chosen[start : start + 7]) == {"a": 5, "b": 1, "c": 1}


async def test_heavy_ones_come_in_no_run() -> None:
    assert await picks(weighted(a=2, b=1, c=1), 4, {"a", "b", "c"}) == ["a", "b", "c", "a"]


async def test_shares_of_the_unable_go_to_the_others() -> None:
    chosen = await picks(weighted(a=6, b=3, c=1), 40, {"b", "c"})
    assert Counter(chosen) == {"b": 30, "c": 10}


async def test_weight_zero_is_never_chosen() -> None:
    assert set(await picks(weighted(a=1, b=0), 20, {"a", "b"})) == {"a"}


async def test_a_new_config_goes_on_with_the_pattern() -> None:
    before, after = weighted(a=2, b=1, c=1), weighted(a=2, b=1, c=1)
    assert await picks(before, 1, {"a", "b", "c"}) == ["a"]
    after.carry_over(before)
    assert await picks(after, 3, {"a", "b", "c"}) == ["b", "c", "a"]


async def test_other_weights_start_afresh() -> None:
    before, after = weighted(a=2, b=1), weighted(a=1, b=2)
    await picks(before, 1, {"a", "b"})
    after.carry_over(before)
    assert await picks(after, 1, {"a", "b"}) == ["b"]


def test_needs_a_weight() -> None:
    with pytest.raises(ValueError, match="weight above 0"):
        weighted(a=0)
