"""P(right) of a proposal from a few features: a logistic regression that learns from every label, one at a time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST = 10.0
"""Features are clipped to this size: one odd value must not throw the weights away."""

MOST_WEIGHT = 10.0
"""The most that one label of a rarely labelled kind may count for."""

STEPS = 20_000.0
"""Labels that it remembers: beyond them old ones fade, so that it follows slow change."""


@dataclass(frozen=True, slots=True)
class Prior:
    """What a strategy believes before any label: of the intercept and each feature a mean and a precision, 1/variance.

    `signs` holds +1 or -1 for a feature that can only help or only hurt, else 0; the intercept comes first in all three
    and its sign is 0. Raises ValueError when lengths differ or a precision is not positive.
    """

    mean: Sequence[float]
    precision: Sequence[float]
    signs: Sequence[int] = field(default=())

    def __post_init__(self) -> None:
        if not self.mean or len(self.mean) != len(self.precision) or len(self.signs) not in (0, len(self.mean)):
            raise ValueError("a prior has one mean, one precision and, where given, one sign for each weight")
        if not all(math.isfinite(m) for m in self.mean) or not all(0.0 < p < math.inf for p in self.precision):
            raise ValueError("a prior's means are finite and its precisions positive")


class ScoreModel:
    """Extended-Kalman logistic regression: a Gaussian over the weights, moved by each label.

    The score is the mean prediction under that Gaussian (MacKay's probit approximation, Neural Computation 1992), so
    few labels give cautious scores. `score` reads, `learn` writes; a score never contains its own label.
    """

    def __init__(self, prior: Prior) -> None:
        self._prior = prior
        self._mean: NDArray[np.float64] = np.array(prior.mean, dtype=np.float64)
        self._cov: NDArray[np.float64] = np.diag(1.0 / np.array(prior.precision, dtype=np.float64))
        self._signs: NDArray[np.float64] | None = (
            np.array(prior.signs, dtype=np.float64) if any(prior.signs) else None
        )  # fmt: skip
        self.labels = 0

    def _vector(self, features: Sequence[float]) -> NDArray[np.float64] | None:
        if len(features) != len(self._mean) - 1:
            return None
        values = [1.0, *features]
        if not all(map(math.isfinite, values)):
            return None
        if max(map(abs, values)) > LARGEST:
            values = [min(max(value, -LARGEST), LARGEST) for value in values]
        return np.array(values, dtype=np.float64)

    def score(self, features: Sequence[float]) -> float:
        """P(right), 0..1; NaN for features that are not finite or not as many as the prior has."""
        x = self._vector(features)
        if x is None:
            return math.nan
        spread = float(x @ (self._cov @ x))
        z = float(x @ self._mean) / math.sqrt(1.0 + math.pi / 8.0 * max(spread, 0.0))
        return _logistic(z)

    def learn(self, features: Sequence[float], wrong: bool, label_probability: float = 1.0) -> None:
        """Takes a label in. One that is rarely had counts for more; features that `score` refuses change nothing."""
        x = self._vector(features)
        if x is None or not label_probability > 0.0:
            return
        weight = min(1.0 / label_probability, MOST_WEIGHT)
        p = _logistic(float(x @ self._mean))
        ahead = self._cov @ x
        spread = float(x @ ahead)
        curvature = weight * max(p * (1.0 - p), 1e-4)
        gain = ahead / (1.0 + curvature * spread)
        mean = self._mean + gain * (weight * ((0.0 if wrong else 1.0) - p))
        cov = self._cov - gain[:, None] * (curvature * ahead)
        if self.labels >= STEPS:
            cov *= 1.0 + 1.0 / STEPS
        if self._signs is not None:
            mean = np.where(self._signs * mean < 0.0, 0.0, mean)
        if math.isfinite(float(mean.sum()) + float(cov.sum())):
            self._mean, self._cov = mean, cov
            self.labels += 1

    def state(self) -> dict[str, Any]:
        """Plain data that `restore` takes: weights and the upper triangle of their covariance."""
        upper = self._cov[np.triu_indices(len(self._mean))]
        return {
            "n": self.labels,
            "mean": [float(f"{v:.5g}") for v in self._mean],
            "cov": [float(f"{v:.4g}") for v in upper],
        }

    def restore(self, state: dict[str, Any]) -> bool:
        """Takes up a state of the same shape; False, and nothing changed, when it is another or damaged."""
        size = len(self._mean)
        try:
            mean = np.array(state["mean"], dtype=np.float64)
            upper = np.array(state["cov"], dtype=np.float64)
            labels = int(state["n"])
        except (KeyError, TypeError, ValueError):
            return False
        if mean.shape != (size,) or upper.shape != (size * (size + 1) // 2,) or labels < 0:
            return False
        cov = np.zeros((size, size))
        cov[np.triu_indices(size)] = upper
        cov = cov + np.triu(cov, 1).T
        if not np.isfinite(mean).all() or not np.isfinite(cov).all():
            return False
        # Rounding can take a nearly singular matrix out of the positive ones.
        least = float(np.linalg.eigvalsh(cov)[0])
        self._mean, self._cov, self.labels = mean, cov + max(1e-9 - least, 0.0) * np.eye(size), labels
        return True


def _logistic(z: float) -> float:
    return 1.0 / (1.0 + math.exp(-min(max(z, -30.0), 30.0)))
