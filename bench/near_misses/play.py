"""The suite played: as a stream, as in production, and against a cache that stands still."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import chain, groupby

import numpy as np

from bench.near_misses.pair import SAME, Pair
from bench.near_misses.rewrites import rewritten
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
ARTICLES = frozenset({"the", "a", "an", "there", "please"})
"""Words that change nothing, wherever they stand."""
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

    Asks that paraphrases lead to, from one to the next, want the same. So do two near misses that one change made, in
    the same words, of two asks that want the same, and asks that differ in articles, case and punctuation alone. A near
    miss that wants what its original does is left out.
    """
    keys = _alike(pairs, known)
    for pair in pairs:
        keys.setdefault(pair.one, known.get(pair.one, pair.one))
    for pair in pairs:
        if pair.other not in keys:
            keys[pair.other] = known.get(pair.other) or _changed(pair, keys[pair.one])
    forms: dict[tuple[str, ...], str] = {}
    for text in sorted(keys, key=lambda text: text not in known):
        key = forms.setdefault(_form(text), keys[text])
        keys[text] = known.get(text, key)
    rows = {text: row for row, text in enumerate(keys)}
    kept = [
        (pair.kind, rows[pair.one], rows[pair.other])
        for pair in pairs
        if (keys[pair.one] == keys[pair.other]) == (pair.kind == SAME)
    ]
    return Suite(tuple(keys), tuple(keys.values()), embed(list(keys)), tuple(kept))


def _alike(pairs: Sequence[Pair], known: dict[str, str]) -> dict[str, str]:
    """The keys of asks that are paraphrases of others, given or by rule; those that a data set knows keep theirs."""
    asked = {text.casefold(): text for pair in pairs for text in (pair.one, pair.other)}
    leads: dict[str, list[str]] = {}
    for one, other in chain(
        ((pair.one, pair.other) for pair in pairs if pair.kind == SAME),
        ((text, asked[made]) for text in asked.values() for made in rewritten(text) if made in asked),
    ):
        leads.setdefault(one, []).append(other)
        leads.setdefault(other, []).append(one)
    keys: dict[str, str] = {}
    for text in sorted(leads, key=lambda text: text not in known):
        key, waiting = keys.get(text, known.get(text, text)), [text]
        while waiting:
            one = waiting.pop()
            if one not in keys:
                keys[one] = known.get(one, key)
                waiting += leads[one]
    return keys


def _form(text: str) -> tuple[str, ...]:
    """The words of a text but articles, a word said twice once; what one wants who says no other is the same."""
    words = [word for word in text.casefold().replace("?", " ").strip(".! ").split() if word not in ARTICLES]
    return tuple(word for word, _ in groupby(words))


def _changed(pair: Pair, key: str) -> str:
    """The key of a near miss: that of all asks of one key to which the same words were done."""
    one, other = (text.casefold().rstrip("?.! ").split() for text in (pair.one, pair.other))
    steps = SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    done = [(one[a:b], other[c:d]) for step, a, b, c, d in steps if step != "equal"]
    return repr((key, pair.by, done)) if done else pair.other


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
            proposal = _proposed(text, *shelf.nearest(at, NEIGHBOURS), entries, self._record)
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
            proposal = _proposed(made.texts[other], best, [float(cosines[i]) for i in best], entries, self._record)
            hit = proposal is not None and self._controller.score(proposal.features) >= threshold
            right = proposal is not None and proposal.entry.tenant == made.keys[other]
            found.append(Tried(kind, hit, hit and not right))
        return found


def by_cosine(made: Suite, recall: float) -> tuple[float, list[Tried]]:
    """Pairs alone: the least cosine at which `recall` of the paraphrases are hit, and what else is."""
    cosines = [float(made.vectors[one] @ made.vectors[other]) for _, one, other in made.pairs]
    same = sorted(c for c, (kind, _, _) in zip(cosines, made.pairs, strict=True) if kind == SAME)
    least = same[int(len(same) * (1.0 - recall))]
    hits = [(kind, c >= least) for c, (kind, _, _) in zip(cosines, made.pairs, strict=True)]
    return least, [Tried(kind, hit, hit and kind != SAME) for kind, hit in hits]


def by_score(made: Suite, recall: float, seed: int) -> tuple[float, list[Tried]]:
    """The stream, each ask answered anew and stored: the least score of the shipped prior, which learns nothing, at
    which `recall` of the paraphrases are hit rightly, and what else is. No bound decides here."""
    asks, kinds = stream(made, seed)
    shelf, entries, record = Shelf(asks), list[Entry](), Record()
    model = Controller(RiskBound(0.01), PRIORS["paraphrase"])
    rows: list[tuple[str, float, bool]] = []
    for at, (text, key, kind) in enumerate(zip(asks.texts, asks.keys, kinds, strict=True)):
        proposal = _proposed(text, *shelf.nearest(at, NEIGHBOURS), entries, record)
        score = -1.0 if proposal is None else model.score(proposal.features)
        right = proposal is not None and proposal.entry.tenant == key
        if kind != ASKED:
            rows.append((kind, score, right))
        if proposal is not None:
            record.learn(proposal.entry.group, proposal.rival, wrong=not right)
        shelf.put(at)
        entries.append(entry(text, key, key))
    good = sorted((score for kind, score, right in rows if kind == SAME and right), reverse=True)
    least = good[min(int(recall * sum(kind == SAME for kind, _, _ in rows)), len(good) - 1)]
    return least, [Tried(kind, score >= least, score >= least and not right) for kind, score, right in rows]


def _proposed(
    text: str, rows: Sequence[int], cosines: Sequence[float], entries: Sequence[Entry], record: Record
) -> Proposal | None:  # fmt: skip
    """What the paraphrase strategy proposes, if no guard refuses it."""
    if not eligible(text):
        return None
    near = [Neighbour(entries[r], c) for r, c in zip(rows, cosines, strict=True) if c >= LEAST]
    proposal = Paraphrase().propose(text, near, record)
    return None if proposal is None or proposal.refused else proposal
