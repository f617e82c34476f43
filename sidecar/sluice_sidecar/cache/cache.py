"""The semantic cache of one process: memory in front, a store behind, strategies in between."""

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any
from uuid import uuid4

import orjson

from sluice_sidecar.ask import Caller, Usage
from sluice_sidecar.cache.clock import SteadyClock
from sluice_sidecar.cache.embedders.embedder import Embedder, OwnEmbedder
from sluice_sidecar.cache.entry import Damaged, Entry, Hit
from sluice_sidecar.cache.fingerprint import Fingerprint
from sluice_sidecar.cache.hits import SHOWN, Hits, Reused
from sluice_sidecar.cache.learner import Learner
from sluice_sidecar.cache.look import Look
from sluice_sidecar.cache.meaning import Meaning, packed
from sluice_sidecar.cache.memory import Memory
from sluice_sidecar.cache.reuse.identical import identical
from sluice_sidecar.cache.risk import Source
from sluice_sidecar.cache.stores.scannable import Scannable
from sluice_sidecar.cache.stores.store import Record, Store, StoreError, StoreLocked
from sluice_sidecar.cache.timely import timely
from sluice_sidecar.cache.ttl import lifetime
from sluice_sidecar.cache.vectors import Vectors
from sluice_sidecar.cache.verifiers.verdicts import Verdicts
from sluice_sidecar.cache.verifiers.verifier import Verifier
from sluice_sidecar.config import Embedding, Policy, SharedStore, VerifierModel

log = logging.getLogger("sluice.cache")

TICK = 1.0
"""Seconds between two rounds of upkeep."""


class Cache:
    """What was answered before. One a process, shared by every route with a policy.

    A policy's entries lie in `store`, or in the shared store that it names (see `share`).
    No failure of store or embedder reaches a caller: it is a miss, counted, and said once in the log.
    """

    def __init__(
        self, store: Store | None, embedder: Embedder | None, *,
        clock: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic,
        memory: Memory | None = None, replica: str | None = None, chance: Callable[[], float] = random.random,
    ) -> None:  # fmt: skip
        """`replica` names this process among those that share a store, and outlives it: its evidence is its own.

        `chance` is uniform in 0..1: which hits are asked again.
        """
        self._store = store
        self._shared: dict[SharedStore, Store] = {}
        self._stores: tuple[Store, ...] = () if store is None else (store,)
        self._memory = memory if memory is not None else Memory()
        self._now = SteadyClock(clock, monotonic)
        self._counts: Counter[str] = Counter()
        self._vetoes: Counter[str] = Counter()
        self._vectors = Vectors(embedder, self._counts)
        self.learner = Learner(replica or uuid4().hex, self._of)
        self._verdicts = Verdicts(self._counts)
        self._meaning = Meaning(
            self._vectors, self.learner, self._verdicts, self._counts, self._vetoes,
            now=self._now, read=self._read, chance=chance,
        )  # fmt: skip
        self._hits = Hits()
        self._touched: set[str] = set()
        self._purges = 0
        self._keeper: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Opens the store and starts its upkeep. Raises StoreLocked; on other trouble the store stays off for now."""
        if self._store is not None:
            try:
                await self._store.open()
            except StoreLocked:
                raise
            except StoreError as error:
                log.warning(
                    "the cache store cannot be opened; the gateway serves on without it", extra={"reason": str(error)}
                )
            self._keep_on()

    async def share(self, stores: Mapping[SharedStore, Store]) -> None:
        """Uses these stores for the policies that name them; opens new ones, closes those that are not among them.

        The same object under the same settings stays as it is. A server that is away is tried again by itself.
        """
        old, self._shared = self._shared, dict(stores)
        self._stores = (*(() if self._store is None else (self._store,)), *self._shared.values())
        new = [store for store in self._shared.values() if store not in old.values()]
        await asyncio.gather(*(_opened(store) for store in new))
        await asyncio.gather(*(store.close() for store in old.values() if store not in self._stores))
        self._keep_on()

    def _keep_on(self) -> None:
        if self._stores and self._keeper is None:
            self._keeper = asyncio.get_running_loop().create_task(self._keep())

    def _of(self, policy: Policy) -> Store | None:
        return self._store if policy.store is None else self._shared.get(policy.store)

    async def close(self) -> None:
        """Makes the store durable and lets go."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        for store in self._stores:
            await store.close()

    def use(
        self, embedder: Embedder | None, own: Mapping[Embedding, OwnEmbedder] | None = None,
        verifiers: Mapping[VerifierModel, Verifier] | None = None,
    ) -> None:  # fmt: skip
        """Takes the models of another Config: the builtin embedder, and what its policies name besides."""
        self._vectors.use(embedder, own)
        self._verdicts.use(verifiers or {})

    @property
    def entries(self) -> int:
        """Entries in this process's memory."""
        return len(self._memory)

    async def warm(self) -> None:
        """Embeds one text with each embedder, so that no ask waits for a model to load. Says so if that fails."""
        await self._vectors.warm()

    # Reading

    def identical(self, fp: Fingerprint, policy: Policy, *, max_age: float | None = None) -> Hit | None:
        """The answer to this very ask, from memory alone: the hot path, a few microseconds."""
        if not policy.identical:
            return None
        entry = self._memory.get(fp.key)
        if entry is None:
            return None
        hit = identical(fp, entry, self._now(), max_age)
        if hit is not None:
            self._counts["stale" if hit.stale else "identical"] += 1
            if self._stores:
                self._touched.add(fp.key)
        return hit

    async def look(
        self, fp: Fingerprint, policy: Policy, *, max_age: float | None = None, min_similarity: float | None = None
    ) -> Look:
        """Looks for an answer in the store: identical, else by the policy's other strategies.

        Without a hit the look is handed to `put` with the answer that a model gave, which labels what was proposed.
        `max_age` (seconds) and `min_similarity` (cosine) are the caller's; they tighten the policy, never loosen it.
        Call it after `identical` found nothing.
        """
        store = self._of(policy)
        look = Look()
        if store is not None:
            try:
                if policy.identical:
                    look.hit = await self._stored(store, fp, max_age)
                if look.hit is None and self._meaning.applies(policy, fp.text):
                    least = policy.paraphrase.similarity if policy.paraphrase else 0.0
                    if min_similarity is not None and not min_similarity <= least:  # NaN asks for the impossible
                        least = min_similarity
                    look = await self._meaning.look(store, fp, policy, least=least, max_age=max_age)
            except StoreError as error:
                self._counts["store_errors"] += 1
                log.debug("the cache store failed", extra={"reason": str(error)})
        hit = look.hit
        self._counts["miss" if hit is None else "stale" if hit.stale else hit.how] += 1
        if hit is not None:
            self._touched.add(hit.entry.key)
        return look

    def served(self, request: str, tenant: str, fp: Fingerprint, policy: Policy, look: Look) -> None:
        """Remembers a hit by meaning under the id that its caller got, for feedback and for the console."""
        one = next((one for one in look.judged if one.served), None)
        if one is not None:
            self.learner.tally.hits[policy.name, one.how] += 1
            entry = one.proposal.entry
            filled = look.neighbours[0].entry if one.how == "template" else entry
            self._hits.add(
                Reused(
                    request, self._now(), tenant, policy, fp.partition, one,
                    (fp.text or "")[:SHOWN], (filled.text or "")[:SHOWN], filled.key,
                )
            )  # fmt: skip

    async def feedback(self, request: str, tenant: str) -> bool:
        """Takes a caller's word that a reused answer was wrong: it counts against that caller's partition alone, and
        the entry goes if it is of the same tenant: where tenants share answers, nobody takes out another's.

        False: there is no such hit of this tenant's, or not any more. Raises StoreError.
        """
        hit = self._hits.take(request, tenant)
        if hit is None:
            return False
        self._counts["complaints"] += 1
        self.learner.learn(hit.policy, hit.judged, wrong=True, partition=hit.partition, source=Source.FEEDBACK)
        await self._purge(None, tenant, hit.key)
        return True

    def recent(self, n: int) -> Sequence[Reused]:
        """The last n hits by meaning, newest first."""
        return self._hits.recent(n)

    async def _stored(self, store: Store, fp: Fingerprint, max_age: float | None) -> Hit | None:
        now = self._now()
        data = await store.get(fp.key, now)
        if data is None:
            return None
        entry = self._read(data)
        if entry is None:
            await store.drop(fp.key)
            return None
        hit = identical(fp, entry, now, max_age)
        if hit is not None:
            self._memory.put(entry)
        return hit

    def _read(self, data: bytes) -> Entry | None:
        try:
            return Entry.from_bytes(data)
        except Damaged as error:
            self._counts["damaged"] += 1
            log.warning("a cache record was passed over", extra={"reason": str(error)})
            return None

    # What was answered elsewhere, and moving

    async def around(self, fp: Fingerprint, policy: Policy) -> Look:
        """What lies near an ask whose answer comes from elsewhere, to be handed to `put`. Raises StoreError."""
        store = self._of(policy)
        if store is None or not self._meaning.applies(policy, fp.text):
            return Look()
        return await self._meaning.around(store, fp, policy)

    async def made(self, fp: Fingerprint, policy: Policy) -> float | None:
        """When the answer that is kept to this very ask was given; None: none is. Raises StoreError."""
        entry, store, now = self._memory.get(fp.key), self._of(policy), self._now()
        if entry is None and store is not None and (data := await store.get(fp.key, now)) is not None:
            entry = self._read(data)
        return entry.created if entry is not None and now < entry.expires else None

    async def kept(self, policy: Policy) -> AsyncIterator[Entry]:
        """Every living entry of a policy's store, in no order. Raises StoreError."""
        store = self._of(policy)
        if store is None:
            raise StoreError("there is no store: this gateway keeps answers in memory alone (sluice run --data keeps)")
        if not isinstance(store, Scannable):
            raise StoreError("this store cannot list its entries")
        async for data in store.scan(policy.name):
            entry = self._read(data)
            if entry is not None and entry.policy == policy.name and self._now() < entry.expires:
                yield entry

    # Writing

    async def put(
        self, fp: Fingerprint, policy: Policy, caller: Caller, *,
        whole: dict[str, Any], usage: Usage, backend: str, took: float, max_age: float | None = None,
        look: Look | None = None, created: float | None = None,
    ) -> bool:  # fmt: skip
        """Keeps a whole, good answer (what is good is the caller's to judge). False: too large, or no life left.

        `created` (unix seconds) is when it was given, where that is not now: its life began then.

        In memory when it returns to the event loop first, so the next equal ask hits; then embedded, compared with what
        `look` (what the same ask found before) had proposed, and stored.
        """
        body = orjson.dumps(whole)
        now = self._now()
        created = now if created is None else min(created, now)
        if policy.timely is not None and fp.text is not None and timely(fp.text):
            max_age = policy.timely if max_age is None else min(max_age, policy.timely)
            self._counts["timely"] += 1
        expires, stale_until = lifetime(policy, created, max_age=max_age)
        if len(body) > policy.limits.answer_bytes or policy.limits.entries < 1 or stale_until <= now:
            self._counts["not_kept"] += 1
            return False
        entry = Entry(
            fp.key, fp.scope, caller.tenant, policy.name, backend, fp.text, body, usage, took, created, expires,
            stale_until,
        )  # fmt: skip
        self._memory.put(entry)
        self._counts["put"] += 1
        store = self._of(policy)
        if store is None:
            return True
        purges = self._purges
        vector = None
        said = fp.dialect.answer_text(whole)
        if said and self._meaning.applies(policy, fp.text):
            vector = look.vector if look is not None else None
            if vector is None:
                vector = await self._meaning.vector(fp, policy, patient=True)
            entry.group = await self._meaning.group(fp, policy, said, look)
            if look is not None:
                await self._meaning.learn(policy, fp, look, said, entry.group)
            if purges != self._purges and self._memory.get(fp.key) is not entry:
                return False  # purged while it was embedded
        try:
            await store.put(
                Record(
                    fp.key, self._meaning.scope(fp, policy), caller.tenant, policy.name, expires, stale_until, now,
                    entry.to_bytes(), None if vector is None else packed(vector, policy),
                ),
                policy.limits.entries,
            )  # fmt: skip
            if vector is not None:
                await self._meaning.study(store, fp, policy, vector)
        except StoreError as error:
            self._counts["store_errors"] += 1
            log.debug("the cache store failed", extra={"reason": str(error)})
        return True

    async def purge(self, *, policy: str | None = None, tenant: str | None = None, entry: str | None = None) -> int:
        """Forgets what matches all that is given; nothing given: everything. `entry` is a fingerprint's key.

        How many entries went. Answers under way that were asked before are not kept either. Raises StoreError when
        the store cannot say that they are gone, ValueError for a malformed `entry`.
        """
        if entry is not None and (len(entry) != 32 or not set(entry) <= set("0123456789abcdef")):
            raise ValueError(f"an entry's key is 32 hex digits, lower case; got {entry!r}")
        self._hits.purge(policy, tenant, entry)
        return await self._purge(policy, tenant, entry)

    async def _purge(self, policy: str | None, tenant: str | None, entry: str | None) -> int:
        gone, stored, failed = self.forget(policy, tenant, entry), 0, []
        for store in self._stores:
            try:
                stored += await store.purge(policy, tenant, entry)
            except StoreError as error:  # the others are purged all the same
                failed.append(error)
        if failed:
            raise failed[0]
        return max(stored, gone)

    def forget(self, policy: str | None, tenant: str | None, entry: str | None) -> int:
        """The part of a purge that concerns this process's memory: what another worker's purge calls here."""
        self._purges += 1
        if policy is None and tenant is None and entry is None:
            self.learner.forget()
        self._meaning.forget(entry)
        return len(self._memory.purge(policy=policy, tenant=tenant, entry=entry))

    # Upkeep

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            try:
                await self.upkeep()
            except Exception:  # as below: what is odd in a store must not end the upkeep
                log.exception("upkeep of the cache failed")

    async def upkeep(self) -> None:
        """One round: tells the store what was used, and lets it sweep, flush and recover."""
        touched, self._touched = list(self._touched), set()
        now = self._now()
        await asyncio.gather(*(self._tend(store, touched, now) for store in self._stores))
        await self.learner.tend(now)

    async def _tend(self, store: Store, touched: list[str], now: float) -> None:
        try:
            if touched:
                await store.touch(touched, now)
            await store.upkeep(now)
        except StoreError as error:
            self._counts["store_errors"] += 1
            log.debug("upkeep of the cache store failed", extra={"reason": str(error)})
        except Exception:  # the keeper must live; whatever it is will show in the log each round
            log.exception("upkeep of the cache store failed")

    def store_stats(self, policy: Policy) -> dict[str, object]:
        """The state of the store that keeps a policy's entries: `state`, `entries`, and `reason` where one is off."""
        store = self._of(policy)
        return {"state": "none", "entries": 0} if store is None else store.stats()

    def stats(self) -> dict[str, Any]:
        """Counts since the start (identical, paraphrase, stale, miss, put, vetoed, ...), vetoes by first reason, what
        memory and store hold."""
        return {
            "counts": dict(self._counts),
            "vetoes": dict(self._vetoes),
            "evidence": self.learner.report(),
            "memory": {"entries": len(self._memory), "bytes": self._memory.size},
            "store": {"state": "none", "entries": 0} if self._store is None else self._store.stats(),
        }


async def _opened(store: Store) -> None:
    try:
        await store.open()
    except StoreError as error:
        log.warning(
            "the cache store cannot be opened; the gateway serves on without it", extra={"reason": str(error)}
        )  # fmt: skip
