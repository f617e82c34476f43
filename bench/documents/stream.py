"""A stream of documents against template reuse, as a gateway would use it: siblings by signature, learn, apply."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from sluice_sidecar.cache.reuse.template import SIBLINGS, Extraction, Pair, Refusal, Wrapper, induce, signature

NEIGHBOURS = 11
TRIED = 3
"""Wrappers that are tried for a document."""


@dataclass
class Tally:
    """What came of the documents of one kind. `due`: those that came after three of their layout."""

    seen: int = 0
    due: int = 0
    served: int = 0
    wrong: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    wrong_fields: list[str] = field(default_factory=list)


@dataclass
class Times:
    """Seconds of processor time a call."""

    induce: list[float] = field(default_factory=list)
    apply: list[float] = field(default_factory=list)
    signature: list[float] = field(default_factory=list)


class Replay:
    """Answers what it can, and stores each document that it could not answer with the model's answer.

    With a stored document goes the wrapper learned from it and the earlier ones most alike; a new document is read by
    the wrappers of the nearest documents.
    """

    def __init__(self) -> None:
        self.vectors = np.zeros((0, 384), np.float32)
        self.pairs: list[Pair] = []
        self.wrappers: list[Wrapper | None] = []
        self.times = Times()
        self.tallies: dict[str, Tally] = {}
        self.of_layout: Counter[str] = Counter()

    def run(self, documents: Iterable[tuple[str, str, str, Any]]) -> None:
        """`documents`: (kind, layout, text, answer)."""
        for kind, layout, text, answer in documents:
            tally = self.tallies.setdefault(kind, Tally())
            tally.seen += 1
            due = self.of_layout[layout] >= 3
            self.of_layout[layout] += 1
            tally.due += due
            vector = self._timed(self.times.signature, signature, text)
            near = self._near(vector)
            found = self._ask(near, text)
            if isinstance(found, Extraction):
                tally.served += 1
                self._compare(tally, layout, found.answer, answer)
            else:
                if due:
                    tally.refused[found.kind] += 1
                self._store(vector, near, Pair(text, answer))

    def _near(self, vector: npt.NDArray[np.float32]) -> list[int]:
        """Siblings, nearest first."""
        cosines = self.vectors @ vector
        return [int(i) for i in np.argsort(-cosines, kind="stable")[:NEIGHBOURS] if cosines[i] >= SIBLINGS]

    def _ask(self, near: list[int], text: str) -> Extraction | Refusal:
        refused = Refusal("nothing learned", "no sibling taught anything")
        for wrapper in [w for i in near if (w := self.wrappers[i]) is not None][:TRIED]:
            found = self._timed(self.times.apply, wrapper.apply, text)
            if isinstance(found, Extraction):
                return found
            refused = found
        return refused

    def _store(self, vector: npt.NDArray[np.float32], near: list[int], pair: Pair) -> None:
        siblings = [self.pairs[i] for i in reversed(near)] + [pair]
        self.pairs.append(pair)
        self.vectors = np.vstack([self.vectors, vector])
        self.wrappers.append(self._timed(self.times.induce, induce, siblings) if len(siblings) >= 3 else None)

    @staticmethod
    def _compare(tally: Tally, layout: str, found: Any, answer: Any) -> None:
        if found != answer:
            tally.wrong += 1
            wrong = {key: [found.get(key), answer.get(key)] for key in {**found, **answer}}
            told = {key: values for key, values in wrong.items() if values[0] != values[1]}
            tally.wrong_fields.append(f"{layout}: {told}")

    @staticmethod
    def _timed(times: list[float], call: Any, *arguments: Any) -> Any:
        begun = time.process_time()
        result = call(*arguments)
        times.append(time.process_time() - begun)
        return result
