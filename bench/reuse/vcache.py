"""vCache's rule as its paper gives it: a decision of its own for each stored answer (arXiv:2502.03771, algorithm 1).

For the nearest stored ask, past (similarity, right?) observations give a logistic curve 1 / (1 + exp(-g (s - t))). The
answer is used with the chance that keeps P(right) >= 1 - delta over all requests, taking the worst t of a confidence
interval; otherwise the model is asked, which gives one more observation.
"""

import math
import random

import numpy as np
import numpy.typing as npt

from bench.reuse.asks import Stream
from bench.reuse.replay import Served, Shelf, Way

Array = npt.NDArray[np.float64]

PLACES = np.linspace(0.3, 1.0, 36)
SLOPES = np.array([5.0, 10.0, 20.0, 40.0, 80.0])
UNSURE = (0.01, 0.05, 0.1, 0.2)
"""The epsilons that are tried: the chance that the interval misses the true t."""
FEWEST = 2
"""Observations from which on a curve is fitted."""


def exploring(seen: list[tuple[float, bool]], similarity: float, delta: float) -> float:
    """The chance with which the model is asked, 0..1."""
    if len(seen) < FEWEST:
        return 1.0
    at, right = np.array([s for s, _ in seen]), np.array([c for _, c in seen])
    z = SLOPES[:, None, None] * (at - PLACES[:, None])
    likelihood: Array = -np.logaddexp(0.0, np.where(right, -z, z)).sum(axis=-1)
    best = likelihood.max()
    chances = []
    for epsilon in UNSURE:
        allowed = likelihood >= best - 0.5 * _chi2(1.0 - epsilon)
        curve = 1.0 / (1.0 + np.exp(-SLOPES[:, None] * (similarity - PLACES)))
        worst = (1.0 - epsilon) * float(curve[allowed].min())
        chances.append(max(0.0, (1.0 - delta - worst) / (1.0 - worst)))
    return min(chances)


def _chi2(level: float) -> float:
    """The quantile of chi-square with one degree of freedom (Wilson and Hilferty's approximation)."""
    z = {0.99: 2.326, 0.95: 1.645, 0.9: 1.282, 0.8: 0.842}[round(level, 2)]
    return float((1.0 - 2.0 / 9.0 + z * math.sqrt(2.0 / 9.0)) ** 3)


def vcache(delta: float) -> Way:
    """The rule at an error of `delta` a request."""

    def run(stream: Stream, seed: int) -> list[Served]:
        shelf, chance = Shelf(stream), random.Random(seed)
        seen: list[list[tuple[float, bool]]] = []
        served = []
        for at, key in enumerate(stream.keys):
            rows, cosines = shelf.nearest(at, 1)
            if not rows:
                shelf.put(at)
                seen.append([])
                served.append(Served(False, False, key))
                continue
            row, right = rows[0], stream.keys[shelf.asks[rows[0]]] == key
            hit = chance.random() > exploring(seen[row], cosines[0], delta)
            served.append(Served(hit, hit and not right, key))
            if not hit:
                seen[row].append((cosines[0], right))
                if not right:
                    shelf.put(at)
                    seen.append([])
        return served

    return run
