"""What goes into the risk control and what comes out of it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Source(StrEnum):
    """Where a label comes from."""

    MISS = "miss"
    """A refused proposal, compared with the answer that the model then gave."""
    SHADOW = "shadow"
    """A served answer, asked again in the background."""
    FEEDBACK = "feedback"
    """A caller's word. It counts against that caller's partition alone, and never for anything."""
    TUNE = "tune"
    """A proposal on the user's own data, none of it served."""


@dataclass(frozen=True, slots=True)
class RiskBound:
    """What is promised: at most `alpha` wrong of what is served, at every time, with probability `1 - delta`.

    `shadow` is the share of all requests that may be asked again. Raises ValueError for a share outside (0, 1), or
    for a `shadow` outside [0, 1].
    """

    alpha: float
    delta: float = 0.05
    shadow: float = 0.015

    def __post_init__(self) -> None:
        if not (0.0 < self.alpha < 1.0 and 0.0 < self.delta < 1.0):
            raise ValueError(f"alpha and delta lie between 0 and 1; got alpha {self.alpha}, delta {self.delta}")
        if not 0.0 <= self.shadow <= 1.0:
            raise ValueError(f"shadow is a share of the requests, 0 to 1; got {self.shadow}")


@dataclass(frozen=True, slots=True)
class Label:
    """A proposal whose rightness became known.

    `score` is the score under which it was decided, `label_probability` the chance that it had of being labelled
    (`Controller.shadow_probability` at the decision; 1 for what was not served). `noise` is the chance that the
    comparison of the two answers errs; see `docs/cache-bound.md` for which side to err on.
    """

    features: Sequence[float]
    score: float
    wrong: bool
    partition: str
    source: Source
    served: bool
    label_probability: float = 1.0
    noise: float = 0.0

    @property
    def usable(self) -> bool:
        """Whether its numbers are numbers, and its comparison tells more than a coin."""
        return (
            math.isfinite(self.score) and 0.0 <= self.score <= 1.0
            and 0.0 < self.label_probability <= 1.0 and 0.0 <= self.noise <= MOST_NOISE
        )  # fmt: skip


MOST_NOISE = 0.1
"""A comparison that errs more often teaches nothing about errors of a percent; its labels are left out."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a proposal is served and why; `bound` is the upper bound on the error of what is (1 when closed)."""

    admitted: bool
    reason: str
    bound: float
    threshold: float


@dataclass(frozen=True, slots=True)
class PartitionReport:
    """One partition's labels at or above the threshold (all of them while closed)."""

    labels: float
    errors: float
    complaints: int
    closed: bool


@dataclass(frozen=True, slots=True)
class Report:
    """The state for console and command line. Labels and errors are weighted; shares lie in 0..1."""

    open: bool
    reason: str
    bound: float
    threshold: float
    labels: float
    errors: float
    noise: float
    needed: float
    """About how many more labels without an error would open it; 0 when open."""
    requests: int
    served: int
    shadowed: int
    shadow_probability: float
    drift: float
    """How far the drift alarm is, 0..1; at 1 it closes the strategy."""
    suspected: bool
    closures: int
    chapter: int
    capped: bool
    """Whether at least five partitions have evidence, so that none may weigh over a fifth."""
    thresholds: Sequence[float]
    bounds: Sequence[float]
    partitions: Mapping[str, PartitionReport] = field(default_factory=dict)
