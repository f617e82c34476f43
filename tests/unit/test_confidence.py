"""TokenQuantile: a low quantile of the token probabilities against a threshold."""

import math

import pytest

from sluice_sidecar.config import Confidence
from sluice_sidecar.route.confidence import confident, token_quantile


def logs(*probabilities: float) -> list[float]:
    return [math.log(p) for p in probabilities]


def test_takes_the_value_at_the_quantile() -> None:
    values = [float(-n) for n in range(1, 11)]  # -1 .. -10
    assert token_quantile(values, 0.1) == -10.0
    assert token_quantile(values, 0.2) == -9.0
    assert token_quantile(values, 0.5) == -6.0
    assert token_quantile(values, 1.0) == -1.0
    assert token_quantile(values, 0.0) == -10.0


def test_no_token_has_no_quantile() -> None:
    with pytest.raises(ValueError, match="log-probability"):
        token_quantile([], 0.1)


def test_one_doubtful_token_in_a_short_answer_is_enough() -> None:
    rule = Confidence(threshold=0.8, quantile=0.1)
    assert confident(logs(0.9, 0.95, 0.81), rule)
    assert not confident(logs(0.9, 0.95, 0.79), rule)


def test_one_in_twenty_is_within_a_tenth() -> None:
    rule = Confidence(threshold=0.8, quantile=0.1)
    assert confident(logs(*[0.9] * 19, 0.1), rule)
    assert not confident(logs(*[0.9] * 18, 0.1, 0.1), rule)


def test_nothing_is_never_confident() -> None:
    assert not confident([], Confidence(threshold=0.0))


def test_a_threshold_of_zero_takes_any_token_and_of_one_only_certainty() -> None:
    assert confident([-9999.0], Confidence(threshold=0.0))
    assert confident([0.0], Confidence(threshold=1.0))
    assert not confident(logs(0.999), Confidence(threshold=1.0))
