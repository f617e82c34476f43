"""The suite played: as a stream, as in production, and against a cache that stands still."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bench.near_misses.pair import SAME, Pair
from bench.reuse.asks import Array, Stream
from bench.reuse.replay import Shelf, Way, entry
from sluice_sidecar.cache.entry import Entry
from sluice_sidecar.cache.reuse.paraphrase import Paraphrase, eligible
from sluice_sidecar.cache.reuse.priors import PRIORS
from sluice_sidecar.cache.reuse.record import Record
from sluice_sidecar.cache.reuse.strategy import Neighbour, Proposal
from sluice_sidecar.cache.reuse.vote import LEAST, NEIGHBOURS
from sluice_sidecar.cache.risk import Controller, Label, RiskBound, Source

ASKED = "asked first"
EACH = 25
"""Neighbours looked at where some of them are left out."""


@dataclass(frozen=True)
class Suite:
    """All asks of the suite once, with what they want and their vectors."""

    texts: tuple[str, ...]
    keys: tuple[str, ...]
    vectors: Array
    pairs: tuple[tuple[str, int, int], ...]
    """(kind, the ask that stands in the cache, the ask that is tried)."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one ask."""

    kind: str
    hit: bool
    wrong: bool


def suite(pairs: Sequence[Pair], known: dict[str, str], embed: Callable[[list[str]], Array]) -> Suite:
    """`known`: text -> key, from data sets; an ask without one wants an answer of its own.

    A near miss of which the data say that it wants the same is left out.
    """
    keys: dict[str, str] = {}
    for pair in pairs:
        keys.setdefault(pair.one, known.get(pair.one, pair.one))
    for pair in pairs:
        if pair.kind == SAME:
            keys.setdefault(pair.other, keys[pair.one])
    for pair in pairs:
        keys.setdefault(pair.other, known.get(pair.other, pair.other))
    rows = {text: row for row, text in enumerate(keys)}
    kept = [
        (pair.kind, rows[pair.one], rows[pair.other])
        for pair in pairs
        if (keys[pair.one] == keys[pair.other]) == (pair.kind == SAME)
    ]
    return Suite(tuple(keys), tuple(keys.values()), embed(list(keys)), tuple(kept))


def stream(made: Suite, seed: int) -> tuple[Stream, list[str]]:
    """Every original once, then paraphrases and near misses mixed; a text once. With the kind of each ask."""
    chance = random.Random(seed)
    first = list(dict.fromkeys(one for _, one, _ in made.pairs))
    chance.shuffle(first)
    kinds = dict.fromkeys(first, ASKED)
    for kind, _, other in chance.sample(made.pairs, len(made.pairs)):
        kinds.setdefault(other, kind)
    order = list(kinds)
    return Stream(
        "near misses", tuple(made.texts[i] for i in order), tuple(made.keys[i] for i in order), made.vectors[order]
    ), list(kinds.values())  # fmt: skip


def played(made: Suite, way: Way, seed: int) -> list[Tried]:
    """The stream through one way of reuse; asks that come first are left out."""
    asks, kinds = stream(made, seed)
    served = way(asks, seed)
    return [Tried(kind, one.hit, one.wrong) for kind, one in zip(kinds, served, strict=True) if kind != ASKED]


class Still:
    """A cache that has learned on one half of the originals and is tried, unchanged, on the pairs of the other."""

    def __init__(self, made: Suite, alpha: float, seed: int) -> None:
        self._made = made
        self._controller = Controller(RiskBound(alpha), PRIORS["paraphrase"])
        self._record = Record()
        originals = list(dict.fromkeys(one for _, one, _ in made.pairs))
        random.Random(seed).shuffle(originals)
        self._learned = set(originals[: len(originals) // 2])
        self._seed = seed

    def learn(self) -> float:
        """Plays the first half as a stream of misses; the threshold that the bound then allows, above 1 when none."""
        half = [pair for pair in self._made.pairs if pair[1] in self._learned]
        asks, _ = stream(Suite(self._made.texts, self._made.keys, self._made.vectors, tuple(half)), self._seed)
        shelf, entries = Shelf(asks), list[Entry]()
        for at, (text, key) in enumerate(zip(asks.texts, asks.keys, strict=True)):
            self._controller.request()
            proposal = self._propose(text, *shelf.nearest(at, NEIGHBOURS), entries)
            if proposal is not None:
                wrong = proposal.entry.tenant != key
                self._record.learn(proposal.entry.group, proposal.rival, wrong=wrong)
                score = self._controller.score(proposal.features)
                self._controller.learn(Label(proposal.features, score, wrong, "all", Source.MISS, served=False))
            shelf.put(at)
            entries.append(entry(text, key, key))
        return self._controller.decision.threshold

    def tried(self) -> list[Tried]:
        """The pairs of the other half, each alone against all of its originals."""
        made = self._made
        half = [pair for pair in made.pairs if pair[1] not in self._learned]
        stored = list(dict.fromkeys(one for _, one, _ in half))
        entries = [entry(made.texts[i], made.keys[i], made.keys[i]) for i in stored]
        matrix, threshold = made.vectors[stored], self._controller.decision.threshold
        found = []
        for kind, _, other in half:
            cosines = matrix @ made.vectors[other]
            best = [int(i) for i in np.argsort(-cosines)[:EACH] if stored[int(i)] != other][:NEIGHBOURS]
            proposal = self._propose(made.texts[other], best, [float(cosines[i]) for i in best], entries)
            hit = proposal is not None and self._controller.score(proposal.features) >= threshold
            right = proposal is not None and proposal.entry.tenant == made.keys[other]
            found.append(Tried(kind, hit, hit and not right))
        return found

    def _propose(
        self, text: str, rows: Sequence[int], cosines: Sequence[float], entries: Sequence[Entry]
    ) -> Proposal | None:  # fmt: skip
        if not eligible(text):
            return None
        near = [Neighbour(entries[r], c) for r, c in zip(rows, cosines, strict=True) if c >= LEAST]
        proposal = Paraphrase().propose(text, near, self._record)
        return None if proposal is None or proposal.refused else proposal


def by_cosine(made: Suite, recall: float) -> tuple[float, list[Tried]]:
    """Pairs alone: the least cosine at which `recall` of the paraphrases are hit, and what else is."""
    cosines = [float(made.vectors[one] @ made.vectors[other]) for _, one, other in made.pairs]
    same = sorted(c for c, (kind, _, _) in zip(cosines, made.pairs, strict=True) if kind == SAME)
    least = same[int(len(same) * (1.0 - recall))]
    hits = [(kind, c >= least) for c, (kind, _, _) in zip(cosines, made.pairs, strict=True)]
    return least, [Tried(kind, hit, hit and kind != SAME) for kind, hit in hits]
