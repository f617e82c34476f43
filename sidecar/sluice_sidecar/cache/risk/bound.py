"""Upper bounds on a rare error that hold at every time, by betting against it.

For a candidate error m, a bettor who stakes a share l of his wealth on "right" has after labels of weight w (each 0..1)

    K_l(m) = (1 + l m)^(sum of w of right labels) * (1 - l (1 - m))^(sum of w of wrong labels)

If the labels' error is m or more, K_l is at most a nonnegative supermartingale that starts at 1, because
(1 + x)^w <= 1 + w x for w in [0, 1]; so is the mean over a fixed set of stakes. It ever reaches 1/delta with
probability delta at most (Ville). All m with K(m) >= 1/delta are refuted, and the rest ends at the upper bound.

Waudby-Smith and Ramdas, Estimating means of bounded random variables by betting, JRSS-B 2024, arXiv:2010.09686.
"""

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

STAKES: Array = np.array([0.03, 0.08, 0.16, 0.28, 0.42, 0.58, 0.75, 0.95])
"""Shares of the wealth that are bet. Against an error of 1.5 % the best one is 0.95 for a true error of almost nothing,
0.3 for 1 %, 0.1 for 1.3 %."""

ODDS: Array = np.array([0.05, 0.06, 0.08, 0.10, 0.12, 0.15, 0.19, 0.25])
"""How the wealth is divided among the stakes at the start: most on errors far below the bound, which open early."""

ERRORS: Array = np.geomspace(1e-4, 1.0, 161)
"""The candidates among which a bound is looked for, 6 % apart; a bound is the first refuted one, so never too low."""


def log_wealth(right: Array, wrong: Array, error: Array) -> Array:
    """The logarithm of the mixture's wealth against each `error`, all of one shape."""
    against = error[..., None] * STAKES
    logs = right[..., None] * np.log1p(against) + wrong[..., None] * np.log1p(against - STAKES)
    return _log_mixed(logs, ODDS)


_FOR_RIGHT: Array = np.log1p(ERRORS[:, None] * STAKES)
_FOR_WRONG: Array = np.log1p(ERRORS[:, None] * STAKES - STAKES)


def upper_bound(right: float, wrong: float, level: float) -> float:
    """The least of ERRORS whose log wealth reaches `level`; 1 when none does."""
    logs = right * _FOR_RIGHT + wrong * _FOR_WRONG
    refuted = _log_mixed(logs, ODDS) >= level
    return float(ERRORS[int(refuted.argmax())]) if refuted.any() else 1.0


ALTERNATIVES = (2.0, 4.0, 10.0)
"""How many times the bound a bad error may be; likelihood ratios against these are averaged."""

_EVEN: Array = np.full(len(ALTERNATIVES), 1.0 / len(ALTERNATIVES))


def likelihoods(error: float) -> tuple[tuple[float, float], ...]:
    """For each alternative the log likelihood ratios of a right and of a wrong label against at most `error`."""
    bad = [min(times * error, (1.0 + error) / 2.0) for times in ALTERNATIVES]
    return tuple((math.log((1.0 - p) / (1.0 - error)), math.log(p / error)) for p in bad)


def log_excess(right: Array, wrong: Array, error: Array) -> Array:
    """The log wealth of a bet that the error is above `error`, shapes broadcast: what closes a partition."""
    bad = np.minimum(error[..., None] * ALTERNATIVES, (1.0 + error[..., None]) / 2.0)
    logs = right[..., None] * np.log((1.0 - bad) / (1.0 - error[..., None])) + wrong[..., None] * np.log(
        bad / error[..., None]
    )
    return _log_mixed(logs, _EVEN)


def _log_mixed(logs: Array, odds: Array) -> Array:
    """The logarithm of the mean of exponentials over the last axis, weighed by `odds`."""
    top = logs.max(axis=-1)
    mean: Array = top + np.log(np.exp(logs - top[..., None]) @ odds)
    return mean


def observed(error: float, noise: float) -> float:
    """The share of "wrong" verdicts that a true `error` shows when verdicts are flipped with probability `noise`."""
    return error * (1.0 - 2.0 * noise) + noise


def true_error(seen: float, noise: float) -> float:
    """The inverse of `observed`, 0..1."""
    return min(max((seen - noise) / (1.0 - 2.0 * noise), 0.0), 1.0)
