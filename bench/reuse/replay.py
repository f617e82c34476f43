"""One stream through one way of reuse, from an empty cache: what was served, and whether it was right."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from bench.reuse.asks import Stream
from sluice_sidecar.ask import Usage
from sluice_sidecar.cache.answers.gist import gist
from sluice_sidecar.cache.entry import LABELS, Entry
from sluice_sidecar.cache.look import Judged
from sluice_sidecar.cache.reuse.label import Label
from sluice_sidecar.cache.reuse.paraphrase import Paraphrase, eligible
from sluice_sidecar.cache.reuse.priors import PRIORS
from sluice_sidecar.cache.reuse.record import Record
from sluice_sidecar.cache.reuse.strategy import Neighbour, Strategy
from sluice_sidecar.cache.reuse.vote import LEAST, NEIGHBOURS
from sluice_sidecar.cache.risk import Controller, RiskBound, Source
from sluice_sidecar.cache.risk import Label as Evidence

STRATEGIES: dict[str, Strategy] = {"label": Label(), "paraphrase": Paraphrase()}
WORDINGS = ("The answer is [{}].", "Sure: [{}].", "Here you go, [{}].", "That would be [{}].", "[{}]")


@dataclass(frozen=True, slots=True)
class Served:
    """What became of one ask. `wrong` only where it was `hit`."""

    hit: bool
    wrong: bool
    key: str
    shadow: bool = False
    explored: bool = False
    repeat: bool = False
    """Asked before word for word: a hit of the identical strategy."""
    ask: str = ""
    filled_by: str = ""
    """Of a wrong answer: the ask that got it, and the earlier ask that it was the answer to."""


Way = Callable[[Stream, int], list[Served]]
"""A stream and a seed to what was served, ask by ask."""


class Shelf:
    """The answers of earlier misses, searched exactly."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self._rows = np.zeros_like(stream.vectors)
        self.asks: list[int] = []
        """Which ask each row is."""

    def nearest(self, at: int, most: int) -> tuple[Sequence[int], Sequence[float]]:
        """The nearest rows to ask `at`, best first, and their cosines."""
        count = len(self.asks)
        if count == 0 or not self.stream.vectors[at].any():
            return (), ()
        cosines = self._rows[:count] @ self.stream.vectors[at]
        if self.stream.scopes:
            scope = self.stream.scopes[at]
            cosines[[self.stream.scopes[ask] != scope for ask in self.asks]] = -1.0
        most = min(most, count)
        best = np.argpartition(-cosines, most - 1)[:most]
        best = best[np.argsort(-cosines[best])]
        return best.tolist(), cosines[best].tolist()

    def put(self, at: int) -> None:
        """Keeps the answer of ask `at`."""
        self._rows[len(self.asks)] = self.stream.vectors[at]
        self.asks.append(at)


def sluice(how: str, alpha: float, *, varied: bool, flips: float = 0.0, shadow: float = 0.015) -> Way:
    """Our own strategy under its controller. `varied` words answers differently each time; `flips`: share of
    comparisons that are turned around, which the controller is told as the comparator's own error."""
    strategy = STRATEGIES[how]

    def run(stream: Stream, seed: int) -> list[Served]:
        controller = Controller(RiskBound(alpha, shadow=shadow), PRIORS[strategy.how])
        chance = random.Random(seed)
        shelf, record = Shelf(stream), Record()
        entries: list[Entry] = []
        served = []
        for at, (text, key) in enumerate(zip(stream.texts, stream.keys, strict=True)):
            controller.request()
            judged: Judged | None = None
            if eligible(text):
                rows, cosines = shelf.nearest(at, NEIGHBOURS)
                near = [Neighbour(entries[r], c) for r, c in zip(rows, cosines, strict=True) if c >= LEAST]
                proposal = strategy.propose(text, near, record)
                if proposal is not None and not proposal.refused:
                    score = controller.score(proposal.features)
                    admitted = controller.admit(score, "all").admitted
                    judged = Judged(strategy.how, proposal, score, admitted)
            wrong = judged is not None and judged.proposal.entry.tenant != key
            shadow_it, rate = False, 1.0
            if judged is not None and judged.served:
                rate = controller.shadow_probability
                shadow_it = controller.wants_shadow("all", chance.random())
            if judged is not None and (not judged.served or shadow_it):
                record.learn(judged.proposal.entry.group, judged.proposal.rival, wrong=wrong)
                seen_wrong = wrong != (chance.random() < flips)
                controller.learn(
                    Evidence(
                        features=judged.proposal.features, score=judged.score, wrong=seen_wrong, partition="all",
                        source=Source.SHADOW if judged.served else Source.MISS, served=judged.served,
                        label_probability=rate, noise=flips,
                    )
                )  # fmt: skip
            hit = judged is not None and judged.served
            pair = (text, judged.proposal.entry.text or "") if judged is not None and hit and wrong else ("", "")
            served.append(Served(hit, hit and wrong, key, shadow_it, ask=pair[0], filled_by=pair[1]))
            if not hit or shadow_it:
                shelf.put(at)
                entries.append(entry(text, key, WORDINGS[at % 5].format(key) if varied else key))
        return served

    return run


def entry(text: str, key: str, answer: str) -> Entry:
    """A stored answer; its `tenant` holds the key, which no strategy reads."""
    core = gist(answer).core
    group = blake2b((core or answer).encode(), digest_size=12).hexdigest()
    return Entry("", "", key, "", "", text, b"", Usage(), 0.0, 0.0, 0.0, 0.0, LABELS + group)


def cosine(least: float) -> Way:
    """The nearest answer at or above a similarity: what most semantic caches do."""

    def run(stream: Stream, seed: int) -> list[Served]:
        shelf = Shelf(stream)
        served = []
        for at, key in enumerate(stream.keys):
            rows, cosines = shelf.nearest(at, 1)
            hit = bool(rows) and cosines[0] >= least
            served.append(Served(hit, hit and stream.keys[shelf.asks[rows[0]]] != key, key))
            if not hit:
                shelf.put(at)
        return served

    return run
