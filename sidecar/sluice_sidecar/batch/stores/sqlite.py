"""The queue in SQLite, one machine's: the statements of `store` and `claims`, each call one transaction."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from functools import partial
from itertools import islice
from typing import Any, Protocol, TypeVar

from sluice_sidecar.batch import claims, store
from sluice_sidecar.batch.outbox import Outbox
from sluice_sidecar.batch.outbox_sqlite import SqliteOutbox
from sluice_sidecar.batch.records import Batch, Entry, File, Finished, Kind, Lane, Result, Sight, State, Task
from sluice_sidecar.batch.stores.store import Backlog, Idempotency, Seen, crowded

PAGE = 500
"""Results that are in memory at one time while a batch's files are written."""

T = TypeVar("T")


class Database(Protocol):
    """A queue's file, as `queue.Queue` holds it."""

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Runs work in a transaction, and returns when it is durable."""

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` reads."""

    async def keep(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` reads, where it takes long."""

    def check_room(self, size: int) -> None:
        """Raises Problem(429) where the disk would be too full."""


class SqliteStore:
    """A Store in a queue's file."""

    shared = False

    def __init__(self, database: Database) -> None:
        self._db = database
        self.outbox: Outbox = SqliteOutbox(database, database.read)

    async def check_room(self, size: int) -> None:
        """See Store."""
        self._db.check_room(size)

    async def add_file(self, file: File) -> None:
        """See Store."""
        await self._db.do(partial(store.add_file, file=file))

    async def file(self, tenant: str, id_: str) -> File | None:
        """See Store."""
        return await self._db.read(partial(store.file, tenant=tenant, id_=id_))

    async def files(
        self, tenant: str, *, purpose: str | None, after: str | None, limit: int, oldest: bool
    ) -> list[File]:
        """See Store."""
        work = partial(store.files, tenant=tenant, purpose=purpose, after=after, limit=limit, oldest=oldest)
        return await self._db.read(work)

    async def remove_file(self, tenant: str, id_: str) -> bool:
        """See Store."""
        return await self._db.do(partial(store.remove_file, tenant=tenant, id_=id_))

    async def add_batch(self, batch: Batch, once: Idempotency | None = None) -> Batch:
        """See Store."""

        def work(db: sqlite3.Connection) -> Batch:
            return _known(db, batch, once) or store.add_batch(db, batch)

        return await self._db.do(work)

    async def accept(
        self, batch: Batch, body: bytes, entry: Entry, backlog: Backlog, once: Idempotency | None = None
    ) -> Batch:
        """See Store."""

        def work(db: sqlite3.Connection) -> Batch:
            known = _known(db, batch, once)
            if known is not None:
                return known
            for whose, most in ((batch.tenant, backlog.tenant), (None, backlog.all)):
                waiting = claims.waiting(db, whose)
                if waiting >= most:
                    raise crowded(waiting, most, one=whose is not None)
            made = store.add_batch(db, batch, body)
            claims.put(db, made.seq, made.tenant, made.urgency, [entry])
            claims.begin(db, made.seq, 1, batch.created)
            return made

        return await self._db.do(work)

    async def batch(self, tenant: str, kind: Kind, id_: str) -> Batch | None:
        """See Store."""
        return await self._db.read(partial(store.batch, tenant=tenant, kind=kind, id_=id_))

    async def by_seq(self, seq: int) -> Batch | None:
        """See Store."""
        return await self._db.read(partial(store.by_seq, seq=seq))

    async def batches(
        self, tenant: str, kind: Kind, *, after: str | None, before: str | None, limit: int
    ) -> list[Batch]:
        """See Store."""
        work = partial(store.batches, tenant=tenant, kind=kind, after=after, before=before, limit=limit)
        return await self._db.read(work)

    async def unread(self) -> list[Batch]:
        """See Store."""
        return await self._db.read(store.unread)

    async def ripe(self) -> list[Batch]:
        """See Store."""
        return await self._db.read(store.ripe)

    async def under_way(self, limit: int) -> list[Batch]:
        """See Store."""
        return await self._db.read(partial(store.under_way, limit=limit))

    async def seen(self, seqs: Collection[int], version: int | None = None) -> Seen | None:
        """See Store."""
        return await self._db.read(partial(_seen, seqs=list(seqs), version=version))

    async def overdue(self, now: float, limit: int) -> list[int]:
        """See Store."""
        return await self._db.read(partial(store.overdue, now=now, limit=limit))

    async def fail(self, seq: int, note: dict[str, Any], now: float) -> None:
        """See Store."""
        await self._db.do(partial(store.fail, seq=seq, note=note, now=now))

    async def finalize(self, seq: int, now: float) -> Batch | None:
        """See Store."""
        return await self._db.do(partial(store.finalize, seq=seq, now=now))

    async def end(self, batch: Batch, output: File | None, errors: File | None, now: float) -> None:
        """See Store."""
        await self._db.do(partial(store.end, batch=batch, output=output, errors=errors, now=now))

    async def finished(self, seq: int) -> AsyncIterator[Finished]:
        """See Store."""
        line = -1
        while page := await self._db.keep(partial(_page, seq=seq, after=line)):
            for one in page:
                yield one
            line = page[-1].line

    async def result(self, seq: int) -> Result | None:
        """See Store."""
        return await self._db.read(partial(store.result, seq=seq))

    async def body(self, seq: int) -> bytes | None:
        """See Store."""
        return await self._db.read(partial(store.body, seq=seq))

    async def cancel(self, seq: int, now: float) -> None:
        """See Store."""
        await self._db.do(partial(claims.cancel, seq=seq, now=now))

    async def give_up(self, seq: int, state: State, now: float) -> None:
        """See Store."""
        await self._db.do(partial(claims.give_up, seq=seq, state=state, now=now))

    async def remove_batch(self, seq: int) -> None:
        """See Store."""
        await self._db.do(partial(store.remove_batch, seq=seq))

    async def forget(self, now: float, kept: float) -> list[str]:
        """See Store."""
        return await self._db.do(partial(store.forget, now=now, kept=kept))

    async def put(self, seq: int, tenant: str, urgency: int, entries: Sequence[Entry]) -> None:
        """See Store."""
        await self._db.do(partial(claims.put, seq=seq, tenant=tenant, urgency=urgency, entries=entries))

    async def begin(self, seq: int, total: int, now: float) -> None:
        """See Store."""
        await self._db.do(partial(claims.begin, seq=seq, total=total, now=now))

    async def lanes(self) -> list[Lane]:
        """See Store."""
        return await self._db.read(claims.lanes)

    async def waiting(self, tenant: str | None = None) -> int:
        """See Store."""
        return await self._db.read(partial(claims.waiting, tenant=tenant))

    async def oldest(self, lanes: Collection[int]) -> dict[int, float]:
        """See Store."""
        found = await self._db.read(lambda db: {lane: claims.oldest(db, lane) for lane in lanes})
        return {lane: made for lane, made in found.items() if made is not None}

    async def claim(
        self, count: int, chosen: Collection[int], until: float, *, made_before: float | None = None
    ) -> list[Task]:
        """See Store."""
        work = partial(claims.claim, count=count, chosen=chosen, until=until, made_before=made_before)
        return await self._db.do(work)

    async def settle(self, task: Task, result: Result, *, now: float) -> bool:
        """See Store."""
        return await self._db.do(partial(claims.settle, task=task, result=result, now=now))

    async def put_back(self, task: Task, ready: float | None) -> bool:
        """See Store."""
        return await self._db.do(partial(claims.put_back, task=task, ready=ready))

    async def renew(self, tasks: Iterable[Task], until: float) -> None:
        """See Store."""
        await self._db.do(partial(claims.renew, tasks=list(tasks), until=until))

    async def ripen(self, now: float) -> None:
        """See Store."""
        await self._db.do(partial(claims.ripen, now=now))

    async def recover(self) -> None:
        """See Store."""
        await self._db.do(claims.recover)

    async def position(self, seq: int) -> tuple[State, str, int] | None:
        """See Store."""
        return await self._db.read(partial(claims.position, seq=seq))


def _seen(db: sqlite3.Connection, seqs: Collection[int], version: int | None) -> Seen | None:
    now = int(db.execute("PRAGMA data_version").fetchone()[0])  # what others write moves it, and this one only reads
    if now == version or not seqs:
        return None
    found: dict[int, Sight | None] = {}
    for seq in seqs:
        batch = store.by_seq(db, seq)
        place = None if batch is None or batch.ended is not None else claims.position(db, seq)
        found[seq] = None if batch is None else Sight(batch, place)
    return Seen(now, found)


def _page(db: sqlite3.Connection, seq: int, after: int) -> list[Finished]:
    return list(islice(store.finished(db, seq, after), PAGE))


def _known(db: sqlite3.Connection, batch: Batch, once: Idempotency | None) -> Batch | None:
    if once is None:
        return None
    before = store.remember(db, batch.tenant, once.key, once.digest, batch.id, batch.created)
    return None if before is None else store.batch(db, batch.tenant, batch.kind, before)
