"""The semantic cache of one process: memory in front, a store behind, strategies in between."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from sluice_sidecar.ask import Caller, Usage
from sluice_sidecar.cache.clock import SteadyClock
from sluice_sidecar.cache.embed import Embedder, EmbeddingError, TooLong, checked
from sluice_sidecar.cache.entry import Damaged, Entry, Hit
from sluice_sidecar.cache.fingerprint import Fingerprint
from sluice_sidecar.cache.memory import Memory
from sluice_sidecar.cache.reuse.identical import identical
from sluice_sidecar.cache.reuse.paraphrase import NEIGHBOURS, Paraphrase, eligible
from sluice_sidecar.cache.reuse.strategy import Neighbour
from sluice_sidecar.cache.stores.store import Record, Store, StoreError, StoreLocked
from sluice_sidecar.cache.ttl import SKEW, lifetime
from sluice_sidecar.config import Policy, SharedStore

if TYPE_CHECKING:
    from sluice_sidecar.cache.embed import Vector

log = logging.getLogger("sluice.cache")

TICK = 1.0
"""Seconds between two rounds of upkeep."""

SLOWEST = 0.25
"""Seconds that an ask waits for its embedding: a queue of long texts must not cost more than the cache saves."""


class Cache:
    """What was answered before. One a process, shared by every route with a policy.

    A policy's entries lie in `store`, or in the shared store that it names (see `share`).
    No failure of store or embedder reaches a caller: it is a miss, counted, and said once in the log.
    """

    def __init__(
        self, store: Store | None, embedder: Embedder | None, *,
        clock: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic,
        memory: Memory | None = None,
    ) -> None:  # fmt: skip
        self._store, self._embedder = store, embedder
        self._shared: dict[SharedStore, Store] = {}
        self._stores: tuple[Store, ...] = () if store is None else (store,)
        self._memory = memory if memory is not None else Memory()
        self._now = SteadyClock(clock, monotonic)
        self._paraphrase = Paraphrase()
        self._counts: Counter[str] = Counter()
        self._vetoes: Counter[str] = Counter()
        self._touched: set[str] = set()
        self._purges = 0
        self._keeper: asyncio.Task[None] | None = None
        self._embedder_fails = False

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
        await asyncio.gather(*(store.open() for store in new))
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

    def use(self, embedder: Embedder) -> None:
        """Takes an embedder that was not needed before."""
        self._embedder = embedder

    @property
    def entries(self) -> int:
        """Entries in this process's memory."""
        return len(self._memory)

    async def warm(self) -> None:
        """Embeds one text, so that the first ask does not wait for the model to load. Says so if that fails."""
        if self._embedder is not None:
            await self._vector("warm", None)

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

    async def find(
        self, fp: Fingerprint, policy: Policy, *, max_age: float | None = None, min_similarity: float | None = None
    ) -> Hit | None:
        """The answer to this ask from the store: identical, else by the policy's other strategies.

        `max_age` (seconds) and `min_similarity` (cosine) are the caller's; they tighten the policy, never loosen it.
        Call it after `identical` found nothing.
        """
        store = self._of(policy)
        if store is None:
            self._counts["miss"] += 1
            return None
        try:
            hit = await self._stored(store, fp, max_age) if policy.identical else None
            if hit is None and policy.paraphrase is not None and self._embedder is not None and eligible(fp.text):
                least = policy.paraphrase.similarity
                if min_similarity is not None and not min_similarity <= least:  # NaN asks for the impossible
                    least = min_similarity
                hit = await self._reworded(store, fp, policy, least, max_age)
        except StoreError as error:
            self._counts["store_errors"] += 1
            log.debug("the cache store failed", extra={"reason": str(error)})
            hit = None
        self._counts["miss" if hit is None else "stale" if hit.stale else hit.how] += 1
        if hit is not None:
            self._touched.add(hit.entry.key)
        return hit

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

    async def _reworded(
        self, store: Store, fp: Fingerprint, policy: Policy, least: float, max_age: float | None
    ) -> Hit | None:
        assert fp.text is not None
        vector = await self._vector(fp.text, SLOWEST)
        if vector is None or not 0.0 <= least <= 1.0:
            return None
        now = self._now()
        found = await store.nearest(fp.scope, vector.astype("<f4").tobytes(), least, NEIGHBOURS, now)
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
        proposal = self._paraphrase.propose(fp.text, neighbours)
        if proposal is None:
            return None
        if proposal.refused:
            self._counts["vetoed"] += 1
            self._vetoes[proposal.refused[0]] += 1
            log.debug("a near answer was vetoed", extra={"vetoes": proposal.refused, "similarity": proposal.score})
            return None
        return Hit("paraphrase", proposal.entry, proposal.score)

    def _read(self, data: bytes) -> Entry | None:
        try:
            return Entry.from_bytes(data)
        except Damaged as error:
            self._counts["damaged"] += 1
            log.warning("a cache record was passed over", extra={"reason": str(error)})
            return None

    async def _vector(self, text: str, patience: float | None) -> "Vector | None":
        """The text's unit vector, or None: a failure of the embedder, or more than `patience` seconds, is a miss."""
        assert self._embedder is not None
        try:
            async with asyncio.timeout(patience):
                vector = checked(await self._embedder(text))
        except TooLong:
            self._counts["too_long"] += 1
            return None
        except (EmbeddingError, TimeoutError) as error:
            reason = str(error) or f"it took more than {patience} s"
            self._counts["embedding_errors"] += 1
            if not self._embedder_fails:
                self._embedder_fails = True
                log.warning("no embedding: asks are matched identically only", extra={"reason": reason})
            return None
        self._embedder_fails = False
        return vector

    # Writing

    async def put(
        self, fp: Fingerprint, policy: Policy, caller: Caller, *,
        whole: dict[str, Any], usage: Usage, backend: str, took: float, max_age: float | None = None,
    ) -> bool:  # fmt: skip
        """Keeps a whole, good answer (what is good is the caller's to judge). False: too large, or no life left.

        In memory when it returns to the event loop first, so the next equal ask hits; then embedded and stored.
        """
        body = orjson.dumps(whole)
        now = self._now()
        expires, stale_until = lifetime(policy, now, max_age=max_age)
        if len(body) > policy.limits.answer_bytes or policy.limits.entries < 1 or stale_until <= now:
            self._counts["not_kept"] += 1
            return False
        entry = Entry(
            fp.key, fp.scope, caller.tenant, policy.name, backend, fp.text, body, usage, took, now, expires, stale_until
        )
        self._memory.put(entry)
        self._counts["put"] += 1
        store = self._of(policy)
        if store is None:
            return True
        purges = self._purges
        vector = None
        if policy.paraphrase is not None and self._embedder is not None and eligible(fp.text):
            assert fp.text is not None
            vector = await self._vector(fp.text, None)
            if purges != self._purges and self._memory.get(fp.key) is not entry:
                return False  # purged while it was embedded
        try:
            await store.put(
                Record(
                    fp.key, fp.scope, caller.tenant, policy.name, expires, stale_until, now, entry.to_bytes(),
                    None if vector is None else vector.astype("<f4").tobytes(),
                ),
                policy.limits.entries,
            )  # fmt: skip
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
        return len(self._memory.purge(policy=policy, tenant=tenant, entry=entry))

    # Upkeep

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            await self.upkeep()

    async def upkeep(self) -> None:
        """One round: tells the store what was used, and lets it sweep, flush and recover."""
        touched, self._touched = list(self._touched), set()
        now = self._now()
        await asyncio.gather(*(self._tend(store, touched, now) for store in self._stores))

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
            "memory": {"entries": len(self._memory), "bytes": self._memory.size},
            "store": {"state": "none", "entries": 0} if self._store is None else self._store.stats(),
        }
