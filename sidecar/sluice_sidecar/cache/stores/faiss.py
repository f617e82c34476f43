"""Entries in this process, searched with Faiss: vectors in memory, everything on disk in SQLite.

Search is exact within a scope. The file is the truth: at opening the vectors are read from it, so a process that is
killed between two writes loses nothing and the two never disagree for longer than it runs. A record's checksum covers
labels, answer and vector; one that fails it is deleted and never given.
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
from sluice_sidecar.cache.stores.faiss_records import Records
from sluice_sidecar.cache.stores.faiss_rows import BATCH, Damaged, Place
from sluice_sidecar.cache.stores.folder import RESERVE, Folder
from sluice_sidecar.cache.stores.store import Record, StoreError

log = logging.getLogger("sluice.cache")

SWEEP = 10.0
"""Seconds between two looks for records that ended."""

LONGEST = 60.0
"""Seconds between two tries to open it, at most."""

NOWHERE = "the gateway has no data folder: start it with one, or write store: {embedded: {}}"


class FaissStore:
    """See Store; `folder` None: off. Calls are short and run where they are awaited; only opening takes a thread.

    It never raises where it cannot be opened (Faiss missing, another process in the folder, a disk that fails):
    it is off, says why in `stats`, and tries again.
    """

    def __init__(
        self, folder: Path | None, *, reserve: int = RESERVE, width: int = WIDTH,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """`width`: dimensions of its vectors."""
        self._folder = None if folder is None else Folder(folder, reserve=reserve)
        self._seconds, self._width = seconds, width
        self._records: Records | None = None
        self._counts: dict[str, int] = {}
        self._reason = NOWHERE if folder is None else "not opened"
        self._closed = True
        self._full = self._dirty = self._worn = False
        self._next_try = self._next_flush = self._next_sweep = 0.0
        self._pause = 1.0
        self._puts = self._refused = self._damaged = 0
        self._opening: asyncio.Task[None] | None = None

    # Opening and closing

    async def open(self) -> None:
        """See Store. Never raises."""
        self._closed = False
        await self._open()

    async def close(self) -> None:
        """See Store."""
        self._closed = True
        if self._opening is not None:
            await asyncio.gather(self._opening, return_exceptions=True)
        self._shut("closed")
        if self._folder is not None:
            self._folder.unlock()

    async def _open(self) -> None:
        if self._folder is None:
            self._off(NOWHERE)
            return
        try:
            self._folder.lock()
            if not self._folder.room():
                raise StoreError("the disk is almost full")
            records = await asyncio.to_thread(Records.opened, self._folder, self._width)
            self._counts = records.rows.by_policy()
        except StoreError as error:
            self._off(str(error))
            return
        finally:
            self._opening = None
        self._records, self._reason, self._pause = records, "", 1.0
        if self._closed:
            self._shut("closed")

    def _off(self, reason: str) -> None:
        self._next_try = self._seconds() + self._pause
        self._pause = min(self._pause * 2, LONGEST)
        if reason != self._reason or self._folder is None:
            log.warning("the cache store is off; the gateway serves on without it", extra={"reason": reason})
        self._shut(reason)

    def _shut(self, reason: str) -> None:
        records, self._records, self._reason = self._records, None, reason
        if records is not None:
            with suppress(StoreError):
                records.rows.close()

    def _broken(self, error: StoreError) -> None:
        """A failure that says nothing about one record: off, a damaged file moved aside, and opened anew."""
        self._off(str(error))
        if isinstance(error, Damaged) and self._folder is not None:
            with suppress(StoreError):
                self._folder.set_aside(str(error))

    # Reading

    async def get(self, key: str, now: float) -> bytes | None:
        """See Store."""
        if self._records is None:
            return None
        rows = self._records.rows
        try:
            record = rows.get(key)
        except ValueError:
            self._forget(rows.matching(None, None, key))
            return None
        except StoreError as error:
            self._broken(error)
            return None
        return record.data if record is not None and record.until > now else None

    async def nearest(
        self, scope: str, vector: bytes, least: float, limit: int, now: float
    ) -> list[tuple[float, bytes]]:
        """See Store."""
        if self._records is None:
            return []
        try:
            found, damaged = self._records.nearest(scope, vector, least, limit, now)
        except StoreError as error:
            self._broken(error)
            return []
        if damaged:
            self._forget(damaged)
        return found

    async def scan(self, policy: str) -> AsyncIterator[bytes]:
        """See Scannable."""
        last = 0
        while self._records is not None:
            page = self._records.rows.page(policy, last)
            for last, record in page:  # noqa: B007
                if record is not None:
                    yield record.data
            if not page:
                return
            await asyncio.sleep(0)
        raise StoreError(f"the cache store is off: {self._reason}")

    # Writing

    async def put(self, record: Record, most: int) -> bool:
        """See Store. False on a full disk and while the store is off; a vector of another length raises StoreError."""
        records = self._records
        if record.vector is not None and len(record.vector) != 4 * self._width:
            raise StoreError(f"a vector has {self._width} dimensions here, not {len(record.vector) // 4}")
        if records is None or most < 1 or not self._has_room():
            self._refused += 1
            return False
        try:
            records.put(record)
            self._dirty = True
            self._puts += 1
            count = self._counts[record.policy] = self._counts.get(record.policy, 0) + 1
            if count > most:
                self._evict(records, record, most)
        except StoreError as error:
            self._broken(error)
            return False
        return True

    def _evict(self, records: Records, record: Record, most: int) -> None:
        """Makes room beyond the bound, among those who hold most."""
        rows, policy = records.rows, record.policy
        held = rows.by_tenant(policy)
        count = sum(held.values())  # puts that replaced a record were counted twice
        given = givers(held, record.tenant, min(surplus(count, most), BATCH))
        oldest = [place for tenant, some in given.items() for place in rows.oldest(policy, tenant, some)]
        if oldest:
            self._delete(records, oldest)
        self._counts[policy] = count - len(oldest)

    async def drop(self, key: str) -> bool:
        """See Store."""
        return await self.purge(None, None, key) > 0

    async def purge(self, policy: str | None, tenant: str | None, key: str | None) -> int:
        """See Store. Where nothing can be deleted in part, all of the store goes: a purge is a promise."""
        if self._closed:
            raise StoreError("the cache store is closed: nothing can be purged")
        if self._opening is not None:
            await asyncio.wait([self._opening])
        records, purged = self._records, 0
        if records is None:
            return await self._empty()
        try:
            while places := records.rows.matching(policy, tenant, key):
                self._delete(records, places)
                purged += len(places)
                await asyncio.sleep(0)
            self._counts = records.rows.by_policy()
        except StoreError as error:
            self._broken(error)
            return purged + await self._empty()
        return purged

    async def touch(self, keys: list[str], now: float) -> None:
        """See Store."""
        if self._records is None or not self._has_room():
            return
        try:
            for start in range(0, len(keys), BATCH):
                self._records.rows.touch(keys[start : start + BATCH], now)
            self._dirty = True
        except StoreError as error:
            self._broken(error)

    def _delete(self, records: Records, places: Sequence[Place]) -> None:
        records.delete(places)
        self._dirty = self._worn = True

    def _forget(self, places: Sequence[Place]) -> None:
        """Deletes damaged records."""
        self._damaged += len(places)
        log.warning("damaged cache records were dropped", extra={"records": len(places)})
        if self._records is not None:
            try:
                self._delete(self._records, places)
            except StoreError as error:
                self._broken(error)

    async def _empty(self) -> int:
        """Removes the store's files; a new store is opened at the next upkeep."""
        if self._folder is None:
            return 0
        count = sum(self._counts.values())
        self._folder.lock()  # another process's store is not ours to empty
        self._shut("emptied, because it could not be purged in part")
        if self._folder.holds_data:
            try:
                await asyncio.to_thread(shutil.rmtree, self._folder.path)
            except OSError as error:
                raise StoreError(f"the cache store {self._folder.path} cannot be emptied: {error}") from error
            log.warning("the whole cache store was emptied, because it could not be purged in part")
        self._counts, self._next_try = {}, 0.0
        return count

    # Upkeep

    async def upkeep(self, now: float) -> None:
        """See Store."""
        seconds, records = self._seconds(), self._records
        if records is None:
            if not self._closed and self._folder is not None and seconds >= self._next_try and self._opening is None:
                self._opening = asyncio.get_running_loop().create_task(self._open())
            return
        rows, quiet, self._puts = records.rows, self._puts == 0, 0
        try:
            if seconds >= self._next_sweep:
                ended = rows.ended(now)
                self._next_sweep = seconds + (0.0 if len(ended) == BATCH else SWEEP)
                if ended:
                    self._delete(records, ended)
                    self._counts = rows.by_policy()
            if self._dirty and seconds >= self._next_flush:
                self._dirty = False
                rows.flush()
                # Flushing holds the loop: at most a fiftieth of the time goes into it.
                self._next_flush = seconds + 50 * (self._seconds() - seconds)
            if self._worn and quiet:
                self._worn = rows.shrink()
        except StoreError as error:
            self._broken(error)

    def _has_room(self) -> bool:
        room = self._folder is not None and self._folder.room()
        if room is self._full:
            self._full = not room
            log.warning(
                "the disk has room again; the cache store takes new entries" if room else
                "the disk is almost full: the cache store takes no new entries until there is room"
            )  # fmt: skip
        return room

    def stats(self) -> dict[str, object]:
        """See Store; with the reason where it is off, entries by policy, puts refused and damaged records dropped since
        the start."""
        return {
            "state": "off" if self._records is None else "full" if self._full else "open",
            "reason": self._reason,
            "entries": sum(self._counts.values()),
            "policies": dict(self._counts),
            "refused": self._refused,
            "damaged": self._damaged,
        }
