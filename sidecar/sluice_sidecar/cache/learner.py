"""What the cache knows of its own mistakes: one controller a policy and strategy, shared through the policy's store."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import Any

from sluice_sidecar.cache.entry import How
from sluice_sidecar.cache.evidence import EvidenceRecords
from sluice_sidecar.cache.history import History
from sluice_sidecar.cache.look import Judged
from sluice_sidecar.cache.reuse.priors import PRIORS
from sluice_sidecar.cache.risk import Controller, Label, Report, RiskBound, Source
from sluice_sidecar.cache.stores.store import Store, StoreError
from sluice_sidecar.cache.tally import Tally
from sluice_sidecar.cache.vectors import BUILTIN
from sluice_sidecar.config import Embedding, Policy, Verifier

log = logging.getLogger("sluice.cache")

WRITE = 10.0
"""Seconds between two writes of new evidence: what a killed process forgets."""
READ = 30.0
"""Seconds after which the other replicas' evidence is read again."""


@dataclass(slots=True)
class _Kept:
    controller: Controller
    records: EvidenceRecords
    policy: Policy
    heard: bool = False
    """Whether the store's evidence was read; until then nothing is admitted, so that no closure is forgotten."""
    changed: bool = False
    written: float = 0.0
    read: float = 0.0
    history: History = field(default_factory=History)


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a strategy is open, and the upper bound on its error (1 while closed) beside the promised one."""

    open: bool
    bound: float
    promised: float | None


class Learner:
    """Evidence of every policy and strategy. Judging costs some 20 us; the store is read and written in `tend`."""

    def __init__(self, replica: str, of: Callable[[Policy], Store | None]) -> None:
        self._replica, self._of = replica, of
        self._kept: dict[tuple[str, How], _Kept] = {}
        self.tally = Tally()

    def _at(self, policy: Policy, how: How) -> _Kept:
        kept = self._kept.get((policy.name, how))
        if kept is not None and _terms(kept.policy, how) == _terms(policy, how):
            return kept
        assert policy.bound is not None
        bound = RiskBound(alpha=policy.bound, shadow=policy.shadow)
        if kept is None or _about(kept.policy, how) != _about(policy, how):
            kept = _Kept(Controller(bound, PRIORS[how]), EvidenceRecords(_owner(policy, how), how), policy)
            kept.heard = self._of(policy) is None
            self._kept[policy.name, how] = kept
        else:
            kept.controller.promise(bound)
        kept.policy = policy
        return kept

    def requested(self, policy: Policy) -> None:
        """Counts a request that was looked up: shadow calls are a share of them."""
        if policy.bound is not None:
            for (name, _), kept in self._kept.items():
                if name == policy.name:
                    kept.controller.request()

    def score(self, policy: Policy, how: How, features: tuple[float, ...]) -> float:
        """Estimated probability that a proposal is right; NaN when a feature is none."""
        return self._at(policy, how).controller.score(features)

    def admit(self, policy: Policy, how: How, score: float, partition: str) -> bool:
        """Whether a proposal of this score is given; one that is counts as a hit."""
        kept = self._at(policy, how)
        return kept.heard and kept.controller.admit(score, partition).admitted

    def considers(self, policy: Policy, how: How, score: float) -> bool:
        """Whether `admit` may give it now, closed partitions aside; nothing is counted."""
        kept = self._at(policy, how)
        decision = kept.controller.decision
        return kept.heard and decision.at is not None and score >= decision.threshold

    def shadow(self, policy: Policy, how: How, partition: str, chance: float) -> tuple[bool, float]:
        """Whether the hit just admitted is asked again, and how likely that was. `chance` is uniform in 0..1."""
        controller = self._at(policy, how).controller
        rate = controller.shadow_probability
        wanted = controller.wants_shadow(partition, chance)
        self.tally.checked[policy.name, how] += wanted
        return wanted, rate

    def learn(self, policy: Policy, one: Judged, *, wrong: bool, partition: str, source: Source) -> None:
        """Takes one label; one of evidence that was dropped meanwhile, or that nothing bounds, is none."""
        kept = self._kept.get((policy.name, one.how))
        if kept is None or _about(kept.policy, one.how) != _about(policy, one.how):
            return
        kept.changed = True
        self.tally.labels[policy.name, one.how, source, wrong] += 1
        kept.controller.learn(
            Label(
                features=one.proposal.features, score=one.score, wrong=wrong, partition=partition, source=source,
                served=one.served, label_probability=one.labelled,
            )
        )  # fmt: skip

    def forget(self) -> None:
        """Drops all evidence, as a purge of everything does: each strategy is closed until it is proven anew."""
        self._kept.clear()

    async def tend(self, now: float) -> None:
        """One round of upkeep: reads the others' evidence, writes this one's. A store that is away waits."""
        for kept in list(self._kept.values()):
            kept.history.note(now, kept.controller.decision.at is not None, kept.controller.report)
            store = self._of(kept.policy)
            if store is None:
                continue
            try:
                if not kept.heard or now - kept.read >= READ:
                    found = await kept.records.read(store, now)
                    if not kept.heard and (own := found.get(self._replica)) is not None:
                        kept.controller.restore(self._replica, own)
                    kept.controller.merge({name: data for name, data in found.items() if name != self._replica})
                    kept.heard, kept.read = True, now
                if kept.changed and now - kept.written >= WRITE:
                    kept.changed, kept.written = False, now
                    await kept.records.write(store, self._replica, kept.controller.snapshot(self._replica), now)
            except StoreError as error:
                log.debug("evidence could not be shared", extra={"reason": str(error)})

    def report(self) -> Mapping[str, Mapping[str, Report]]:
        """Policy -> strategy -> what its evidence says."""
        found: dict[str, dict[str, Report]] = {}
        for (name, how), kept in self._kept.items():
            found.setdefault(name, {})[how] = kept.controller.report()
        return found

    def standing(self) -> Mapping[tuple[str, How], Standing]:
        """Policy and strategy -> what it stands at, as last decided: free to ask, unlike a report (0.7 ms each)."""
        return {
            name: Standing(kept.controller.decision.at is not None, kept.controller.decision.bound, kept.policy.bound)
            for name, kept in self._kept.items()
        }

    def shown(self) -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
        """The same as plain data, with the bound that is promised and how the one held went."""
        found: dict[str, dict[str, Mapping[str, Any]]] = {}
        for (name, how), kept in self._kept.items():
            found.setdefault(name, {})[how] = {
                **asdict(kept.controller.report()), "promised": kept.policy.bound, "history": kept.history.shown(),
            }  # fmt: skip
        return found


def _about(policy: Policy, how: How) -> tuple[object, ...]:
    """What evidence is about: of another store's answers, another embedding's neighbours or another verifier's choice
    of them it is gathered anew."""
    return policy.store, policy.embedding, _verifier(policy, how)


def _terms(policy: Policy, how: How) -> tuple[object, ...]:
    """Under what it is judged: evidence stays when the bound or the budget changes."""
    return policy.bound, policy.shadow, *_about(policy, how)


def _owner(policy: Policy, how: How) -> str:
    """Whose evidence it is: a policy's, and with an embedding or a verifier of its own theirs alone."""
    owner = policy.name
    if policy.embedding != BUILTIN:
        owner += f"/{_digest(policy.embedding)}"
    verifier = _verifier(policy, how)
    return owner if verifier is None else f"{owner}/verified {_digest(verifier)}"


def _verifier(policy: Policy, how: How) -> Verifier | None:
    """The verifier that a strategy's proposals must pass."""
    return policy.paraphrase.verifier if how == "paraphrase" and policy.paraphrase else None


def _digest(settings: Embedding | Verifier) -> str:
    return blake2b(settings.model_dump_json().encode(), digest_size=8).hexdigest()
