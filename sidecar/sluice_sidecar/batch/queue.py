"""The durable queue as the event loop sees it: what returns is on the disk."""

import asyncio
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sluice_sidecar.ask import Problem
from sluice_sidecar.batch.records import Batch, Entry, File, Task
from sluice_sidecar.batch.schema import connect
from sluice_sidecar.batch.stores.sqlite import SqliteStore
from sluice_sidecar.batch.stores.store import Backlog, Store, crowded
from sluice_sidecar.batch.writer import Writer

CHUNK = 500
"""Requests that go into the queue in one transaction: callers who wait for theirs wait for no more than these."""
CHECKPOINT = 2.0
"""Seconds between looks at the log's length."""
LOG_BYTES = 32 << 20
"""The log is copied into the database when it is longer: that syncs much, and whoever waits for a sync waits longer."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """What the queue takes in before it says 429."""

    requests: int = 2_000_000
    """Most requests that wait, of all tenants."""
    tenant_requests: int = 1_000_000
    """Most of one."""
    spare_bytes: int = 256 << 20
    """Bytes that stay free on the disk."""
    kept: float = 30 * 86_400.0
    """Seconds for which files and results are kept."""

    @property
    def backlog(self) -> Backlog:
        """The bounds on what waits."""
        return Backlog(self.tenant_requests, self.requests)


class Queue:
    """One process's hold on the queue in `folder`; several processes may hold it, one of them runs a worker.

    `store`: where it is kept instead of the folder's own database; the folder, which all who hold that store share,
    then has the bytes of files alone. Whoever made the store closes it.

    `woken` is set when something may be there to run, `turned` when a batch may begin or end. Callers get Problem
    alone: 503 where the disk refuses, 429 where the limits are reached.
    """

    def __init__(
        self, folder: Path, limits: Limits = Limits(), clock: Callable[[], float] = time.time,
        store: Store | None = None,
    ) -> None:  # fmt: skip
        self.folder, self.limits, self.clock = folder, limits, clock
        self.store: Store = SqliteStore(self) if store is None else store
        self._embedded = store is None
        self.woken, self.turned = asyncio.Event(), asyncio.Event()
        self._waiters: dict[int, set[asyncio.Event]] = {}
        self._writer: Writer | None = None
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="batch-reader")
        self._keeper = ThreadPoolExecutor(1, thread_name_prefix="batch-keeper")
        self._reading: sqlite3.Connection | None = None
        self._keeping: sqlite3.Connection | None = None
        self._copying: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Raises OSError, sqlite3.Error, RuntimeError."""
        if not self._embedded:  # its folder is mounted, perhaps later, and never made here
            with suppress(OSError):
                if self.folder.is_dir():
                    self._make_folders()
            return
        self._make_folders()
        path = self.folder / "queue.db"
        loop = asyncio.get_running_loop()
        self._writer = Writer(await loop.run_in_executor(None, connect, path))
        self._reading = await loop.run_in_executor(self._reader, connect, path)
        self._keeping = await loop.run_in_executor(self._keeper, connect, path)
        self._copying = loop.create_task(self._checkpoints(), name="batch-checkpoints")

    async def close(self) -> None:
        """Ends what was begun; closing what was never opened is fine."""
        loop = asyncio.get_running_loop()
        if self._copying is not None:
            self._copying.cancel()
            await asyncio.gather(self._copying, return_exceptions=True)
        for executor, db in ((self._reader, self._reading), (self._keeper, self._keeping)):
            if db is not None:
                await loop.run_in_executor(executor, db.close)
            executor.shutdown(wait=False)
        if self._writer is not None:
            await loop.run_in_executor(None, self._writer.close)

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` returns, once what it did is durable. Raises Problem(429, 503), and what it raises."""
        assert self._writer is not None  # opened before it is used
        try:
            return await self._writer.do(work)
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL or "full" in str(error):
                raise _no_room("the disk is full") from None
            raise Problem(
                503, "queue_unavailable", f"The queue cannot be written now: {error}.", retry_after=5
            ) from None

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` reads. Raises Problem(503)."""
        assert self._reading is not None
        try:
            return await asyncio.get_running_loop().run_in_executor(self._reader, work, self._reading)
        except sqlite3.Error as error:
            raise Problem(503, "queue_unavailable", f"The queue cannot be read now: {error}.", retry_after=5) from None

    async def keep(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` reads, where it takes long: nobody's answer waits for it."""
        assert self._keeping is not None
        return await asyncio.get_running_loop().run_in_executor(self._keeper, work, self._keeping)

    async def _checkpoints(self) -> None:
        while True:
            await asyncio.sleep(CHECKPOINT)
            with suppress(sqlite3.Error, OSError):  # the next one copies what this one could not
                if (self.folder / "queue.db-wal").stat().st_size > LOG_BYTES:
                    await self.keep(lambda db: db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall())

    # Files

    def _make_folders(self) -> None:
        for name in ("files", "coming"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    def path(self, id_: str) -> Path:
        """Where a file's bytes lie."""
        return self.folder / "files" / id_

    def coming(self, id_: str) -> Path:
        """Where they lie until they are whole."""
        return self.folder / "coming" / id_

    def check_room(self, size: int) -> None:
        """Raises Problem(429) where the disk would be too full with so much more on it, and Problem(503) where a shared
        folder is not mounted or refuses."""
        try:
            if not self._embedded and not (self.folder / "coming").is_dir():
                self.folder.stat()  # mounted, never made
                self._make_folders()
        except OSError as error:
            message = (
                f"No volume keeps batch files here ({error.strerror}): give a BatchWindow spec.files: "
                "{pvc: {storage: 10Gi}}, and see that the PersistentVolumeClaim is bound."
            )
            raise Problem(503, "files_unavailable", message, retry_after=30) from None
        free = shutil.disk_usage(self.folder).free
        if free - size < self.limits.spare_bytes:
            raise _no_room(f"{free >> 20} MiB are free and {self.limits.spare_bytes >> 20} MiB stay so")

    async def keep_file(self, file: File) -> None:
        """Takes in a file that has come: its bytes are on the disk before it is known."""
        await asyncio.get_running_loop().run_in_executor(None, self.settle_bytes, file.id)
        await self.store.add_file(file)

    def settle_bytes(self, id_: str) -> None:
        """Syncs a file that has come and moves it to its place. Blocks."""
        with self.coming(id_).open("rb") as file:
            os.fsync(file.fileno())
        self.coming(id_).rename(self.path(id_))
        folder = os.open(self.folder / "files", os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    # Requests

    async def check_backlog(self, tenant: str, more: int = 1) -> None:
        """Raises Problem(429) where so many more requests would be too many."""
        backlog = self.limits.backlog
        for whose, most in ((tenant, backlog.tenant), (None, backlog.all)):
            waiting = await self.store.waiting(whose)
            if waiting + more > most:
                raise crowded(waiting, most, one=whose is not None)

    async def put(self, batch: Batch, entries: list[Entry]) -> None:
        """Queues a batch's requests, and begins it. Doing it again changes nothing."""
        for at in range(0, len(entries), CHUNK):
            some = entries[at : at + CHUNK]
            await self.store.put(batch.seq, batch.tenant, batch.urgency, some)
            self.wake()
        await self.store.begin(batch.seq, len(entries), self.clock())
        self.wake()

    def wake(self) -> None:
        """Has worker and lifecycle look now."""
        self.woken.set()
        self.turned.set()

    def done(self, task: Task) -> None:
        """Tells who waits for it that a request has come to its end."""
        self.wake()
        for waiter in self._waiters.get(task.batch, ()):
            waiter.set()

    async def moved(self, seq: int, seconds: float) -> None:
        """Returns when a request of this batch ends in this process, or the time is over."""
        waiter = asyncio.Event()
        self._waiters.setdefault(seq, set()).add(waiter)
        try:
            async with asyncio.timeout(seconds):
                await waiter.wait()
        except TimeoutError:
            return
        finally:
            self._waiters[seq].discard(waiter)
            if not self._waiters[seq]:
                del self._waiters[seq]


def _no_room(why: str) -> Problem:
    message = f"The gateway's disk has no room for more: {why}. Delete files that are not needed, or try again later."
    return Problem(429, "storage_full", message, retry_after=60)
