"""Reuse by meaning: neighbours, what the strategies make of them, and what the model's own answer then teaches."""

import asyncio
import dataclasses
import random
from collections import Counter
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

from sluice_sidecar.cache.answers.gist import Gist, gist
from sluice_sidecar.cache.answers.same import same
from sluice_sidecar.cache.embedders.embedder import filled
from sluice_sidecar.cache.entry import LABELS, Entry, Hit, How, is_label
from sluice_sidecar.cache.fingerprint import Fingerprint
from sluice_sidecar.cache.layouts import Layouts
from sluice_sidecar.cache.learner import Learner
from sluice_sidecar.cache.look import Judged, Look
from sluice_sidecar.cache.reuse.label import Label
from sluice_sidecar.cache.reuse.paraphrase import Paraphrase, eligible
from sluice_sidecar.cache.reuse.record import Record
from sluice_sidecar.cache.reuse.strategy import Neighbour, Proposal, Strategy
from sluice_sidecar.cache.reuse.template import SIBLINGS
from sluice_sidecar.cache.reuse.template.induction import HISTORY
from sluice_sidecar.cache.reuse.template.strategy import is_document
from sluice_sidecar.cache.reuse.vote import LEAST, NEIGHBOURS
from sluice_sidecar.cache.risk import Source
from sluice_sidecar.cache.stores.store import Store, StoreError
from sluice_sidecar.cache.ttl import SKEW
from sluice_sidecar.cache.vectors import PATIENT, SLOWEST, Vectors
from sluice_sidecar.cache.verifiers.verdicts import Verdicts
from sluice_sidecar.cache.verifiers.verifier import Verdict
from sluice_sidecar.config import WIDTH, Policy
from sluice_sidecar.dialects.dialect import Dialect

if TYPE_CHECKING:
    from sluice_sidecar.cache.embed import Vector

COMPARABLE = 1_200
"""Characters of prose that is compared by embedding: about one window of the builtin model, whose figures the
thresholds are. In a mean over several windows a sentence that differs drowns."""

COMPARED = 4
"""Members of a group, and groups, that an answer is compared with: each may cost an embedding."""

INLINE = 1_000
"""Characters of an answer that is read where it is needed, some milliseconds at most; a longer one in a thread."""

LABEL, PARAPHRASE = Label(), Paraphrase()


def strategies(policy: Policy) -> tuple[Strategy, ...]:
    """Those that compare the wording of asks, the one that is sure most often first."""
    wanted: list[Strategy] = []
    if policy.label and policy.bound is not None:
        wanted.append(LABEL)
    if policy.paraphrase is not None:
        wanted.append(PARAPHRASE)
    return tuple(wanted)


class Meaning:
    """The part of the cache that compares what asks mean. Nothing here raises but StoreError."""

    def __init__(
        self, vectors: Vectors, learner: Learner, verdicts: Verdicts, counts: Counter[str], refusals: Counter[str],
        *, now: Callable[[], float], read: Callable[[bytes], Entry | None], chance: Callable[[], float] = random.random,
    ) -> None:  # fmt: skip
        """`read` makes an entry of a record, None of a damaged one; `chance` is uniform in 0..1."""
        self._vectors, self._learner, self._verdicts = vectors, learner, verdicts
        self._counts, self._refusals = counts, refusals
        self._now, self._read, self._chance = now, read, chance
        self._record = Record()
        self._layouts = Layouts(refusals, now)

    def applies(self, policy: Policy, text: str | None) -> bool:
        """Whether an ask of this text is compared with others at all."""
        return self._is_document(policy, text) or (
            self._vectors.there(policy.embedding) and bool(strategies(policy)) and eligible(text)
        )  # fmt: skip

    @staticmethod
    def _is_document(policy: Policy, text: str | None) -> bool:
        return policy.template and policy.bound is not None and is_document(text)

    def scope(self, fp: Fingerprint, policy: Policy) -> str:
        """Where the ask's neighbours lie: documents, other asks and another embedder's are never each other's."""
        if self._is_document(policy, fp.text):
            # A policy's next store may be of another width on the same server.
            return f"{fp.scope}/layouts" if policy.width == WIDTH else f"{fp.scope}/layouts/{policy.width}"
        return self._vectors.scope(fp.scope, policy.embedding)

    async def vector(self, fp: Fingerprint, policy: Policy, *, patient: bool = False) -> "Vector | None":
        """By what the ask is found again; None: by its key alone."""
        if fp.text is None:
            return None
        if self._is_document(policy, fp.text):
            signature = await self._layouts.vector(fp.text)
            return signature if signature.any() else None
        return await self._vectors.of(fp.text, PATIENT if patient else SLOWEST, policy.embedding)

    async def look(
        self, store: Store, fp: Fingerprint, policy: Policy, *, least: float, max_age: float | None
    ) -> Look:  # fmt: skip
        """What earlier answers say to this ask, and whether one of them may be given.

        `least`: cosine below which a paraphrase is not given. Raises StoreError.
        """
        vector = await self.vector(fp, policy)
        if vector is None or not 0.0 <= least <= 1.0:
            return Look()
        look = Look(vector=vector, neighbours=await self._neighbours(store, fp, policy, vector, max_age))
        self._learner.requested(policy)
        judged: list[Judged] = []
        for how, proposal in await self._proposals(fp, policy, look.neighbours):
            if proposal.refused:
                self._refuse(proposal.refused)
                continue
            one = await self._judge(policy, fp, how, proposal, least, wanted=look.hit is None)
            if one.served:
                look.hit = Hit(how, proposal.entry, proposal.similarity)
            judged.append(one)
        rate = 1.0
        if look.hit is not None and policy.bound is not None:
            look.shadow, rate = self._learner.shadow(policy, look.hit.how, fp.partition, self._chance())
        # All labels of this look come from the same call, so they are as likely.
        look.judged = tuple(dataclasses.replace(one, labelled=rate) for one in judged)
        return look

    async def around(self, store: Store, fp: Fingerprint, policy: Policy) -> Look:
        """The neighbours of an ask that was answered elsewhere: nothing is proposed or counted. Raises StoreError."""
        vector = await self.vector(fp, policy, patient=True)
        if vector is None:
            return Look()
        return Look(vector=vector, neighbours=await self._neighbours(store, fp, policy, vector))

    async def _proposals(
        self, fp: Fingerprint, policy: Policy, neighbours: Sequence[Neighbour]
    ) -> list[tuple[How, Proposal]]:
        assert fp.text is not None
        if self._is_document(policy, fp.text):
            made = await self._layouts.propose(fp, neighbours, self._record)
            return [] if made is None else [("template", made)]
        found = ((one.how, one.propose(fp.text, neighbours, self._record)) for one in strategies(policy))
        return [(how, proposal) for how, proposal in found if proposal is not None]

    async def _neighbours(
        self, store: Store, fp: Fingerprint, policy: Policy, vector: "Vector", max_age: float | None = None
    ) -> tuple[Neighbour, ...]:
        now = self._now()
        least, most = (SIBLINGS, HISTORY) if self._is_document(policy, fp.text) else (LEAST, NEIGHBOURS)
        found = await store.nearest(self.scope(fp, policy), packed(vector, policy), least, most, now)
        neighbours = []
        for similarity, data in found:
            entry = self._read(data)
            # The filter was part of the query; what came is checked again, whatever the store says.
            if (
                entry is not None and entry.scope == fp.scope and entry.policy == policy.name
                and least <= similarity and now - entry.created >= -SKEW and now < entry.expires
                and (max_age is None or now - entry.created <= max_age)
            ):  # fmt: skip
                neighbours.append(Neighbour(entry, min(similarity, 1.0)))
        return tuple(neighbours)

    async def _judge(
        self, policy: Policy, fp: Fingerprint, how: How, proposal: Proposal, least: float, *, wanted: bool
    ) -> Judged:
        """`wanted`: no other strategy's proposal is given already."""
        near = how != "paraphrase" or proposal.similarity >= least
        if policy.bound is None:
            # Nothing measures the error here, so every guard that only hints refuses as well.
            if near and proposal.hints:
                self._refuse(proposal.hints)
            could = wanted and near and not proposal.hints
            verdict = await self._verdict(policy, fp, how, proposal) if could else None
            return Judged(how, proposal, proposal.similarity, served=verdict == "agrees", verdict=verdict)
        score = self._learner.score(policy, how, proposal.features)
        could = wanted and near and self._learner.considers(policy, how, score)
        verdict = await self._verdict(policy, fp, how, proposal) if could else None
        # Counted as a hit only now; the evidence may have closed the strategy during the wait.
        served = verdict == "agrees" and self._learner.admit(policy, how, score, fp.partition)
        return Judged(how, proposal, score, served, verdict=verdict)

    async def _verdict(self, policy: Policy, fp: Fingerprint, how: How, proposal: Proposal) -> Verdict:
        if how != "paraphrase" or policy.paraphrase is None or policy.paraphrase.verifier is None:
            return "agrees"
        verdict = await self._verdicts.of(policy, fp.text or "", proposal.entry.text or "")
        if verdict == "differs":
            self._refuse(("verifier",))
        return verdict

    def _refuse(self, reasons: Sequence[str]) -> None:
        self._counts["vetoed"] += 1
        self._refusals[reasons[0]] += 1

    # Learning

    async def group(self, fp: Fingerprint, policy: Policy, answer: str, look: Look | None) -> str:
        """The group that an answer belongs to: a layout's, a short answer's own, a neighbour's that says the same."""
        neighbours = look.neighbours if look else ()
        if self._is_document(policy, fp.text):
            return self._layouts.group(fp, neighbours)
        said = await _read(answer)
        if said.core is not None:
            start = LABELS if said.kind == "label" else ""
            return start + blake2b(f"{said.kind}:{said.core}".encode(), digest_size=12).hexdigest()
        tried: set[str] = set()
        for neighbour in neighbours:
            group = neighbour.entry.group
            if not group or group in tried or len(tried) >= COMPARED:
                continue
            tried.add(group)
            if await self._same(said, await _read(fp.dialect.answer_text(neighbour.entry.whole))):
                return group
        return blake2b(answer.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()

    async def learn(self, policy: Policy, fp: Fingerprint, look: Look, answer: str, group: str) -> None:
        """Takes the model's own answer, which belongs to `group`, as the label of every proposal of this look."""
        if policy.bound is None:
            return
        said = await _read(answer)
        source = Source.SHADOW if look.shadow else Source.MISS
        for one in look.judged:
            wrong = await self._wrong(said, one.proposal.entry, look, fp.dialect)
            if wrong is None and one.how == "label" and is_label(group):
                # "refund" and "refund status" may be one class or two; where both are given, they are two.
                wrong = group != one.proposal.entry.group and any(n.entry.group == group for n in look.neighbours)
                wrong = wrong or None
            if wrong is None:
                self._counts["incomparable"] += 1
                continue
            verdict = one.verdict or await self._verdict(policy, fp, one.how, one.proposal)
            if verdict != "agrees":
                continue  # it would not have been given: see Verdicts
            self._record.learn(one.proposal.entry.group, one.proposal.rival, wrong=wrong)
            self._learner.learn(policy, one, wrong=wrong, partition=fp.partition, source=source)

    async def study(self, store: Store, fp: Fingerprint, policy: Policy, vector: "Vector") -> None:
        """Learns the layout of a document that was just stored, where there is something new. Raises StoreError."""
        if self._is_document(policy, fp.text):
            siblings = await self._neighbours(store, fp, policy, vector)
            await self._layouts.learn(fp.key, siblings, fp.dialect)

    async def _wrong(self, said: Gist, entry: Entry, look: Look, dialect: Dialect) -> bool | None:
        """Whether a proposed answer was wrong. A difference counts once it holds for the answer's equals as well."""
        equals = [n.entry for n in look.neighbours if n.entry.group == entry.group and n.entry is not entry]
        if said.core is not None:
            equals = []  # compared exactly: the others of the group say the same
        verdict: bool | None = None
        for other in (entry, *equals[: COMPARED - 1]):
            alike = await self._same(said, await _read(dialect.answer_text(other.whole)))
            if alike:
                return False
            verdict = verdict if alike is None else True
        return verdict

    async def _same(self, one: Gist, other: Gist) -> bool | None:
        long = max(len(one.text), len(other.text)) > INLINE
        told = await asyncio.to_thread(same, one, other) if long else same(one, other)
        if told is not None or max(len(one.text), len(other.text)) > COMPARABLE:
            return told
        a, b = await self._vectors.of(one.text, PATIENT), await self._vectors.of(other.text, PATIENT)
        if a is None or b is None:
            return None
        near = float(a @ b)
        return same(one, other, lambda: near)

    def forget(self, entry: str | None) -> None:
        """Drops what was learned of documents from an entry, None: all of it."""
        self._layouts.forget(entry)


def packed(vector: "Vector", policy: Policy) -> bytes:
    """A vector as the policy's store keeps it. Raises StoreError where it does not fit."""
    try:
        return filled(vector, policy.width)
    except ValueError as error:
        raise StoreError(str(error)) from error


async def _read(answer: str) -> Gist:
    return gist(answer) if len(answer) <= INLINE else await asyncio.to_thread(gist, answer)
