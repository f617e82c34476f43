"""From one state of a batch to the next: its input is read and queued, it expires, its files are written."""

import asyncio
import logging
import math
from collections.abc import Callable

from sluice_sidecar.ask import Problem
from sluice_sidecar.batch import lines, output
from sluice_sidecar.batch.ending import ended
from sluice_sidecar.batch.queue import Queue
from sluice_sidecar.batch.records import Batch, File, State
from sluice_sidecar.dialects.identifiers import new

TURN = 1.0
"""Seconds between looks, where nothing says that there is something to see."""
OVERDUE = 100
"""Batches that expire in one turn, at most."""
FORGET = 600.0
"""Seconds between looks for what is past its time."""

log = logging.getLogger("sluice.batch")

Find = Callable[[str, frozenset[str] | None], str]
"""The route of a model name, for a caller who may use these; raises Problem."""


class Lifecycle:
    """Moves a queue's batches on; one for each queue, in the process that has the worker."""

    def __init__(self, queue: Queue, find: Find) -> None:
        self._queue, self._find = queue, find
        self._main: asyncio.Task[None] | None = None
        self._forgot = self._looked = -math.inf

    def start(self) -> None:
        """Goes on until `stop`; what an earlier process began is begun again, and ends the same."""
        self._main = asyncio.get_running_loop().create_task(self._always(), name="batch-lifecycle")

    async def stop(self) -> None:
        """Leaves what is begun to the next process."""
        await ended(self._main)

    async def _always(self) -> None:
        queue = self._queue
        while True:
            queue.turned.clear()
            try:
                await self._turn()
            except Exception:  # a disk that refuses now may not in a second
                log.exception("batches cannot be moved on; trying again")
            try:
                async with asyncio.timeout(TURN):
                    await queue.turned.wait()
            except TimeoutError:
                continue

    async def _turn(self) -> None:
        queue, now = self._queue, self._queue.clock()
        for batch in await queue.store.unread():
            await self._admit(batch)
        for batch in await queue.store.ripe():
            await self._end(batch)
        if abs(now - self._looked) >= TURN:
            self._looked = now
            for seq in await queue.store.overdue(now, OVERDUE):
                await queue.store.give_up(seq, State.EXPIRED, now)
                queue.turned.set()
        if abs(now - self._forgot) > FORGET:
            self._forgot = now
            for id_ in await queue.store.forget(now, queue.limits.kept):
                queue.path(id_).unlink(missing_ok=True)

    async def _admit(self, batch: Batch) -> None:
        """Queues what a batch's input asks, or fails it with what is wrong, line by line."""
        queue = self._queue
        names = batch.note.get("models")
        allowed = None if names is None else frozenset[str](names)
        try:
            entries, wrong = await asyncio.get_running_loop().run_in_executor(
                None,
                lines.read,
                queue.path(batch.input),
                batch.kind,
                batch.path,
                lambda model: self._find(model, allowed),
            )
        except OSError as error:
            entries, wrong = [], [lines.Wrong("file_unreadable", f"The input cannot be read: {error.strerror}.")]
        if not wrong:
            try:
                await queue.check_backlog(batch.tenant, len(entries))
            except Problem as problem:
                wrong = [lines.Wrong(problem.code, problem.message)]
        if wrong:
            note = batch.note | {"errors": [one.shown() for one in wrong]}
            await queue.store.fail(batch.seq, note, queue.clock())
            return
        await queue.put(batch, entries)

    async def _end(self, batch: Batch) -> None:
        queue = self._queue
        marked = await queue.store.finalize(batch.seq, queue.clock())
        if marked is None:
            return
        ids = new("file-"), new("file-")
        paths = [queue.coming(id_) for id_ in ids]
        sizes = await output.write(queue.store.finished(marked.seq), marked, *paths)
        files = [self._file(marked, *one) for one in zip(ids, ("output", "error"), sizes, strict=True)]
        for path, file in zip(paths, files, strict=True):
            if file is None:
                path.unlink()
            else:
                await asyncio.get_running_loop().run_in_executor(None, queue.settle_bytes, file.id)
        await queue.store.end(marked, files[0], files[1], queue.clock())
        ended = await queue.store.by_seq(marked.seq)
        named = () if ended is None else (ended.output, ended.errors)
        for file in files:  # of two processes that end a batch the first one's files count
            if file is not None and file.id not in named:
                queue.path(file.id).unlink(missing_ok=True)

    def _file(self, batch: Batch, id_: str, what: str, size: int) -> File | None:
        now = self._queue.clock()
        if not size:
            return None
        name = f"{batch.id}_{what}.jsonl"
        return File(id_, batch.tenant, "batch_output", name, size, now, now + self._queue.limits.kept)
