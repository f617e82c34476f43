"""Counts of labels: by score bin, by partition, in chapters. Each replica counts for itself; readers add up."""

import hashlib
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

THRESHOLDS = (
    0.30, 0.50, 0.65, 0.75, 0.82, 0.87, 0.90, 0.925, 0.945, 0.96, 0.97, 0.98, 0.986, 0.991, 0.995, 0.998,
)  # fmt: skip
"""Scores at which serving may begin, fixed before any label: the bins lie between them."""

BINS = len(THRESHOLDS)

SLOTS = 12
"""Partitions that are counted by name; the rest count in the sum alone."""

GRAVITY = 20.0
"""How many labels one error or complaint weighs when a slot is needed: a small bad partition must not be forgotten."""


def bin_of(score: float) -> int:
    """The index of the highest threshold at or below the score; -1 when it lies below all."""
    return bisect_right(THRESHOLDS, score) - 1


def key_of(partition: str) -> str:
    """The name under which a partition is counted: itself, or a digest where it is long."""
    if len(partition) <= 32:
        return partition
    return hashlib.blake2b(partition.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _zeros() -> list[float]:
    return [0.0] * BINS


@dataclass(slots=True)
class Tally:
    """Weighted labels in each bin, and the caller's complaints."""

    right: list[float] = field(default_factory=_zeros)
    wrong: list[float] = field(default_factory=_zeros)
    complaints: int = 0

    def add(self, other: "Tally") -> None:
        """Adds another's counts to these."""
        self.right = [a + b for a, b in zip(self.right, other.right, strict=True)]
        self.wrong = [a + b for a, b in zip(self.wrong, other.wrong, strict=True)]
        self.complaints += other.complaints

    @property
    def gravity(self) -> float:
        """How much it matters that this partition keeps its slot."""
        return sum(self.right) + (1.0 + GRAVITY) * sum(self.wrong) + GRAVITY * self.complaints


@dataclass(slots=True)
class Chapter:
    """Labels of one stretch of time: all of them, and those of the partitions that have most."""

    total: Tally = field(default_factory=Tally)
    noise: list[float] = field(default_factory=_zeros)
    """In each bin the sum of weight times noise, so that a region's mean noise is known."""
    partitions: dict[str, Tally] = field(default_factory=dict)

    def count(self, at: int, wrong: bool, weight: float, noise: float, partition: str) -> None:
        """Counts a label of a weight of 0..1 in bin `at`."""
        (self.total.wrong if wrong else self.total.right)[at] += weight
        self.noise[at] += weight * noise
        own = self._of(partition)
        (own.wrong if wrong else own.right)[at] += weight

    def complain(self, partition: str) -> None:
        """Counts a caller's word that an answer was wrong: for its partition, not for the total."""
        self._of(partition).complaints += 1

    def _of(self, partition: str) -> Tally:
        own = self.partitions.get(partition)
        if own is None:
            if len(self.partitions) >= SLOTS:
                del self.partitions[min(self.partitions, key=lambda name: self.partitions[name].gravity)]
            own = self.partitions[partition] = Tally()
        return own

    def add(self, other: "Chapter") -> None:
        """Adds another's counts to these; all partitions of both are kept."""
        self.total.add(other.total)
        self.noise = [a + b for a, b in zip(self.noise, other.noise, strict=True)]
        for name, tally in other.partitions.items():
            self.partitions.setdefault(name, Tally()).add(tally)

    @property
    def labels(self) -> float:
        """The weight of all labels."""
        return sum(self.total.right) + sum(self.total.wrong)

    def state(self, partitions: int = SLOTS) -> dict[str, Any]:
        """Plain data for `read`, with the gravest partitions only when fewer are asked for. Errors round up."""
        kept = sorted(self.partitions, key=lambda name: -self.partitions[name].gravity)[:partitions]
        return {
            "r": [_down(v) for v in self.total.right],
            "w": [_up(v) for v in self.total.wrong],
            "n": [_down(v) for v in self.noise],
            "p": {
                name: [
                    _sparse([_down(v) for v in own.right]), _sparse([_up(v) for v in own.wrong]), own.complaints,
                ]
                for name in kept
                for own in (self.partitions[name],)
            },
        }  # fmt: skip

    @staticmethod
    def read(state: Any) -> "Chapter":
        """What `state` gave. Raises ValueError for anything else."""
        try:
            chapter = Chapter(Tally(_row(state["r"]), _row(state["w"])), _row(state["n"]))
            for name, (right, wrong, complaints) in state["p"].items():
                if not isinstance(name, str) or type(complaints) is not int or complaints < 0:
                    raise ValueError("a partition is a name, two rows and a count")
                chapter.partitions[name] = Tally(_row(_dense(right)), _row(_dense(wrong)), complaints)
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise ValueError(f"not a chapter of evidence: {error!r}") from None
        return chapter


def together(chapters: Iterable[Chapter]) -> Chapter:
    """The sum of chapters, none of them changed."""
    whole = Chapter()
    for chapter in chapters:
        whole.add(chapter)
    return whole


def _down(value: float) -> float:
    return int(value * 10.0) / 10.0


def _up(value: float) -> float:
    return -int(-value * 10.0 // 1.0) / 10.0


def _sparse(row: list[float]) -> list[float]:
    """Zeros in front are left out: most partitions have no label in the low bins, or none at all."""
    first = next((i for i, value in enumerate(row) if value), BINS)
    return row[first:]


def _dense(row: Any) -> list[Any]:
    return [0.0] * (BINS - len(row)) + list(row)


def _row(values: Any) -> list[float]:
    row = [float(value) for value in values]
    if len(row) != BINS or not all(0.0 <= value < 1e12 for value in row):
        raise ValueError("a row of evidence is one count, 0 or more, for each bin")
    return row
