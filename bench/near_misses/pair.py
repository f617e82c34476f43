"""What the suite is made of."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pair:
    """Two asks. A near miss wants another answer than `one`, a paraphrase (kind SAME) the same."""

    kind: str
    by: str
    """The transformation that made it."""
    one: str
    other: str


SAME = "paraphrase"

Change = Callable[[str, float], str | None]
"""A text and a number in [0, 1) that picks among several results; None where the change does not apply."""
