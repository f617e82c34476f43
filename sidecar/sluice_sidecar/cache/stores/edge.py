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
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from pathlib import Path

from sluice_sidecar.cache.embed import WIDTH
from sluice_sidecar.cache.stores.fair import givers, surplus
from sluice_sidecar.cache.stores.folder import PATIENCE, RESERVE, Folder
from sluice_sidecar.cache.stores.indexed_shard import LARGE, IndexedShard
from sluice_sidecar.cache.stores.points import ident_of
from sluice_sidecar.cache.stores.shard import BATCH
from sluice_sidecar.cache.stores.store import Record, StoreError

log = logging.getLogger("sluice.cache")

WORN = 20_000
"""Deleted points after which a quiet second is used to give their space back."""

SWEEP = 10.0
"""Seconds between two looks for records that ended."""

SHARE = 4.0
"""Time left to others for each second in which codes for large scopes are made."""


class EdgeStore:
    """See Store. Calls are short (10 us to 1 ms) and run where they are awaited; only opening takes a thread."""

    def __init__(
        self, path: Path | str, *, reserve: int = RESERVE, patience: float = PATIENCE, large: int = LARGE,
        width: int = WIDTH, seconds: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """`large`: entries from which a scope is searched by codes first. `width`: dimensions of its vectors."""
        self._folder = Folder(Path(path), reserve=reserve, patience=patience)
        self._seconds, self._large, self._width = seconds, large, width
        self._shard: IndexedShard | None = None
        self._counts: dict[str, int] = {}
        self._full = self._dirty = False
        self._closed = True
        self._next_flush = self._next_try = self._next_sweep = 0.0
        self._pause = 1.0
        self._deleted = self._puts = 0
        self._refused = self._dropped = 0
        self._reopening: asyncio.Task[None] | None = None
        self._growing: asyncio.Task[None] | None = None

    # Opening and closing

    async def open(self) -> None:
        """See Store. A damaged store is moved aside; on a full disk the store stays off until there is room."""
        self._folder.lock()
        self._closed = False
        await self._start()

    async def close(self) -> None:
        """See Store."""
        self._closed = True
        for task in (self._reopening, self._growing):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        shard, self._shard = self._shard, None
        if shard is not None:
            try:
                if self._folder.room():
                    shard.flush()
                shard.close()
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
        shard = await asyncio.to_thread(IndexedShard.opened, folder.path, exists=folder.holds_data, width=self._width)
        if self._closed:
            shard.close()
            return
        shard.large = self._large
        self._counts = shard.by_policy()
        self._shard, self._pause = shard, 1.0

    async def _reopen(self) -> None:
        try:
            await self._start()
        except StoreError as error:
            self._say("the cache store cannot be opened; the gateway serves on without it", error)
        finally:
            self._reopening = None

    def _broken(self, error: StoreError) -> None:
        """The engine failed in a way that says nothing about one record: off, and opened anew after a trial."""
        self._say("the cache store failed; the gateway serves on without it and tries again", error)
        shard, self._shard = self._shard, None
        if shard is not None:
            with suppress(StoreError):
                shard.close()
        self._next_try = self._seconds() + self._pause

    # Reading

    async def get(self, key: str, now: float) -> bytes | None:
        """See Store."""
        if self._shard is None:
            return None
        try:
            found = self._shard.get(ident_of(key))
        except StoreError:
            self._forget([ident_of(key)])
            return None
        return found[1] if found is not None and found[0]["until"] > now else None

    async def nearest(
        self, scope: str, vector: bytes, least: float, limit: int, now: float
    ) -> list[tuple[float, bytes]]:
        """See Store."""
        if self._shard is None:
            return []
        try:
            neighbours, damaged = self._shard.nearest(scope, vector, least, limit, now)
        except StoreError as error:
            self._broken(error)
            return []
        if damaged:
            self._forget(damaged)
        return neighbours

    async def scan(self, policy: str) -> AsyncIterator[bytes]:
        """See Scannable. Callers are served between two pages."""
        after: object = None
        while True:
            if self._shard is None:
                raise StoreError("the cache store is off")
            page, after = self._shard.page(policy, after)
            for data in page:
                yield data
            if after is None:
                return
            await asyncio.sleep(0)

    # Writing

    async def put(self, record: Record, most: int) -> bool:
        """See Store. False on a full disk and while the store is off."""
        shard = self._shard
        if shard is None or most < 1 or not self._has_room():
            self._refused += 1
            return False
        try:
            shard.put(record)
            self._dirty = True
            self._puts += 1
            count = self._counts[record.policy] = self._counts.get(record.policy, 0) + 1
            if count > most:
                self._evict(shard, record, most)
        except StoreError as error:
            self._broken(error)
            return False
        return True

    def _evict(self, shard: IndexedShard, record: Record, most: int) -> None:
        """Makes room beyond the bound, among those who hold most."""
        policy = record.policy
        count = shard.count(policy)  # puts that replaced a record were counted twice
        number = min(surplus(count, most), BATCH)
        if number:
            given = givers(shard.by_tenant(policy), record.tenant, number)
            oldest = [ident for tenant, some in given.items() for ident in shard.oldest(policy, tenant, some)]
            self._delete(shard, oldest)
            count -= len(oldest)
        self._counts[policy] = count

    async def drop(self, key: str) -> bool:
        """See Store."""
        return await self.purge(None, None, key) > 0

    async def purge(self, policy: str | None, tenant: str | None, key: str | None) -> int:
        """See Store. On a full disk, where the engine cannot delete, all of the store goes: a purge is a promise."""
        if self._closed:
            raise StoreError("the cache store is closed: nothing can be purged")
        if self._reopening is not None:
            await asyncio.wait([self._reopening])
        shard = self._shard
        if shard is None or not self._has_room():
            return await self._empty()
        purged = 0
        try:
            while idents := shard.matching(policy, tenant, key):
                self._delete(shard, idents)
                purged += len(idents)
                await asyncio.sleep(0)
            self._counts = shard.by_policy()
        except StoreError as error:
            self._broken(error)
            return purged + await self._empty()
        return purged

    async def touch(self, keys: list[str], now: float) -> None:
        """See Store."""
        shard = self._shard
        if shard is None or not self._has_room():
            return
        try:
            for start in range(0, len(keys), BATCH):
                shard.touch(keys[start : start + BATCH], now)
            self._dirty = True
        except StoreError as error:
            self._broken(error)

    def _delete(self, shard: IndexedShard, idents: Sequence[str]) -> None:
        shard.delete(idents)
        self._deleted += len(idents)
        self._dirty = True

    def _forget(self, idents: Sequence[str]) -> None:
        """Deletes damaged records."""
        self._dropped += len(idents)
        log.warning("damaged cache records were dropped", extra={"records": len(idents)})
        if self._shard is not None and self._has_room():
            try:
                self._delete(self._shard, idents)
            except StoreError as error:
                self._broken(error)

    async def _empty(self) -> int:
        """Removes the store's files, which also works on a full disk; a new store is opened at the next upkeep."""
        count = sum(self._counts.values())
        shard, self._shard = self._shard, None
        if shard is not None:
            with suppress(StoreError):
                shard.close()
        if self._folder.holds_data:
            try:
                await asyncio.to_thread(shutil.rmtree, self._folder.path)
            except OSError as error:
                raise StoreError(f"the cache store {self._folder.path} cannot be emptied: {error}") from error
            log.warning("the whole cache store was emptied, because it could not be purged in part")
        self._counts = {}
        self._next_try = 0.0
        return count

    # Upkeep

    async def upkeep(self, now: float) -> None:
        """See Store."""
        seconds, room, shard = self._seconds(), self._has_room(), self._shard
        if shard is None:
            if not self._closed and room and seconds >= self._next_try and self._reopening is None:
                self._next_try = seconds + self._pause
                self._pause = min(self._pause * 2, 60.0)
                self._reopening = asyncio.get_running_loop().create_task(self._reopen())
            return
        if shard.growing and (self._growing is None or self._growing.done()):
            self._growing = asyncio.get_running_loop().create_task(self._grow(shard))
        if not room:
            return
        quiet, self._puts = self._puts == 0, 0
        try:
            if seconds >= self._next_sweep:
                self._next_sweep = seconds + (0.0 if self._sweep(shard, now) else SWEEP)
            if self._dirty and seconds >= self._next_flush:
                self._dirty = False
                shard.flush()
                # Flushing holds the interpreter: at most a fiftieth of the time goes into it.
                self._next_flush = seconds + 50 * (self._seconds() - seconds)
            if self._deleted > WORN and quiet:
                self._deleted = 0
                shard.vacuum()
        except StoreError as error:
            self._broken(error)

    async def _grow(self, shard: IndexedShard) -> None:
        """Makes what codes are missing, in short steps between which callers are served."""
        try:
            while self._shard is shard:
                began = self._seconds()
                if not shard.grow():
                    return
                await asyncio.sleep(SHARE * (self._seconds() - began))
        except StoreError as error:
            self._broken(error)

    def _sweep(self, shard: IndexedShard, now: float) -> bool:
        """Deletes one batch of what has ended; whether there may be more."""
        ended = shard.ended(now)
        if ended:
            self._delete(shard, [ident for ident, _ in ended])
            for _, policy in ended:
                self._counts[policy] = max(0, self._counts.get(policy, 0) - 1)
        return len(ended) == BATCH

    def _has_room(self) -> bool:
        room = self._folder.room()
        if room is self._full:
            self._full = not room
            self._say(
                "the disk has room again; the cache store takes new entries" if room else
                "the disk is almost full: the cache store takes no new entries until there is room"
            )  # fmt: skip
        return room

    def _say(self, message: str, error: StoreError | None = None) -> None:
        data = {"store": str(self._folder.path)}
        log.warning(message, extra=data if error is None else {**data, "reason": str(error)})

    def stats(self) -> dict[str, object]:
        """See Store; with entries by policy, puts refused and damaged records dropped since the start."""
        return {
            "state": "off" if self._shard is None else "full" if self._full else "open",
            "entries": sum(self._counts.values()),
            "policies": dict(self._counts),
            "refused": self._refused,
            "damaged": self._dropped,
        }
