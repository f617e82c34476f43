"""Exact intervals of a share, and how many labels it takes to show one."""

import math
from collections.abc import Callable
from functools import lru_cache

CONFIDENCE = 0.95


@lru_cache(maxsize=4096)
def interval(count: float, of: float) -> tuple[float, float]:
    """The two-sided 95 % interval of count/of (Clopper and Pearson, Biometrika 1934); (0, 1) of nothing.

    Counts may be means over several orders of the same data, so they need not be whole.
    """
    tail = (1.0 - CONFIDENCE) / 2.0
    return _low(count, of, tail), _high(count, of, tail)


def at_most(count: float, of: float) -> float:
    """The one-sided 95 % upper bound of count/of."""
    return _high(count, of, 1.0 - CONFIDENCE)


def at_least(count: float, of: float) -> float:
    """The one-sided 95 % lower bound of count/of."""
    return _low(count, of, 1.0 - CONFIDENCE)


def needed(bound: float) -> int:
    """Labels that show an error of at most `bound` when none of them is wrong: (1 - bound)^n <= 5 %."""
    return math.ceil(math.log(1.0 - CONFIDENCE) / math.log1p(-bound))


def _low(count: float, of: float, tail: float) -> float:
    if count <= 0.0 or of <= 0.0:
        return 0.0
    return _bisected(lambda p: beta_cdf(p, count, of - count + 1.0) - tail)


def _high(count: float, of: float, tail: float) -> float:
    if of <= 0.0 or count >= of:
        return 1.0
    return _bisected(lambda p: beta_cdf(p, count + 1.0, of - count) - (1.0 - tail))


def _bisected(rising: Callable[[float], float]) -> float:
    """Where a rising function of 0..1 crosses zero."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if rising(middle) < 0.0 else (low, middle)
    return (low + high) / 2.0


def beta_cdf(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22), Lentz's method."""
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - beta_cdf(1.0 - x, b, a)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )  # fmt: skip
    tiny = 1e-300
    c, d = 1.0, 1.0 / _away(1.0 - (a + b) * x / (a + 1.0), tiny)
    value = d
    for m in range(1, 1000):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        for term in (even, odd):
            d = 1.0 / _away(1.0 + term * d, tiny)
            c = _away(1.0 + term / c, tiny)
            value *= c * d
        if abs(c * d - 1.0) < 1e-14:
            break
    return front * value / a


def _away(value: float, tiny: float) -> float:
    return value if abs(value) > tiny else tiny
