"""Recorded asks through the gateway's own cache, from an empty one: what it would have given, and whether rightly."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sluice_cli.tune.data import Recorded
from sluice_cli.tune.shelf import Shelf
from sluice_cli.tune.vectors import Table, Told
from sluice_sidecar.ask import Caller, Usage
from sluice_sidecar.cache.answers.gist import gist
from sluice_sidecar.cache.answers.same import same
from sluice_sidecar.cache.cache import Cache
from sluice_sidecar.cache.entry import Entry, How
from sluice_sidecar.cache.meaning import COMPARABLE
from sluice_sidecar.cache.reuse.template.strategy import is_document
from sluice_sidecar.config import BuiltinEmbedding, Policy

CLOSED = 1e-9
"""A bound that no evidence reaches: every ask misses, so every proposal gets its label."""

TICKS = 64
"""Asks between two rounds of the cache's upkeep, which a gateway has once a second."""

START = 1_000_000_000.0
"""Unix seconds at which data without times begin; each ask is a millisecond later."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A strategy's proposal. `wrong` None: the two answers cannot be compared."""

    how: How
    score: float
    similarity: float
    wrong: bool | None
    served: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one ask."""

    ask: int
    """Which of the data."""
    how: How | None
    """By which strategy it was answered; None: it went to the model."""
    wrong: bool | None
    """Whether the answer that was given differs from the recorded one; None: none was given, or it cannot be told."""
    shadow: bool
    proposals: tuple[Proposed, ...]
    nearest: tuple[float, bool | None] | None
    """Cosine of the nearest earlier ask, and whether its answer would have been wrong: what plain similarity sees."""

    def row(self) -> list[Any]:
        """As plain data."""
        proposals = [[p.how, p.score, p.similarity, p.wrong, p.served] for p in self.proposals]
        return [self.ask, self.how, self.wrong, self.shadow, proposals, self.nearest]

    @staticmethod
    def of(row: Sequence[Any]) -> "Outcome":
        """What `row` gave. Raises ValueError or TypeError for anything else."""
        ask, how, wrong, shadow, proposals, nearest = row
        return Outcome(
            ask, how, wrong, shadow, tuple(Proposed(*one) for one in proposals),
            None if nearest is None else (nearest[0], nearest[1]),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """One replay. `asks`: the data's asks in the order of the replay, each once."""

    outcomes: Sequence[Outcome]
    needed: Mapping[str, float]
    """For each strategy about how many more right proposals would open it at the end; 0 where it is open."""


async def replay(
    asks: Sequence[Recorded], order: Sequence[int], table: Table, policy: Policy, seed: int, told: Told
) -> Run:
    """Asks `asks[i]` for each i of `order`. `told` is told of each that is done.

    Times are those of the data where it has them, so that lives end as they would have.
    """
    policy = policy.model_copy(update={"store": None, "embedding": BuiltinEmbedding(), "jitter": 0.0, "digest": ""})
    clock = _Clock(START)
    chance = random.Random(seed)  # noqa: S311  (which hits are asked again, no secret)
    cache = Cache(Shelf(), table, clock=clock, monotonic=clock, replica="tune", chance=chance.random)
    outcomes = []
    for done, index in enumerate(order):
        ask = asks[index]
        clock.at = ask.at if ask.at is not None else clock.at + 0.001
        outcomes.append(await _asked(cache, ask, index, table, policy))
        if done % TICKS == 0:
            await cache.learner.tend(clock.at)
        told(1)
    reports = cache.learner.report().get(policy.name, {})
    return Run(outcomes, {how: report.needed for how, report in reports.items()})


async def _asked(cache: Cache, ask: Recorded, index: int, table: Table, policy: Policy) -> Outcome:
    fp = ask.fp
    hit = cache.identical(fp, policy)
    if hit is not None:
        return Outcome(index, "identical", _wrong(ask, hit.entry, table), False, (), None)
    look = await cache.look(fp, policy)
    nearest = None
    if look.neighbours and not (policy.template and is_document(fp.text)):
        first = look.neighbours[0]
        nearest = (first.similarity, _wrong(ask, first.entry, table))
    proposals = tuple(
        Proposed(one.how, one.score, one.proposal.similarity, _wrong(ask, one.proposal.entry, table), one.served)
        for one in look.judged
        if not math.isnan(one.score)  # such a proposal is never given
    )
    if look.hit is None or look.shadow:
        await cache.put(
            fp, policy, Caller(ask.tenant), whole=dict(ask.whole), usage=ask.usage or Usage(), backend="recorded",
            took=ask.took or 0.0, look=look,
        )  # fmt: skip
    how = None if look.hit is None else look.hit.how
    wrong = None if look.hit is None else _wrong(ask, look.hit.entry, table)
    return Outcome(index, how, wrong, look.shadow, proposals, nearest)


def _wrong(ask: Recorded, entry: Entry, table: Table) -> bool | None:
    """Whether an entry's answer differs from the recorded one."""
    said, other = gist(ask.answer), gist(ask.fp.dialect.answer_text(entry.whole))
    told = same(said, other)
    if told is None and max(len(said.text), len(other.text)) <= COMPARABLE:
        told = same(said, other, lambda: table.cosine(said.text, other.text))
    return None if told is None else not told


class _Clock:
    """Stands until it is moved."""

    def __init__(self, at: float) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at
