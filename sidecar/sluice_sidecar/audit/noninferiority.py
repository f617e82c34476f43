"""Is a shorter prompt not worse than the margin? Tests and intervals that hold at every time, so one may stop early.

Losses d lie in -1..1, positive where the shorter prompt's answer is worse. Against "the mean loss is m or more" a
bettor stakes a share s of the most that can be staked, 1/(1 - m), on losses below m:

    K_s(m) = product over the samples of 1 + s (m - d) / (1 - m)

Under the hypothesis each K_s, and so their mean over fixed stakes, is at most a nonnegative supermartingale that starts
at 1: it ever reaches 1/alpha with probability alpha at most (Ville), whenever one looks. The upper end of an interval
is the least m that is refuted so; the lower end is the same of -d.

Waudby-Smith and Ramdas, Estimating means of bounded random variables by betting, JRSS-B 2024, arXiv:2010.09686.
"""

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

STAKES: NDArray[np.float64] = np.array([0.15, 0.4, 0.7, 0.98])
"""Shares of the most that may be staked: the last one wins where nothing is lost, the first ones forgive a loss."""
ODDS: NDArray[np.float64] = np.array([0.1, 0.15, 0.15, 0.6])

MARGINS: NDArray[np.float64] = np.concatenate([np.linspace(-0.99, 0.0, 100), np.geomspace(1e-3, 0.99, 140)])
"""The means among which the ends of an interval are looked for; an end is the first refuted one, so never too tight."""


class SequentialTest:
    """Bets against "the mean loss is `margin` or more". Losses are fed one by one, in an order fixed beforehand."""

    def __init__(self, margin: float, alpha: float) -> None:
        """`margin` and `alpha` in 0..1, both open."""
        self.margin, self.alpha = margin, alpha
        self.count = 0
        self._logs = np.zeros(len(STAKES))
        self._best = 0.0

    def feed(self, loss: float) -> None:
        """Takes one loss, -1..1."""
        self.count += 1
        self._logs += np.log1p(STAKES * (self.margin - loss) / (1.0 - self.margin))
        self._best = max(self._best, _mixed(self._logs))

    @property
    def shown(self) -> bool:
        """Whether the mean loss is shown to be below the margin, with probability 1 - alpha of being right."""
        return self._best >= -math.log(self.alpha)

    @property
    def p_value(self) -> float:
        """Of the hypothesis that the mean loss is the margin or more; valid at every time."""
        return math.exp(-self._best)

    def hopeless(self, left: int) -> bool:
        """Whether it could not be shown even if the `left` samples lost nothing."""
        return _mixed(self._logs + left * _clean(self.margin)) < -math.log(self.alpha)


def needed(margin: float, alpha: float) -> int:
    """Samples that a test needs at least: none of them may lose anything."""
    count, logs = 0, np.zeros(len(STAKES))
    while _mixed(logs) < -math.log(alpha):
        count, logs = count + 1, logs + _clean(margin)
    return count


def interval(losses: Iterable[float], confidence: float) -> tuple[float, float]:
    """Where the mean loss lies, each end right with probability `confidence` at every time; (-1, 1) of no losses."""
    values = np.fromiter(losses, float)
    return -_upper(-values, 1.0 - confidence), _upper(values, 1.0 - confidence)


def _upper(values: NDArray[np.float64], alpha: float) -> float:
    if not len(values):
        return 1.0
    counted, counts = np.unique(values, return_counts=True)
    gains = (MARGINS[:, None, None] - counted) / (1.0 - MARGINS[:, None, None]) * STAKES[:, None]
    logs = (np.log1p(np.maximum(gains, -1.0 + 1e-12)) * counts).sum(axis=-1)
    top = logs.max(axis=-1)
    wealth = top + np.log(np.exp(logs - top[:, None]) @ ODDS)
    refuted = wealth >= -math.log(alpha)
    return float(MARGINS[int(refuted.argmax())]) if refuted.any() else 1.0


def _clean(margin: float) -> NDArray[np.float64]:
    return np.asarray(np.log1p(STAKES * margin / (1.0 - margin)))


def _mixed(logs: NDArray[np.float64]) -> float:
    top = float(logs.max())
    return top + math.log(float(np.exp(logs - top) @ ODDS))
