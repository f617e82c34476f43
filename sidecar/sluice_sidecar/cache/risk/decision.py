"""From counts to a threshold: which scores may be served, and to whom."""

import math
from dataclasses import dataclass

import numpy as np

from sluice_sidecar.cache.risk.bound import Array, log_excess, log_wealth, true_error, upper_bound
from sluice_sidecar.cache.risk.evidence import BINS, SLOTS, THRESHOLDS, Chapter
from sluice_sidecar.cache.risk.terms import RiskBound

STARTS = (4, 8, 11, 13, 15)
"""Thresholds that are tested without condition, each chain with its share of delta; any other one is tested once its
stricter neighbour has passed (fixed-sequence testing: Angelopoulos et al., Learn then Test, arXiv:2110.01052)."""

LARGEST_SHARE = 0.2
"""The most that one partition may weigh in the evidence ..."""

ENOUGH = 5
"""... once so many partitions have at least FEW labels each; with fewer, no such share is possible."""

FEW = 100.0


@dataclass(frozen=True, slots=True)
class Decision:
    """What the evidence allows. `at` is the threshold's index, None while closed."""

    at: int | None
    bound: float
    reason: str
    closed: frozenset[str]
    """Partitions that are not served."""
    passed: int
    """Thresholds that have passed since this evidence began, as bits."""
    noise: float
    """Mean noise of the labels at and above the threshold."""
    capped: bool
    needed: float

    @property
    def threshold(self) -> float:
        """The least score that is served; above 1 while closed."""
        return THRESHOLDS[self.at] if self.at is not None else math.inf


LEAST = 10.0
"""Labels in the lowest bin that is served, at the least: a threshold moves up past bins with fewer, for the evidence of
its region says next to nothing of them, should scores ever fall there."""

FIRST = 0.7
"""The share of delta for the first evidence; what begins later shares the rest."""


def level(bound: RiskBound, start: int) -> float:
    """The log wealth that refutes, for evidence that begins with chapter `start` = 1, 2, ...

    Each beginning is a new test. Their shares of delta, FIRST and then (1 - FIRST) / (start (start - 1)), add up to 1.
    """
    share = FIRST if start == 1 else (1.0 - FIRST) / (start * (start - 1))
    return math.log(len(STARTS) / (bound.delta * share))


def dense(evidence: Chapter) -> list[bool]:
    """The bins that have labels enough to speak of."""
    return [r + w >= LEAST for r, w in zip(evidence.total.right, evidence.total.wrong, strict=True)]


def decide(evidence: Chapter, bound: RiskBound, start: int, passed: int) -> Decision:
    """The lowest threshold whose upper bound is within `bound.alpha`.

    `start` counts the beginnings of evidence, `passed` is an earlier Decision's, of the same beginning.
    """
    seen = _Regions(evidence, bound)
    levels = level(bound, start) + seen.left_out * math.log(1 + SLOTS)
    wealth = log_wealth(seen.right, seen.wrong, seen.alpha)
    whole = wealth >= levels
    for at in range(BINS - 1, -1, -1):
        if whole[at] and (at in STARTS or passed >> (at + 1) & 1):
            passed |= 1 << at
    filled = dense(evidence)
    reason, at_last, capped = "evidence", None, False
    for at in range(BINS):
        if not (whole[at] and passed >> at & 1):
            continue
        served = next((high for high in range(at, BINS) if filled[high]), None)
        if served is None or not whole[served]:
            continue
        shares = seen.capped(served)
        if shares is not None:
            capped = True
            held = log_wealth(np.array(shares[0]), np.array(shares[1]), seen.alpha[served])
            if held < levels[served]:
                reason = "one partition carries the evidence"
                continue
        at_last, reason = served, "bound held"
        break
    where = at_last if at_last is not None else int(wealth.argmax())
    noise = float(seen.noise[where])
    if at_last is None:
        reachable = [at for at in range(BINS) if at in STARTS or passed >> (at + 1) & 1]
        missing = min(float(levels[at] - wealth[at]) for at in reachable)
        return Decision(
            None, 1.0, reason, seen.closed(where), passed, noise, capped,
            max(missing, 0.0) / math.log1p(0.95 * float(seen.alpha[where])),
        )  # fmt: skip
    upper = upper_bound(float(seen.right[where]), float(seen.wrong[where]), float(levels[where]))
    # The table of candidates is coarse; that alpha itself is refuted is known exactly.
    shown = min(true_error(upper, noise), bound.alpha)
    return Decision(at_last, shown, reason, seen.closed(where), passed, noise, capped, 0.0)


def bounds(evidence: Chapter, bound: RiskBound, start: int) -> list[float]:
    """The upper bound on the true error at and above each threshold."""
    seen = _Regions(evidence, bound)
    levels = level(bound, start) + seen.left_out * math.log(1 + SLOTS)
    rows = zip(seen.right, seen.wrong, levels, seen.noise, strict=True)
    return [true_error(upper_bound(float(r), float(w), float(lv)), float(n)) for r, w, lv, n in rows]


def _from(row: "list[float] | Array") -> Array:
    """Sums over the region of each threshold: its bin and all above."""
    sums: Array = np.cumsum(np.asarray(row)[..., ::-1], axis=-1)[..., ::-1]
    return sums


class _Regions:
    """The evidence seen as regions, one for each threshold, without the partitions that are worse by themselves."""

    def __init__(self, evidence: Chapter, bound: RiskBound) -> None:
        self._names = list(evidence.partitions)
        tallies = evidence.partitions.values()
        self._right = _from(np.array([t.right for t in tallies]).reshape(-1, BINS))
        self._wrong = _from(np.array([t.wrong for t in tallies]).reshape(-1, BINS))
        total_right, total_wrong = _from(evidence.total.right), _from(evidence.total.wrong)
        labels = total_right + total_wrong
        self.noise = _from(evidence.noise) / np.maximum(labels, 1e-9)
        self.alpha = bound.alpha * (1.0 - 2.0 * self.noise) + self.noise
        """The bound on what is observed, by region."""
        certain = math.log(1.0 / bound.delta)
        self._bad = np.zeros(self._right.shape, dtype=bool)
        self._shut = np.zeros(self._right.shape, dtype=bool)
        complaints = np.array([float(t.complaints) for t in tallies])
        suspects = np.flatnonzero(self._wrong.any(axis=1) | (complaints > 0.0))
        if suspects.size:
            right, wrong = self._right[suspects], self._wrong[suspects]
            self._bad[suspects] = log_excess(right, wrong, self.alpha) >= certain
            self._shut[suspects] = log_excess(right, wrong + complaints[suspects, None], self.alpha) >= certain
        kept = ~self._bad
        self.left_out = self._bad.sum(axis=0).astype(np.float64)
        self.right: Array = np.maximum(total_right - (self._right * self._bad).sum(axis=0), 0.0)
        self.wrong: Array = np.maximum(total_wrong - (self._wrong * self._bad).sum(axis=0), 0.0)
        self._sizes: Array = (self._right + self._wrong) * kept

    def closed(self, at: int) -> frozenset[str]:
        """The partitions that are worse than the bound at threshold `at`, complaints included."""
        return frozenset(
            name for name, bad in zip(self._names, self._bad[:, at] | self._shut[:, at], strict=True) if bad
        )

    def capped(self, at: int) -> tuple[float, float] | None:
        """Right and wrong labels with no partition over its share; None where too few have evidence."""
        sizes = self._sizes[:, at]
        if int((sizes >= FEW).sum()) < ENOUGH:
            return None
        whole = float(self.right[at] + self.wrong[at])
        most, above = _most(sorted(map(float, sizes), reverse=True), whole), sizes > 0.0
        over = np.where(above, np.maximum(sizes - most, 0.0) / np.where(above, sizes, 1.0), 0.0)
        right = float(self.right[at] - (over * self._right[:, at]).sum())
        wrong = float(self.wrong[at] - (over * self._wrong[:, at]).sum())
        return max(right, 0.0), max(wrong, 0.0)


def _most(sizes: list[float], whole: float) -> float:
    """The size at which the largest partitions are cut so that none holds over LARGEST_SHARE of what is left.

    With the m largest cut to L: L = share * (rest + m L).
    """
    rest = whole
    for cut, size in enumerate(sizes):
        most = LARGEST_SHARE * rest / (1.0 - cut * LARGEST_SHARE)
        if size <= most or cut + 1 >= round(1.0 / LARGEST_SHARE):
            return most
        rest -= size
    return LARGEST_SHARE * rest
