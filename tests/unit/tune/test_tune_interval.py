"""Exact intervals of shares."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice_cli.tune.interval import at_least, at_most, interval, needed


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [(0, 300, 0.0, 0.01222), (5, 100, 0.01643, 0.11283), (50, 100, 0.39832, 0.60168), (7, 7, 0.59038, 1.0)],
)
def test_the_interval_is_clopper_and_pearsons(count: int, of: int, low: float, high: float) -> None:
    assert interval(count, of) == pytest.approx((low, high), abs=1e-5)


@given(st.integers(1, 200), st.data())
def test_beyond_the_interval_a_count_is_as_unlikely_as_stated(of: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, of - 1))
    high = interval(count, of)[1]
    seen = sum(math.comb(of, k) * high**k * (1 - high) ** (of - k) for k in range(count + 1))
    assert seen == pytest.approx(0.025, rel=1e-6)


def test_of_nothing_nothing_is_known() -> None:
    assert interval(0, 0) == (0.0, 1.0)
    assert (at_least(0, 0), at_most(0, 0)) == (0.0, 1.0)


@pytest.mark.parametrize(("bound", "labels"), [(0.01, 299), (0.015, 199), (0.05, 59)])
def test_so_many_right_labels_show_a_bound_and_one_fewer_do_not(bound: float, labels: int) -> None:
    assert needed(bound) == labels
    assert at_most(0, labels) <= bound < at_most(0, labels - 1)
