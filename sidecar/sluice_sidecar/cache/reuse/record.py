"""How often proposals of an answer were right before: some classes are confused with others again and again."""

import math
from collections import OrderedDict

from sluice_sidecar.cache.reuse.vote import between

KEPT = 40_000
"""Groups and pairs that are remembered, the least recently judged go first."""


class Record:
    """Right and wrong proposals of each group, and of one against another. Of this process alone: a restart forgets."""

    def __init__(self) -> None:
        self._counts: OrderedDict[str, list[int]] = OrderedDict()

    def __call__(self, group: str) -> float:
        """Logarithm of the share that was right, as if 2 of 2.5 had been before any was."""
        right, wrong = self._counts.get(group, (0, 0))
        return math.log((right + 2.0) / (right + wrong + 2.5))

    def learn(self, group: str, rival: str = "", *, wrong: bool) -> None:
        """Takes one judged proposal of `group`, before `rival`."""
        self._count(group, wrong)
        self._count(between(group, rival), wrong)

    def _count(self, group: str, wrong: bool) -> None:
        counts = self._counts.setdefault(group, [0, 0])
        counts[wrong] += 1
        self._counts.move_to_end(group)
        if len(self._counts) > KEPT:
            self._counts.popitem(last=False)
