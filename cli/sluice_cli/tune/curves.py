"""Counts of replays, and how hits and wrong hits go with the threshold."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sluice_cli.tune.interval import interval
from sluice_cli.tune.replay import Outcome, Proposed
from sluice_sidecar.cache.entry import How
from sluice_sidecar.cache.risk.evidence import THRESHOLDS

COSINES = tuple(round(0.70 + 0.02 * step, 2) for step in range(15))
"""Similarities that plain cosine is tried at."""

Rows = Sequence[Sequence[Outcome]]
"""The same part of several orders of the same data."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Means over the orders. `unknown`: hits whose answer could not be compared with the recorded one."""

    asks: float
    hits: float = 0.0
    wrong: float = 0.0
    unknown: float = 0.0

    @property
    def judged(self) -> float:
        """Hits that are known to be right or wrong."""
        return self.hits - self.unknown

    @property
    def hit_rate(self) -> float:
        """Hits per ask."""
        return self.hits / self.asks if self.asks else 0.0

    @property
    def error(self) -> float | None:
        """Wrong hits per judged one; None without any."""
        return self.wrong / self.judged if self.judged else None

    @property
    def hit_interval(self) -> tuple[float, float]:
        """95 % of the hit rate."""
        return interval(self.hits, self.asks)

    @property
    def error_interval(self) -> tuple[float, float]:
        """95 % of the error."""
        return interval(self.wrong, self.judged)

    def as_data(self) -> dict[str, Any]:
        """JSON-ready; shares are 0..1."""
        return {
            "asks": self.asks, "hits": self.hits, "wrong": self.wrong, "notCompared": self.unknown,
            "hitRate": self.hit_rate, "hitRate95": self.hit_interval,
            "wrongPerHit": self.error, "wrongPerHit95": self.error_interval,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Point:
    """What would be given from a threshold on."""

    threshold: float
    counts: Counts


@dataclass(frozen=True, slots=True)
class Curve:
    """A strategy by its score, or plain cosine by its similarity; the least threshold first."""

    name: str
    points: Sequence[Point]


def counted(rows: Rows, given: Iterable[bool | None]) -> Counts:
    """Counts of hits, of which `given` holds the wrong: True, False or cannot be told."""
    verdicts = list(given)
    orders = max(len(rows), 1)
    sums = (sum(map(len, rows)), len(verdicts), verdicts.count(True), verdicts.count(None))
    return Counts(*(each / orders for each in sums))


def proposals(rows: Rows, how: How) -> list[Proposed]:
    """All that a strategy proposed."""
    return [one for row in rows for outcome in row for one in outcome.proposals if one.how == how]


def from_score(rows: Rows, how: How, threshold: float, similarity: float = 0.0) -> Counts:
    """What a strategy would give from a score on, and from a similarity on."""
    return counted(
        rows, (p.wrong for p in proposals(rows, how) if p.score >= threshold and p.similarity >= similarity)
    )  # fmt: skip


def served(rows: Rows, how: How) -> Counts:
    """What a replay gave by one strategy."""
    return counted(rows, (outcome.wrong for row in rows for outcome in row if outcome.how == how))


def strategy_curve(rows: Rows, how: How) -> Curve:
    """A strategy at each threshold that the risk control may choose."""
    return Curve(how, [Point(at, from_score(rows, how, at)) for at in THRESHOLDS])


def cosine_curve(rows: Rows) -> Curve:
    """The answer of the nearest ask, whatever else speaks against it."""
    found = [outcome.nearest for row in rows for outcome in row if outcome.nearest is not None]
    points = [Point(at, counted(rows, (wrong for near, wrong in found if near >= at))) for at in COSINES]
    return Curve("plain cosine", points)
