"""One thread that writes: what callers want at one time is committed, and synced, together."""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from typing import Any, TypeVar

TOGETHER = 256
"""Most pieces of work in one transaction: a later one waits for all of them."""

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], Any]
_Job = tuple[Work, asyncio.AbstractEventLoop, "asyncio.Future[Any]"]


class Writer:
    """Runs work on a connection in its own thread. `do` returns when the work is on the disk."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="batch-writer", daemon=True)
        self._thread.start()

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` returns, once it is durable. Raises what it raises, then nothing of it was done; sqlite3.Error.

        A caller who leaves meanwhile leaves it undone or done, never half done.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._jobs.put((work, loop, future))
        return await future

    def close(self) -> None:
        """Ends the thread after the work that was given to it, and closes the connection."""
        self._jobs.put(None)
        self._thread.join()
        self._db.close()

    def _run(self) -> None:
        ended = False
        while not ended:
            job = self._jobs.get()
            if job is None:
                return
            jobs = [job]
            while len(jobs) < TOGETHER:
                try:
                    more = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    ended = True
                    break
                jobs.append(more)
            self._together(jobs)

    def _together(self, jobs: list[_Job]) -> None:
        results: list[tuple[Any, BaseException | None]] = []
        db = self._db
        try:
            db.execute("BEGIN IMMEDIATE")
            for work, _, _ in jobs:
                results.append(self._one(work))
            db.execute("COMMIT")
        except sqlite3.Error as error:
            if db.in_transaction:
                db.rollback()
            results = [(None, error)] * len(jobs)
        for (_, loop, future), (value, failure) in zip(jobs, results, strict=True):
            try:
                loop.call_soon_threadsafe(_settle, future, value, failure)
            except RuntimeError:  # its loop is closed: nobody waits
                continue

    def _one(self, work: Work) -> tuple[Any, BaseException | None]:
        db = self._db
        db.execute("SAVEPOINT work")
        try:
            value = work(db)
        except Exception as error:
            if not db.in_transaction:  # SQLite gave the whole of it up, as it does when the disk is full
                raise sqlite3.OperationalError(str(error)) from error
            db.execute("ROLLBACK TO work")
            db.execute("RELEASE work")
            return None, error
        db.execute("RELEASE work")
        return value, None


def _settle(future: "asyncio.Future[Any]", value: Any, failure: BaseException | None) -> None:
    if future.done():
        return
    if failure is None:
        future.set_result(value)
    else:
        future.set_exception(failure)
