"""Webhooks on their way, in a table.

The functions on a connection block, and leave the transaction to whose connection it is: a queue that writes an end of
a batch puts the webhook of it into the same transaction.
"""

import sqlite3
from collections.abc import Callable, Collection
from typing import Protocol, TypeVar

import orjson

from sluice_sidecar.batch.outbox import (
    LEASE,
    LOOKED_AT,
    PER_ORIGIN,
    PER_TENANT,
    Claimed,
    Count,
    State,
    Told,
    Webhook,
    announced,
    origin_of,
)

T = TypeVar("T")

TABLES = """
CREATE TABLE IF NOT EXISTS webhooks (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, window TEXT NOT NULL, url TEXT NOT NULL,
    origin TEXT NOT NULL, batch TEXT NOT NULL, body BLOB NOT NULL, tenant TEXT NOT NULL, created REAL NOT NULL,
    state INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0, first REAL, due REAL NOT NULL,
    note TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS webhooks_due ON webhooks (due) WHERE state = 0;
CREATE INDEX IF NOT EXISTS webhooks_order ON webhooks (url, batch, seq) WHERE state = 0;
CREATE INDEX IF NOT EXISTS webhooks_batch ON webhooks (batch);
CREATE INDEX IF NOT EXISTS webhooks_tenant ON webhooks (tenant, created);
CREATE TABLE IF NOT EXISTS webhook_ends (url TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
"""


class Reads(Protocol):
    """Reads, without changing anything."""

    async def __call__(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` returns."""


class Does(Protocol):
    """Runs work in a transaction and returns when it is durable."""

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` returns."""


_COLUMNS = "id, window, url, batch, body, tenant"


def add(db: sqlite3.Connection, webhook: Webhook, now: float) -> bool:
    """See Outbox."""
    gone = db.execute("SELECT 1 FROM webhook_ends WHERE url = ?", (webhook.url,)).fetchone() is not None
    state, note = (State.GONE, "the address has said that it wants no more") if gone else (State.WAITING, "")
    return (
        db.execute(
            f"INSERT OR IGNORE INTO webhooks ({_COLUMNS}, origin, created, state, due, note) "  # noqa: S608
            "VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            (
                webhook.id, webhook.window, webhook.url, webhook.batch, webhook.body, webhook.tenant,
                origin_of(webhook.url), now, state, now, note,
            ),
        ).rowcount
        == 1
    )  # fmt: skip


def announce(db: sqlite3.Connection, seq: int, now: float) -> None:
    """Adds the webhook of a batch that this transaction has ended, where its caller wants to be told."""
    row = db.execute(
        "SELECT json_extract(note, '$.webhook'), id, tenant, kind, status, failed FROM batches WHERE seq = ? "
        "AND json_type(note, '$.webhook') = 'object'",
        (seq,),
    ).fetchone()
    if row is not None:
        target, id_, tenant, kind, status, failed = row
        add(db, announced(orjson.loads(target), id_, tenant, kind, status, failed, now), now)


_READY = """
    state = 0 AND url NOT IN (SELECT value FROM json_each(:without))
    AND origin NOT IN (SELECT value FROM json_each(:without))
    AND 'tenant ' || tenant NOT IN (SELECT value FROM json_each(:without)) AND NOT EXISTS (
        SELECT 1 FROM webhooks AS earlier
        WHERE earlier.state = 0 AND earlier.url = webhooks.url AND earlier.batch = webhooks.batch
        AND earlier.seq < webhooks.seq
    )
"""


class SqliteOutbox:
    """An Outbox on a database that has TABLES, through whoever writes to it. `read`: how it is read, which does not
    wait for what is written."""

    def __init__(self, writer: Does, read: Reads) -> None:
        self._writer, self._read = writer, read

    async def add(self, webhook: Webhook, now: float) -> bool:
        """See Outbox."""
        return await self._writer.do(lambda db: add(db, webhook, now))

    async def claim(self, now: float, limit: int, without: Collection[str]) -> list[Claimed]:
        """See Outbox."""
        excluded = _json(without)

        def work(db: sqlite3.Connection) -> list[Claimed]:
            query = f"""
                WITH
                due_now AS (
                    SELECT seq, due, origin, tenant FROM webhooks WHERE due <= :now AND {_READY}
                    ORDER BY due, seq LIMIT {LOOKED_AT}
                ),
                by_origin AS (
                    SELECT *, row_number() OVER (PARTITION BY origin ORDER BY due, seq) AS place FROM due_now
                ),
                by_tenant AS (
                    SELECT *, row_number() OVER (PARTITION BY tenant ORDER BY due, seq) AS turn FROM by_origin
                    WHERE place <= {PER_ORIGIN}
                )
                SELECT seq FROM by_tenant WHERE turn <= {PER_TENANT} ORDER BY due, seq LIMIT :limit
            """  # noqa: S608
            found = [seq for (seq,) in db.execute(query, {"now": now, "without": excluded, "limit": limit})]
            change = (
                f"UPDATE webhooks SET due = ?, tries = tries + 1, first = coalesce(first, ?) WHERE seq = ? "  # noqa: S608
                f"RETURNING tries, first, {_COLUMNS}"
            )
            rows = [db.execute(change, (now + LEASE, now, seq)).fetchone() for seq in found]
            return [Claimed(Webhook(*row[2:]), row[0], row[1]) for row in rows]

        return await self._writer.do(work)

    async def next_due(self, without: Collection[str]) -> float:
        """See Outbox."""
        excluded = _json(without)

        def work(db: sqlite3.Connection) -> float:
            query = f"SELECT min(due) FROM webhooks WHERE {_READY}"  # noqa: S608
            found = db.execute(query, {"without": excluded}).fetchone()[0]
            return float("inf") if found is None else float(found)

        return await self._read(work)

    async def settle(self, claimed: Claimed, state: State, note: str = "") -> None:
        """See Outbox."""
        values = (state, note, claimed.webhook.id, claimed.tries)
        change = "UPDATE webhooks SET state = ?, note = ? WHERE id = ? AND tries = ? AND state = 0"
        await self._writer.do(lambda db: db.execute(change, values).rowcount)

    async def postpone(self, claimed: Claimed, due: float, note: str = "", *, counts: bool = True) -> None:
        """See Outbox."""
        first = claimed.first if counts or claimed.tries > 1 else None
        values = (due, claimed.tries - (not counts), first, note, claimed.webhook.id, claimed.tries)
        change = "UPDATE webhooks SET due = ?, tries = ?, first = ?, note = ? WHERE id = ? AND tries = ? AND state = 0"
        await self._writer.do(lambda db: db.execute(change, values).rowcount)

    async def end(self, url: str, now: float) -> int:
        """See Outbox."""

        def work(db: sqlite3.Connection) -> int:
            db.execute("INSERT OR REPLACE INTO webhook_ends VALUES (?,?)", (url, now))
            change = "UPDATE webhooks SET state = ?, note = ? WHERE url = ? AND state = 0"
            return db.execute(change, (State.GONE, "the address has said that it wants no more", url)).rowcount

        return await self._writer.do(work)

    async def replay(
        self, now: float, batch: str | None = None, *, tenant: str | None = None, since: float = 0.0
    ) -> int:
        """See Outbox."""
        which, values = ("batch = ?", [batch]) if batch is not None else ("state IN (2, 3) AND created >= ?", [since])
        if tenant is not None:
            which, values = f"{which} AND tenant = ?", [*values, tenant]

        def work(db: sqlite3.Connection) -> int:
            db.execute(f"DELETE FROM webhook_ends WHERE url IN (SELECT url FROM webhooks WHERE {which})", values)  # noqa: S608
            # one that waits may be under way: its claim stays good
            change = f"""
                UPDATE webhooks SET tries = iif(state, 0, tries), first = iif(state, NULL, first), state = 0, due = ?
                WHERE {which}
            """  # noqa: S608
            return db.execute(change, (now, *values)).rowcount

        return await self._writer.do(work)

    async def forget(self, before: float) -> int:
        """See Outbox."""
        change = "DELETE FROM webhooks WHERE state != 0 AND due < ?"
        return await self._writer.do(lambda db: db.execute(change, (before,)).rowcount)

    async def of_batch(self, batch: str) -> list[Told]:
        """See Outbox."""
        return await self._told("batch = ? ORDER BY seq", batch)

    async def of_tenant(self, tenant: str, batch: str | None, limit: int) -> list[Told]:
        """See Outbox."""
        if batch is None:
            return await self._told("tenant = ? ORDER BY created DESC, seq DESC LIMIT ?", tenant, limit)
        return await self._told("tenant = ? AND batch = ? ORDER BY seq DESC LIMIT ?", tenant, batch, limit)

    async def _told(self, which: str, *values: object) -> list[Told]:
        query = f"SELECT state, tries, created, due, note, {_COLUMNS} FROM webhooks WHERE {which}"  # noqa: S608

        def work(db: sqlite3.Connection) -> list[Told]:
            return [Told(Webhook(*row[5:]), State(row[0]), *row[1:5]) for row in db.execute(query, values)]

        return await self._read(work)

    async def counts(self) -> list[Count]:
        """See Outbox."""
        query = "SELECT window, url, state, count(*), min(due), max(note) FROM webhooks GROUP BY window, url, state"

        def work(db: sqlite3.Connection) -> list[Count]:
            return [Count(window, url, State(state), *rest) for window, url, state, *rest in db.execute(query)]

        return await self._read(work)


def _json(values: Collection[str]) -> str:
    return orjson.dumps(list(values)).decode()
