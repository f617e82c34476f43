"""Decides for one policy and one way of reuse which proposals are served, and learns from what became of them."""

import math
from collections.abc import Mapping, Sequence

from sluice_sidecar.cache.risk.decision import Decision, bounds, decide, dense
from sluice_sidecar.cache.risk.drift import Watch
from sluice_sidecar.cache.risk.evidence import THRESHOLDS, Chapter, bin_of, key_of, together
from sluice_sidecar.cache.risk.model import Prior, ScoreModel
from sluice_sidecar.cache.risk.replica import Part
from sluice_sidecar.cache.risk.shadow import Budget
from sluice_sidecar.cache.risk.terms import Label, PartitionReport, Report, RiskBound, Source, Verdict

FIRST_CHAPTER, LAST_CHAPTER = 8192, 65536
"""Labels of the first chapter and of the largest; each is twice as long as the one before."""

NEAR_BINS = 2
"""Score bins with labels, next below the threshold, that are watched for drift."""


class Controller:
    """Starts closed, opens on evidence, closes when the error changes. Not for use by several threads at once.

    A policy's strategy has one in each replica. Every choice by chance is the caller's, so equal calls give equal ends.
    """

    def __init__(self, bound: RiskBound, prior: Prior | None = None) -> None:
        self._bound = bound
        self._model = ScoreModel(prior or Prior((0.0,), (1.0,)))
        self._own = Part(chapters={1: Chapter()}, alpha=bound.alpha)
        self._others: dict[str, Part] = {}
        self._elsewhere = Chapter()
        self._budget = Budget(bound.shadow)
        self._watch = Watch()
        self._replica: str | None = None
        self._since_decided = 0
        self._opened_in = 0
        self._why_closed = ""
        self._decision = self._decide()

    def promise(self, bound: RiskBound) -> None:
        """Goes on under another bound on the same evidence: a bound at all times holds for every alpha at once.

        Which thresholds passed under a looser one is tested anew, and so is change.
        """
        if bound.alpha < self._bound.alpha:
            self._own.passed = 0
        state = self._budget.state()
        self._bound, self._own.alpha, self._budget = bound, bound.alpha, Budget(bound.shadow)
        self._budget.restore(state)
        self._watch.reset()
        self._decide_anew()

    # At a request

    def request(self) -> None:
        """Counts a request of the policy, hit or not: the shadow budget is a share of these."""
        self._budget.request()

    def score(self, features: Sequence[float]) -> float:
        """P(right), 0..1, by the online model; NaN when a feature is not a finite number."""
        return self._model.score(features)

    def admit(self, score: float, partition: str) -> Verdict:
        """Whether a proposal of this score is served to this partition. An admitted one counts as a hit."""
        verdict = self.considers(score, partition)
        if verdict.admitted:
            self._budget.hit()
        return verdict

    def considers(self, score: float, partition: str) -> Verdict:
        """What `admit` would say now; nothing is counted."""
        now = self._decision
        if not 0.0 <= score <= 1.0:
            return Verdict(False, "score", now.bound, now.threshold)
        if now.at is None:
            return Verdict(False, self._why_closed or now.reason, 1.0, math.inf)
        if score < now.threshold:
            return Verdict(False, "below threshold", now.bound, now.threshold)
        if now.closed and key_of(partition) in now.closed:
            return Verdict(False, "partition", now.bound, now.threshold)
        return Verdict(True, "bound held", now.bound, now.threshold)

    @property
    def shadow_probability(self) -> float:
        """The chance that the next hit is asked again; it goes into that hit's Label."""
        return self._budget.probability

    def wants_shadow(self, partition: str, u: float) -> bool:
        """Whether the hit just admitted is asked again; `u` is drawn evenly from [0, 1). Read the probability first.

        All partitions have the same chance: a label's chance may depend on nothing that goes with its rightness.
        """
        wanted = u < self._budget.probability and key_of(partition) not in self._decision.closed
        if wanted:
            self._budget.spend()
            if self._watch.suspected and not self._budget.all:
                self._watch.calm()
        return wanted

    @property
    def decision(self) -> Decision:
        """What is served now, and to whom not."""
        return self._decision

    @property
    def closures(self) -> int:
        """How often a drift closed it, here and in other replicas."""
        return self._own.closures + sum(part.closures for part in self._others.values())

    # When a label is known

    def learn(self, label: Label) -> None:
        """Takes a label in, in any order. One whose numbers are not usable changes nothing."""
        if not label.usable:
            return
        partition, chapter = key_of(label.partition), self._chapter()
        if label.source is Source.FEEDBACK:
            if label.wrong:
                chapter.complain(partition)
                self._decide_anew()
            return
        if label.features:
            self._model.learn(label.features, label.wrong, label.label_probability)
        at, now = bin_of(label.score), self._decision
        if at < 0 or (label.served and now.at is None):
            return  # below every region, or of before a closure
        common = self._budget.probability if now.at is not None else 1.0
        weight = min(common / label.label_probability, 1.0)
        if weight > 0.0:
            chapter.count(at, label.wrong, weight, label.noise, partition)
        if self._drifted(label, at, min(1.0, max(common, 1e-3) / label.label_probability)):
            self._close("drift")
            return
        self._since_decided += 1
        # A right answer only lowers bounds; an error at or above the threshold must be heard at once.
        worse = label.wrong and now.at is not None and at >= now.at
        if worse or self._since_decided >= max(8.0, self._size / 64.0):
            self._decide_anew()

    def _drifted(self, label: Label, at: int, weight: float) -> bool:
        now = self._decision
        if now.at is None:
            return False
        drifted = False
        if at >= now.at and label.served:
            drifted = self._watch.served(label.wrong, weight, self._bound.alpha, label.noise)
        elif self._near <= at < now.at:
            self._watch.near(label.wrong, self._usual_near(now.at))
        if not self._watch.suspected:
            self._budget.end_burst()
        elif not self._budget.suspect():
            self._watch.calm()
        return drifted

    def _usual_near(self, at: int) -> float:
        """A cautious estimate of the error just below the threshold."""
        total = self._whole.total
        right, wrong = sum(total.right[self._near : at]), sum(total.wrong[self._near : at])
        n = right + wrong
        mean = (wrong + 1.0) / (n + 2.0)
        return min(mean + 2.0 * math.sqrt(mean * (1.0 - mean) / (n + 2.0)), 0.9)

    def _chapter(self) -> Chapter:
        return self._own.chapters[self._own.chapter]

    def _close(self, why: str) -> None:
        self._own.closures += 1
        self._turn(self._own.chapter + 1, self._own.chapter + 1)
        self._why_closed = why
        self._decide_anew()

    def _turn(self, chapter: int, since: int) -> None:
        """Goes on with chapter `chapter`; what lies before `since` is void, there and here."""
        own = self._own
        if since > own.since:
            self._watch.reset()
            self._budget.end_burst()
        own.chapter, own.since, own.passed = max(chapter, own.chapter), max(since, own.since), 0
        own.chapters = {n: c for n, c in own.chapters.items() if n >= own.begin}
        own.chapters.setdefault(own.chapter, Chapter())
        self._gather()

    def _gather(self) -> None:
        begin = self._own.begin
        self._elsewhere = together(c for p in self._others.values() for n, c in p.chapters.items() if n >= begin)

    def _decide_anew(self) -> None:
        self._since_decided = 0
        before = self._decision
        self._decision = self._decide()
        own = self._own
        if self._decision.at is not None:
            self._why_closed = ""
            if before.at is None and self._opened_in != own.since:
                self._opened_in = own.since
                self._budget.opened()
        full = min(FIRST_CHAPTER << min(own.chapter - own.since, 10), LAST_CHAPTER)
        current = own.chapters[own.chapter].labels + sum(
            p.chapters[own.chapter].labels for p in self._others.values() if own.chapter in p.chapters
        )
        if current >= full:
            self._turn(own.chapter + 1, own.since)
            self._decision = self._decide()

    def _decide(self) -> Decision:
        own = self._own
        self._whole = together((self._elsewhere, *(c for n, c in own.chapters.items() if n >= own.begin)))
        self._size = self._whole.labels
        decision = decide(self._whole, self._bound, own.begin, own.passed)
        own.passed = decision.passed
        below = dense(self._whole)[: decision.at or 0]
        self._near = ([at for at in range(len(below)) if below[at]][-NEAR_BINS:] or [len(below)])[0]
        return decision

    # Between replicas

    def snapshot(self, replica: str) -> bytes:
        """This replica's own counts, at most 8 KB, to be written under its name. It is `replica` from now on."""
        self._replica = replica
        self._own.budget = self._budget.state()
        self._own.model = self._model.state()
        return self._own.to_bytes(replica)

    def restore(self, replica: str, data: bytes) -> bool:
        """Goes on as `replica` from its snapshot, after a restart. False, and all closed, where that is damaged."""
        part = Part.from_bytes(data)
        self._replica = replica
        if part is None:
            return False
        if part.alpha > self._bound.alpha:
            part.passed = 0  # under a looser bound
        self._own, part.alpha = part, self._bound.alpha
        self._budget.restore(part.budget)
        self._model.restore(part.model)
        self._opened_in = part.since if part.budget[1] else 0
        part.chapters.setdefault(part.chapter, Chapter())
        self._gather()
        self._decide_anew()
        return True

    def merge(self, snapshots: Mapping[str, bytes]) -> None:
        """Takes in what the other replicas wrote, in place of what they wrote before; its own name is passed over.

        A closure there closes here. A damaged snapshot counts as none. A replica that has learned nothing yet starts
        with the weights of the one that has learned most.
        """
        read = {name: Part.from_bytes(data) for name, data in snapshots.items() if name != self._replica}
        self._others = {name: part for name, part in read.items() if part is not None}
        parts = list(self._others.values())
        chapter = max([self._own.chapter, *(p.chapter for p in parts)])
        since = max([self._own.since, *(p.since for p in parts)])
        if since > self._own.since:
            self._why_closed = "drift"
        if chapter > self._own.chapter or since > self._own.since:
            self._turn(chapter, since)
        self._gather()
        for part in parts:
            if part.begin == self._own.begin and part.alpha <= self._bound.alpha:
                self._own.passed |= part.passed
        if self._model.labels == 0 and parts:
            self._model.restore(max(parts, key=lambda p: int(p.model.get("n", 0))).model)
        self._decide_anew()

    # To be looked at

    def report(self) -> Report:
        """All that console and command line show, every label until now included."""
        self._decide_anew()
        now, own, total = self._decision, self._own, self._whole.total
        low = now.at or 0
        right, wrong = sum(total.right[low:]), sum(total.wrong[low:])
        parts = self._others.values()
        return Report(
            open=now.at is not None, reason=self._why_closed or now.reason,
            bound=now.bound, threshold=now.threshold, labels=right + wrong, errors=wrong, noise=now.noise,
            needed=now.needed,
            requests=self._budget.requests + sum(p.budget[0] for p in parts),
            served=self._budget.hits + sum(p.budget[1] for p in parts),
            shadowed=self._budget.shadowed + sum(p.budget[2] for p in parts),
            shadow_probability=self._budget.probability,
            drift=self._watch.level, suspected=self._watch.suspected,
            closures=self.closures, chapter=own.chapter, capped=now.capped,
            thresholds=THRESHOLDS, bounds=bounds(self._whole, self._bound, own.begin),
            partitions={
                name: PartitionReport(
                    sum(t.right[low:]) + sum(t.wrong[low:]), sum(t.wrong[low:]), t.complaints, name in now.closed
                )
                for name, t in self._whole.partitions.items()
            },
        )  # fmt: skip
