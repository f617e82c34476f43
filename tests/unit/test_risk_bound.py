"""The upper bound on an error: a fair bet, falling with evidence, never below what was seen."""

import math

import numpy as np
import pytest

from sluice_sidecar.cache.risk import RiskBound
from sluice_sidecar.cache.risk.bound import (
    ERRORS,
    ODDS,
    STAKES,
    log_excess,
    log_wealth,
    observed,
    true_error,
    upper_bound,
)


def test_the_stakes_divide_one_wealth() -> None:
    assert ODDS.shape == STAKES.shape
    assert float(ODDS.sum()) == pytest.approx(1.0)
    assert ((STAKES > 0.0) & (STAKES < 1.0)).all()


def test_wealth_against_the_true_error_is_fair_for_any_weight() -> None:
    """One label's expected factor is 1 at most, whatever its weight: the ground of the whole bound."""
    for error in (0.001, 0.015, 0.2, 0.9):
        for weight in (0.01, 0.3, 1.0):
            m, w, none = np.array(error), np.array(weight), np.array(0.0)
            mean = error * math.exp(log_wealth(none, w, m)) + (1.0 - error) * math.exp(log_wealth(w, none, m))
            assert mean <= 1.0 + 1e-12


def test_it_falls_with_right_labels_and_rises_with_wrong_ones() -> None:
    level = math.log(60.0)
    falling = [upper_bound(n, 0.0, level) for n in (0.0, 100.0, 400.0, 2000.0)]
    rising = [upper_bound(2000.0, n, level) for n in (0.0, 5.0, 20.0, 200.0)]
    assert falling == sorted(falling, reverse=True)
    assert falling[0] == 1.0
    assert rising == sorted(rising)


def test_it_lies_above_the_share_seen() -> None:
    for right, wrong in ((500.0, 1.0), (990.0, 10.0), (50.0, 50.0), (10_000.0, 100.0)):
        assert wrong / (right + wrong) < upper_bound(right, wrong, math.log(20.0)) < 1.0


def test_it_refutes_what_its_wealth_refutes() -> None:
    right, wrong, level = 900.0, 3.0, math.log(86.0)
    bound = upper_bound(right, wrong, level)
    wealth = log_wealth(np.full(ERRORS.shape, right), np.full(ERRORS.shape, wrong), ERRORS)
    assert (wealth[bound <= ERRORS] >= level).all()
    assert (wealth[bound > ERRORS] < level).all()


def test_a_partition_is_worse_only_with_certainty() -> None:
    one, alpha = np.ones(1), np.array([0.015])
    assert log_excess(100.0 * one, 1.0 * one, alpha)[0] < math.log(20.0)
    assert log_excess(60.0 * one, 8.0 * one, alpha)[0] > math.log(20.0)


def test_noise_is_added_and_taken_out_again() -> None:
    for error in (0.0, 0.01, 0.5):
        assert true_error(observed(error, 0.01), 0.01) == pytest.approx(error)
    assert true_error(0.001, 0.01) == 0.0
    assert observed(0.015, 0.01) == pytest.approx(0.0247)


@pytest.mark.parametrize(("alpha", "delta", "shadow"), [(0.0, 0.05, 0.0), (0.01, 1.0, 0.0), (0.01, 0.05, 1.5)])
def test_a_bound_that_cannot_be_is_refused(alpha: float, delta: float, shadow: float) -> None:
    with pytest.raises(ValueError, match=r"alpha and delta|shadow is a share"):
        RiskBound(alpha, delta, shadow)
