"""The embedded store: qdrant-edge in this process, on disk, one shard for all policies.

Crash safety: each update is in the engine's log before `put` returns, so a killed process loses nothing; a machine
that dies loses at most what came after the last flush (about a second). A record's checksum covers labels, answer and
vector; a record that fails it is deleted and never given. An entry without a vector is a point without a vector: the
engine finds it by id and never as a neighbour.
"""

import asyncio
import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluice_sidecar.cache.stores.folder import RESERVE, Folder
from sluice_sidecar.cache.stores.points import (
    VECTOR,
    array,
    by_policy,
    engine,
    ident_of,
    match,
    opened,
    point_of,
    verified,
)
from sluice_sidecar.cache.stores.store import Record, StoreError

if TYPE_CHECKING:
    from qdrant_edge import EdgeShard

log = logging.getLogger("sluice.cache")

BATCH = 200
"""Points changed by one update: it holds the interpreter for about 5 ms."""
WORN = 20_000
"""Deleted points after which a quiet second is used to give their space back."""


class EdgeStore:
    """See Store. Calls are short (10 to 300 us) and run where they are awaited; only opening takes a thread."""

    def __init__(
        self, path: Path | str, *, reserve: int = RESERVE, patience: float = 30.0,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._folder = Folder(Path(path), reserve=reserve, patience=patience)
        self._seconds = seconds
        self._shard: EdgeShard | None = None
        self._counts: dict[str, int] = {}
        self._full = self._dirty = False
        self._closed = True
        self._next_flush = self._next_try = self._next_sweep = 0.0
        self._pause = 1.0
        self._deleted = self._puts = 0
        self._refused = self._dropped = 0
        self._reopening: asyncio.Task[None] | None = None

    # Opening and closing

    async def open(self) -> None:
        """See Store. A damaged store is moved aside; on a full disk the store stays off until there is room."""
        self._folder.lock()
        self._closed = False
        await self._start()

    async def close(self) -> None:
        """See Store."""
        self._closed = True
        if self._reopening is not None:
            self._reopening.cancel()
            await asyncio.gather(self._reopening, return_exceptions=True)
        shard, self._shard = self._shard, None
        if shard is not None:
            try:
                if self._folder.room():
                    engine(shard.flush)
                engine(shard.close)
            except StoreError as error:
                log.warning("the cache store did not close cleanly", extra={"reason": str(error)})
        self._folder.unlock()

    async def _start(self) -> None:
        if not self._has_room():
            return
        folder = self._folder
        reason = await folder.sound() if folder.holds_data else None
        if reason is not None:
            if not self._has_room():  # the disk filled up meanwhile: that is no damage
                return
            folder.set_aside(reason)
        shard = await asyncio.to_thread(engine, self._load)
        if self._closed:
            engine(shard.close)
            return
        self._counts = await asyncio.to_thread(engine, lambda: by_policy(shard))
        self._shard, self._pause = shard, 1.0

    def _load(self) -> "EdgeShard":
        return opened(self._folder.path, exists=self._folder.holds_data)

    # Reading

    async def get(self, key: str, now: float) -> bytes | None:
        """See Store."""
        shard = self._shard
        if shard is None:
            return None
        try:
            found = engine(shard.retrieve, [ident_of(key)], True, True)
        except StoreError:
            await self._forget([ident_of(key)])
            return None
        if not found or (payload := found[0].payload) is None:
            return None
        data = verified(payload, found[0].vector)
        if data is None:
            await self._forget([ident_of(key)])
            return None
        return data if payload["until"] > now else None

    async def nearest(
        self, scope: str, vector: bytes, least: float, limit: int, now: float
    ) -> list[tuple[float, bytes]]:
        """See Store."""
        shard = self._shard
        if shard is None:
            return []
        import qdrant_edge as edge

        # "not ended" is 2.5 times as fast as "still alive" where most are: the engine only looks up the ended ones.
        ended = edge.FieldCondition("expires", range=edge.RangeFloat(lte=now))
        request = edge.QueryRequest(
            query=edge.Query.Nearest(array(vector), using=VECTOR), limit=limit, score_threshold=least,
            filter=edge.Filter(must=[match("scope", scope)], must_not=[ended]), with_payload=False, with_vector=False,
        )  # fmt: skip
        # Records are read one by one: one that cannot be decoded must not hide the others.
        try:
            scored = engine(shard.query, request)
        except StoreError as error:
            self._broken(error)
            return []
        neighbours, damaged = [], []
        for point in scored:
            ident = str(point.id)
            try:
                found = engine(shard.retrieve, [ident], True, True)
            except StoreError:
                damaged.append(ident)
                continue
            payload = found[0].payload if found else None
            data = None if payload is None else verified(payload, found[0].vector)
            if payload is None or data is None:
                damaged.append(ident)
            elif payload["scope"] == scope and payload["expires"] > now:
                neighbours.append((float(point.score), data))
        if damaged:
            await self._forget(damaged)
        return neighbours

    # Writing

    async def put(self, record: Record, most: int) -> bool:
        """See Store. False on a full disk and while the store is off."""
        shard = self._shard
        if shard is None or most < 1 or not self._has_room():
            self._refused += 1
            return False
        import qdrant_edge as edge

        try:
            engine(shard.update, edge.UpdateOperation.upsert_points([point_of(record)]))
            self._dirty = True
            self._puts += 1
            count = self._counts[record.policy] = self._counts.get(record.policy, 0) + 1
            if count > most:
                await self._evict(shard, record.policy, most)
        except StoreError as error:
            self._broken(error)
            return False
        return True

    async def _evict(self, shard: "EdgeShard", policy: str, most: int) -> None:
        """Makes room for a hundredth of the bound at once, so that it is not done at every put."""
        import qdrant_edge as edge

        chosen = edge.Filter(must=[match("policy", policy)])
        count = engine(shard.count, edge.CountRequest(filter=chosen))  # puts that replaced a record were counted twice
        over = count - most
        if over > 0:
            request = edge.ScrollRequest(
                limit=min(over + most // 100, BATCH), filter=chosen, with_payload=False, with_vector=False,
                order_by=edge.OrderBy("used", edge.Direction.Asc),
            )  # fmt: skip
            oldest, _ = engine(shard.scroll, request)
            await self._delete(shard, [str(point.id) for point in oldest])
            count -= len(oldest)
        self._counts[policy] = count

    async def drop(self, key: str) -> bool:
        """See Store."""
        return await self.purge(None, None, key) > 0

    async def purge(self, policy: str | None, tenant: str | None, key: str | None) -> int:
        """See Store. On a full disk, where the engine cannot delete, all of the store goes: a purge is a promise."""
        shard = self._shard
        if shard is None or not self._has_room():
            return await self._empty()
        import qdrant_edge as edge

        conditions: list[Any] = [
            match(label, value) for label, value in (("policy", policy), ("tenant", tenant)) if value is not None
        ]
        if key is not None:
            conditions.append(edge.HasIdCondition({ident_of(key)}))
        chosen = edge.Filter(must=conditions)
        purged = 0
        try:
            while True:
                request = edge.ScrollRequest(limit=BATCH, filter=chosen, with_payload=False, with_vector=False)
                found, _ = engine(shard.scroll, request)
                if not found:
                    break
                await self._delete(shard, [str(point.id) for point in found])
                purged += len(found)
                await asyncio.sleep(0)
            self._counts = engine(lambda: by_policy(shard))
        except StoreError as error:
            self._broken(error)
            return purged + await self._empty()
        return purged

    async def touch(self, keys: list[str], now: float) -> None:
        """See Store."""
        shard = self._shard
        if shard is None or not self._has_room():
            return
        import qdrant_edge as edge

        try:
            for start in range(0, len(keys), BATCH):
                known = engine(shard.retrieve, [ident_of(key) for key in keys[start : start + BATCH]], False, False)
                if known:
                    idents: list[Any] = [str(point.id) for point in known]
                    engine(shard.update, edge.UpdateOperation.set_payload(idents, {"used": int(now)}))
                    self._dirty = True
        except StoreError as error:
            self._broken(error)

    async def _delete(self, shard: "EdgeShard", idents: list[str]) -> None:
        import qdrant_edge as edge

        engine(shard.update, edge.UpdateOperation.delete_points(list(idents)))
        self._deleted += len(idents)
        self._dirty = True

    async def _forget(self, idents: list[str]) -> None:
        """Deletes damaged records."""
        self._dropped += len(idents)
        log.warning("damaged cache records were dropped", extra={"records": len(idents)})
        if self._shard is not None and self._has_room():
            try:
                await self._delete(self._shard, idents)
            except StoreError as error:
                self._broken(error)

    async def _empty(self) -> int:
        """Removes the store's files, which also works on a full disk; a new store is opened at the next upkeep."""
        count = sum(self._counts.values())
        shard, self._shard = self._shard, None
        if shard is not None:
            try:
                engine(shard.close)
            except StoreError as error:
                log.warning("the cache store did not close cleanly", extra={"reason": str(error)})
        if self._folder.holds_data:
            await asyncio.to_thread(shutil.rmtree, self._folder.path)
            log.warning("the whole cache store was emptied, because it could not be purged in part")
        self._counts = {}
        self._next_try = 0.0
        return count

    # Upkeep

    async def upkeep(self, now: float) -> None:
        """See Store."""
        seconds = self._seconds()
        room = self._has_room()
        shard = self._shard
        if shard is None:
            if not self._closed and room and seconds >= self._next_try and self._reopening is None:
                self._next_try = seconds + self._pause
                self._pause = min(self._pause * 2, 60.0)
                self._reopening = asyncio.get_running_loop().create_task(self._reopen())
            return
        if not room:
            return
        puts, self._puts = self._puts, 0
        try:
            if seconds >= self._next_sweep:
                self._next_sweep = seconds + (0.0 if await self._sweep(shard, now) else 10.0)
            if self._dirty and seconds >= self._next_flush:
                self._dirty = False
                engine(shard.flush)
                # Flushing holds the interpreter: at most a fiftieth of the time goes into it.
                self._next_flush = seconds + 50 * (self._seconds() - seconds)
            if self._deleted > WORN and puts == 0:
                self._deleted = 0
                engine(shard.optimize)
        except StoreError as error:
            self._broken(error)

    async def _sweep(self, shard: "EdgeShard", now: float) -> bool:
        """Deletes one batch of what has ended; whether there may be more."""
        import qdrant_edge as edge

        ended = edge.Filter(must=[edge.FieldCondition("until", range=edge.RangeFloat(lte=now))])
        request = edge.ScrollRequest(limit=BATCH, filter=ended, with_payload=["policy"], with_vector=False)
        found, _ = engine(shard.scroll, request)
        if found:
            await self._delete(shard, [str(point.id) for point in found])
            for point in found:
                policy = str((point.payload or {}).get("policy"))
                self._counts[policy] = max(0, self._counts.get(policy, 0) - 1)
        return len(found) == BATCH

    async def _reopen(self) -> None:
        try:
            await self._start()
        except StoreError as error:
            log.warning("the cache store cannot be opened; the gateway serves on without it",
                        extra={"store": str(self._folder.path), "reason": str(error)})  # fmt: skip
        finally:
            self._reopening = None

    def _broken(self, error: StoreError) -> None:
        """The engine failed in a way that says nothing about one record: off, and opened anew after a trial."""
        log.warning("the cache store failed; the gateway serves on without it and tries again",
                    extra={"store": str(self._folder.path), "reason": str(error)})  # fmt: skip
        shard, self._shard = self._shard, None
        if shard is not None:
            try:
                engine(shard.close)
            except StoreError:
                log.debug("closing after a failure failed too", exc_info=True)
        self._next_try = self._seconds() + self._pause

    def _has_room(self) -> bool:
        room = self._folder.room()
        if room is self._full:
            self._full = not room
            log.warning(
                "the disk has room again; the cache store takes new entries" if room else
                "the disk is almost full: the cache store takes no new entries until there is room",
                extra={"store": str(self._folder.path)},
            )  # fmt: skip
        return room

    def stats(self) -> dict[str, object]:
        """See Store; with entries by policy, puts refused and damaged records dropped since the start."""
        return {
            "state": "off" if self._shard is None else "full" if self._full else "open",
            "entries": sum(self._counts.values()),
            "policies": dict(self._counts),
            "refused": self._refused,
            "damaged": self._dropped,
        }
