"""Webhooks on their way, in a table: what is in it is delivered at least once, whatever dies.

The functions on a connection block, and leave the transaction to whose connection it is: a queue that writes an end of
a batch puts the webhook of it into the same transaction.
"""

import sqlite3
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Protocol, TypeVar

import orjson

from sluice_sidecar.batch.writer import Writer

T = TypeVar("T")

PER_ADDRESS = 8
"""Claimed at one time for one address: one that hangs leaves room for the others."""

LOOKED_AT = 256
"""Of those that are due: a claim costs the same however many wait. Who claims leaves out addresses that are busy, so
the next claim looks behind them."""

LEASE = 120.0
"""Seconds after which a claimed webhook of which nothing more was heard is due again: more than a try can take."""

TABLES = """
CREATE TABLE IF NOT EXISTS webhooks (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, window TEXT NOT NULL, url TEXT NOT NULL,
    batch TEXT NOT NULL, body BLOB NOT NULL, state INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0, first REAL,
    due REAL NOT NULL, note TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS webhooks_due ON webhooks (due) WHERE state = 0;
CREATE INDEX IF NOT EXISTS webhooks_order ON webhooks (url, batch, seq) WHERE state = 0;
CREATE INDEX IF NOT EXISTS webhooks_batch ON webhooks (batch);
CREATE TABLE IF NOT EXISTS webhook_ends (url TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
"""


class State(IntEnum):
    """Where a webhook is."""

    WAITING = 0
    DELIVERED = 1
    GIVEN_UP = 2
    """Tried for 24 hours."""
    GONE = 3
    """Its address has said that it wants no more (410)."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One event to one address. `window`: the BatchWindow whose keys sign it and whose list allows the address."""

    id: str
    window: str
    url: str = field(repr=False)
    """It may hold a token of the receiver's."""
    batch: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A webhook to be tried now. Only who claimed it last settles it."""

    webhook: Webhook
    tries: int
    """This one included."""
    first: float
    """When it was tried for the first time, unix seconds."""


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a webhook."""

    webhook: Webhook
    state: State
    tries: int
    due: float
    note: str
    """Why the last try failed."""


class Outbox(Protocol):
    """Webhooks on their way. What returns is durable. Times are unix seconds."""

    async def add(self, webhook: Webhook, now: float) -> bool:
        """Takes it, to be tried at once. False: one with this id is known, and nothing was done."""

    async def claim(self, now: float, limit: int, without: Collection[str]) -> list[Claimed]:
        """At most `limit` that are due, the longest due first, PER_ADDRESS to one address, none to those of `without`.

        Of one batch to one address the earliest alone: the next follows when it was delivered or given up. What is not
        settled within LEASE is due again.
        """

    async def next_due(self, without: Collection[str]) -> float:
        """When `claim` will have something, infinity where nothing waits."""

    async def settle(self, claimed: Claimed, state: State, note: str = "") -> None:
        """It was delivered or given up."""

    async def postpone(self, claimed: Claimed, due: float, note: str = "", *, counts: bool = True) -> None:
        """It is tried again at `due`. Not `counts`: it was not tried this time."""

    async def end(self, url: str, now: float) -> int:
        """The address wants no more: what waits for it is GONE, and so is what comes later. How many waited."""

    async def replay(self, now: float, batch: str | None = None) -> int:
        """Makes a batch's webhooks, delivered ones too, or all that were given up or are gone, due again, with their
        ids; their addresses are in use again. How many."""

    async def forget(self, before: float) -> int:
        """Forgets what was delivered, given up or gone before then. How many."""

    async def of_batch(self, batch: str) -> list[Told]:
        """A batch's webhooks, in the order in which they came."""


class Does(Protocol):
    """Runs work in a transaction and returns when it is durable."""

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` returns."""


_COLUMNS = "id, window, url, batch, body"


def add(db: sqlite3.Connection, webhook: Webhook, now: float) -> bool:
    """See Outbox."""
    gone = db.execute("SELECT 1 FROM webhook_ends WHERE url = ?", (webhook.url,)).fetchone() is not None
    state, note = (State.GONE, "the address has said that it wants no more") if gone else (State.WAITING, "")
    return (
        db.execute(
            f"INSERT OR IGNORE INTO webhooks ({_COLUMNS}, state, due, note) VALUES (?,?,?,?,?,?,?,?)",  # noqa: S608
            (webhook.id, webhook.window, webhook.url, webhook.batch, webhook.body, state, now, note),
        ).rowcount
        == 1
    )


_READY = """
    state = 0 AND url NOT IN (SELECT value FROM json_each(?)) AND NOT EXISTS (
        SELECT 1 FROM webhooks AS earlier
        WHERE earlier.state = 0 AND earlier.url = webhooks.url AND earlier.batch = webhooks.batch
        AND earlier.seq < webhooks.seq
    )
"""


class SqliteOutbox:
    """An Outbox on a database that has TABLES, through whoever writes to it."""

    def __init__(self, writer: Does) -> None:
        self._writer = writer

    async def add(self, webhook: Webhook, now: float) -> bool:
        """See Outbox."""
        return await self._writer.do(lambda db: add(db, webhook, now))

    async def claim(self, now: float, limit: int, without: Collection[str]) -> list[Claimed]:
        """See Outbox."""
        excluded = _json(without)

        def work(db: sqlite3.Connection) -> list[Claimed]:
            query = f"""
                SELECT seq FROM (
                    SELECT seq, due, row_number() OVER (PARTITION BY url ORDER BY due, seq) AS place
                    FROM (SELECT seq, due, url FROM webhooks WHERE due <= ? AND {_READY} ORDER BY due, seq LIMIT ?)
                ) WHERE place <= ? ORDER BY due, seq LIMIT ?
            """  # noqa: S608
            found = [seq for (seq,) in db.execute(query, (now, excluded, LOOKED_AT, PER_ADDRESS, limit))]
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
            found = db.execute(f"SELECT min(due) FROM webhooks WHERE {_READY}", (excluded,)).fetchone()[0]  # noqa: S608
            return float("inf") if found is None else float(found)

        return await self._writer.do(work)

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

    async def replay(self, now: float, batch: str | None = None) -> int:
        """See Outbox."""

        def work(db: sqlite3.Connection) -> int:
            which, values = ("batch = ?", (batch,)) if batch is not None else ("state IN (2, 3)", ())
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
        query = f"SELECT state, tries, due, note, {_COLUMNS} FROM webhooks WHERE batch = ? ORDER BY seq"  # noqa: S608

        def work(db: sqlite3.Connection) -> list[Told]:
            return [Told(Webhook(*row[4:]), State(row[0]), *row[1:4]) for row in db.execute(query, (batch,))]

        return await self._writer.do(work)


def open_outbox(path: Path) -> tuple[SqliteOutbox, Callable[[], None]]:
    """An outbox in a file of its own, and what closes it. Raises OSError or sqlite3.Error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, timeout=10.0, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.executescript(TABLES)
    except BaseException:
        db.close()
        raise
    writer = Writer(db)
    return SqliteOutbox(writer), writer.close


def _json(values: Collection[str]) -> str:
    return orjson.dumps(list(values)).decode()
