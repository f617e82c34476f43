"""One replica's part of the evidence, as bytes that others can read."""

import zlib
from dataclasses import dataclass, field
from typing import Any

import orjson

from sluice_sidecar.cache.risk.evidence import SLOTS, Chapter

FORM = b"risk1"

LARGEST = 8192
"""Bytes of a snapshot; the partitions with the fewest labels are left out where it would be more."""


@dataclass(slots=True)
class Part:
    """What one replica counted. Chapters have the same numbers everywhere: the highest number seen wins.

    `since` is the first chapter that counts (a closure raises it), `passed` the thresholds that have passed since the
    evidence in use began.
    """

    chapter: int = 1
    since: int = 1
    closures: int = 0
    passed: int = 0
    chapters: dict[int, Chapter] = field(default_factory=dict)
    budget: list[int] = field(default_factory=lambda: [0] * 6)
    model: dict[str, Any] = field(default_factory=dict)
    alpha: float = 1.0
    """The bound under which they passed; 1, under which nothing was tested, where it is not known."""

    @property
    def begin(self) -> int:
        """The chapter with which the evidence in use begins: this one and the one before, if that still counts."""
        return max(self.since, self.chapter - 1)

    def to_bytes(self, replica: str) -> bytes:
        """At most LARGEST bytes, with a checksum. Raises ValueError for a name or a model too large for that."""
        for partitions in range(SLOTS, -1, -1):
            body = orjson.dumps(
                {
                    "replica": replica, "chapter": self.chapter, "since": self.since, "closures": self.closures,
                    "passed": self.passed, "alpha": self.alpha, "budget": self.budget, "model": self.model,
                    "chapters": {
                        str(number): chapter.state(partitions)
                        for number, chapter in self.chapters.items() if number >= self.begin
                    },
                }
            )  # fmt: skip
            if len(body) + len(FORM) + 8 <= LARGEST:
                return FORM + b"%08x" % zlib.crc32(body) + body
        raise ValueError(f"the model and the replica's name leave no room in {LARGEST} bytes for evidence")

    @staticmethod
    def from_bytes(data: bytes) -> "Part | None":
        """What `to_bytes` gave; None for anything else, which then counts as no evidence."""
        head, body = data[: len(FORM) + 8], data[len(FORM) + 8 :]
        if head != FORM + b"%08x" % zlib.crc32(body):
            return None
        try:
            read = orjson.loads(body)
            part = Part(
                chapter=_count(read["chapter"]),
                since=_count(read["since"]),
                closures=_count(read["closures"]),
                passed=_count(read["passed"]),
                chapters={int(number): Chapter.read(state) for number, state in read["chapters"].items()},
                budget=[_count(value) for value in read["budget"]],
                model=dict(read["model"]),
                alpha=float(read.get("alpha", 1.0)),
            )
        except (KeyError, TypeError, AttributeError, ValueError):
            return None
        return part if 1 <= part.since <= part.chapter and len(part.budget) == 6 else None


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("a count is a whole number, 0 or more")
    return value
