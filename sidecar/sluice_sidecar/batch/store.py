"""Files, batches and idempotency keys in the queue's file. Everything here blocks; transactions are the writer's."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import orjson

from sluice_sidecar.batch import outbox_sqlite
from sluice_sidecar.batch.records import LINE_BITS, Batch, File, Finished, Kind, Result, State, Status

_FILE = "id, tenant, purpose, filename, bytes, created, expires"
_BATCH = (
    "seq, id, tenant, kind, path, input, status, created, expires, urgency, total, completed, failed, cancelled, "
    "expired, begun, finalizing, cancelling, ended, output, errors, note"
)
OPEN: tuple[Status, ...] = ("validating", "in_progress", "cancelling")


class KeyReused(Exception):  # noqa: N818  (what the caller did)
    """An idempotency key came back with another request."""


# Files


def add_file(db: sqlite3.Connection, file: File) -> None:
    """Makes a file known whose bytes are on the disk."""
    db.execute(
        f"INSERT INTO files ({_FILE}) VALUES (?,?,?,?,?,?,?)",  # noqa: S608
        (file.id, file.tenant, file.purpose, file.filename, file.bytes, file.created, file.expires),
    )


def file(db: sqlite3.Connection, tenant: str, id_: str) -> File | None:
    """A tenant's file; None: it has none of this id."""
    query = f"SELECT {_FILE} FROM files WHERE id = ? AND tenant = ? AND NOT gone"  # noqa: S608
    row = db.execute(query, (id_, tenant)).fetchone()
    return None if row is None else File(*row)


def files(
    db: sqlite3.Connection, tenant: str, *, purpose: str | None, after: str | None, limit: int, oldest: bool
) -> list[File]:
    """A tenant's files, `oldest` or newest first, from the one behind `after` on."""
    order, beyond = ("ASC", ">") if oldest else ("DESC", "<")
    query = f"SELECT {_FILE} FROM files WHERE tenant = ? AND NOT gone"  # noqa: S608
    values: list[Any] = [tenant]
    if purpose is not None:
        query, values = query + " AND purpose = ?", [*values, purpose]
    if after is not None:
        query += f" AND (created, id) {beyond} (SELECT created, id FROM files WHERE id = ? AND tenant = ?)"  # noqa: S608
        values += [after, tenant]
    query += f" ORDER BY created {order}, id {order} LIMIT ?"
    return [File(*row) for row in db.execute(query, (*values, limit))]


def remove_file(db: sqlite3.Connection, tenant: str, id_: str) -> bool:
    """Takes a file from its tenant; its bytes go when no open batch reads them. Whether there was one."""
    return db.execute("UPDATE files SET gone = 1 WHERE id = ? AND tenant = ? AND NOT gone", (id_, tenant)).rowcount == 1


# Batches


def add_batch(db: sqlite3.Connection, batch: Batch, body: bytes | None = None) -> Batch:
    """A batch with its sequence number. `body`: the one request of a single one, kept in the database itself."""
    columns = _BATCH.partition(", ")[2]
    row = db.execute(
        f"INSERT INTO batches ({columns}) VALUES ({','.join('?' * 21)}) RETURNING {_BATCH}",  # noqa: S608
        (
            batch.id, batch.tenant, batch.kind, batch.path, batch.input, batch.status, batch.created, batch.expires,
            batch.urgency, batch.total, batch.completed, batch.failed, batch.cancelled, batch.expired, batch.begun,
            batch.finalizing, batch.cancelling, batch.ended, batch.output, batch.errors,
            orjson.dumps(batch.note).decode(),
        ),
    ).fetchone()  # fmt: skip
    made = _batch(row)
    if body is not None:
        db.execute("INSERT INTO bodies VALUES (?,?)", (made.seq, body))
    return made


def _batch(row: tuple[Any, ...]) -> Batch:
    fields = dict(zip(_BATCH.split(", "), row, strict=True))
    return Batch(**fields | {"note": orjson.loads(fields["note"])})


def batch(db: sqlite3.Connection, tenant: str, kind: Kind, id_: str) -> Batch | None:
    """A tenant's batch of one wire."""
    query = f"SELECT {_BATCH} FROM batches WHERE id = ? AND tenant = ? AND kind = ?"  # noqa: S608
    row = db.execute(query, (id_, tenant, kind)).fetchone()
    return None if row is None else _batch(row)


def by_seq(db: sqlite3.Connection, seq: int) -> Batch | None:
    """A batch by its sequence number."""
    row = db.execute(f"SELECT {_BATCH} FROM batches WHERE seq = ?", (seq,)).fetchone()  # noqa: S608
    return None if row is None else _batch(row)


def batches(
    db: sqlite3.Connection, tenant: str, kind: Kind, *, after: str | None, before: str | None, limit: int
) -> list[Batch]:
    """A tenant's batches, newest first, behind `after`; or the ones just ahead of `before`."""
    query, values, order = f"SELECT {_BATCH} FROM batches WHERE tenant = ? AND kind = ?", [tenant, kind], "DESC"  # noqa: S608
    for bound, sign in ((after, "<"), (before, ">")):
        if bound is not None:
            query += f" AND seq {sign} (SELECT seq FROM batches WHERE id = ? AND tenant = ?)"  # noqa: S608
            values += [bound, tenant]
            order = "DESC" if sign == "<" else "ASC"
    found = [_batch(row) for row in db.execute(f"{query} ORDER BY seq {order} LIMIT ?", (*values, limit))]
    return found if order == "DESC" else found[::-1]


def unread(db: sqlite3.Connection) -> list[Batch]:
    """Batches whose input has yet to be queued, oldest first."""
    return _open(db, "begun IS NULL")


def under_way(db: sqlite3.Connection, limit: int) -> list[Batch]:
    """Batches that have not ended, oldest first; single ones are left out."""
    return _open(db, "1", limit)


def ripe(db: sqlite3.Connection) -> list[Batch]:
    """Batches whose requests have all ended, and whose files are not written."""
    return _open(db, "begun IS NOT NULL AND completed + failed + cancelled + expired >= total")


def _open(db: sqlite3.Connection, which: str, limit: int = -1) -> list[Batch]:
    """Single ones are left out: they end with their one request."""
    query = f"SELECT {_BATCH} FROM batches WHERE ended IS NULL AND kind <> 'single' AND {which}"  # noqa: S608
    return [_batch(row) for row in db.execute(f"{query} ORDER BY seq LIMIT ?", (limit,))]


def overdue(db: sqlite3.Connection, now: float, limit: int) -> list[int]:
    """Sequence numbers of batches whose time is over and of which something waits."""
    query = (
        "SELECT seq FROM batches WHERE ended IS NULL AND expires <= ? AND status = 'in_progress' "
        "AND completed + failed + cancelled + expired < total ORDER BY expires LIMIT ?"
    )
    return [row[0] for row in db.execute(query, (now, limit))]


def fail(db: sqlite3.Connection, seq: int, note: dict[str, Any], now: float) -> None:
    """Ends a batch whose input cannot be read, with what is wrong with it."""
    ended = db.execute(
        "UPDATE batches SET status = 'failed', ended = ?, note = ? WHERE seq = ? AND begun IS NULL AND ended IS NULL",
        (now, orjson.dumps(note).decode(), seq),
    ).rowcount
    if ended:
        outbox_sqlite.announce(db, seq, now)


def finalize(db: sqlite3.Connection, seq: int, now: float) -> Batch | None:
    """Marks a batch whose requests all ended; None where it is no such batch."""
    db.execute(
        "UPDATE batches SET status = CASE status WHEN 'in_progress' THEN 'finalizing' ELSE status END, finalizing = ? "
        "WHERE seq = ? AND ended IS NULL AND begun IS NOT NULL AND completed + failed + cancelled + expired >= total",
        (now, seq),
    )
    found = by_seq(db, seq)
    return found if found is not None and found.begun is not None and found.ended is None and found.finished else None


def end(db: sqlite3.Connection, batch: Batch, output: File | None, errors: File | None, now: float) -> None:
    """Ends a batch whose files are written, and drops from the queue what they hold."""
    if db.execute("SELECT 1 FROM batches WHERE seq = ? AND ended IS NULL", (batch.seq,)).fetchone() is None:
        return
    for one in (output, errors):
        if one is not None:
            add_file(db, one)
    status = "cancelled" if batch.cancelling else "expired" if batch.expired else "completed"
    db.execute(
        "UPDATE batches SET status = ?, ended = ?, output = ?, errors = ? WHERE seq = ?",
        (status, now, output and output.id, errors and errors.id, batch.seq),
    )
    outbox_sqlite.announce(db, batch.seq, now)
    _drop(db, batch.seq)


def finished(db: sqlite3.Connection, seq: int, after: int = -1) -> Iterator[Finished]:
    """A batch's requests at their end, in the order of its input, from the line behind `after` on."""
    query = (
        "SELECT q.id, q.custom, q.state, r.status, r.request, r.body FROM requests q "
        "LEFT JOIN results r ON r.id = q.id WHERE q.id BETWEEN ? AND ? ORDER BY q.id"
    )
    first, last = span(seq)
    with closing(db.execute(query, (first + after + 1, last))) as rows:
        for id_, custom, state, status, request, body in rows:
            result = None if status is None else Result(status, request, body)
            yield Finished(id_ & ((1 << LINE_BITS) - 1), custom, State(state), result)


def span(seq: int) -> tuple[int, int]:
    """First and last id that a batch's requests can have."""
    return seq << LINE_BITS, ((seq + 1) << LINE_BITS) - 1


def result(db: sqlite3.Connection, seq: int) -> Result | None:
    """What came of a single batch's request."""
    row = db.execute("SELECT status, request, body FROM results WHERE id = ?", span(seq)[:1]).fetchone()
    return None if row is None else Result(*row)


def remove_batch(db: sqlite3.Connection, seq: int) -> None:
    """Forgets a batch that has ended."""
    if db.execute("DELETE FROM batches WHERE seq = ? AND ended IS NOT NULL", (seq,)).rowcount:
        _drop(db, seq)


def body(db: sqlite3.Connection, seq: int) -> bytes | None:
    """The one request of a single batch."""
    row = db.execute("SELECT body FROM bodies WHERE batch = ?", (seq,)).fetchone()
    return None if row is None else bytes(row[0])


# Idempotency


def remember(db: sqlite3.Connection, tenant: str, key: str, digest: bytes, id_: str, now: float) -> str | None:
    """Notes that `key` made `id_`; the id that it made before, if it did. Raises KeyReused for another request."""
    row = db.execute("SELECT digest, id FROM keys WHERE tenant = ? AND key = ?", (tenant, key)).fetchone()
    if row is None:
        db.execute("INSERT INTO keys VALUES (?,?,?,?,?)", (tenant, key, digest, id_, now))
        return None
    if bytes(row[0]) != digest:
        raise KeyReused(key)
    return str(row[1])


# Retention


def forget(db: sqlite3.Connection, now: float, kept: float) -> list[str]:
    """Drops what is past its time: keys, ended batches, files. Ids of files whose bytes may go from the disk."""
    db.execute("DELETE FROM keys WHERE created < ?", (now - kept,))
    for (seq,) in db.execute("SELECT seq FROM batches WHERE ended < ?", (now - kept,)).fetchall():
        _drop(db, seq)
        db.execute("DELETE FROM batches WHERE seq = ?", (seq,))
    marks = ",".join("?" * len(OPEN))
    unread = f"id NOT IN (SELECT input FROM batches WHERE ended IS NULL AND status IN ({marks}))"  # noqa: S608
    rows = db.execute(f"DELETE FROM files WHERE (gone OR expires < ?) AND {unread} RETURNING id", (now, *OPEN))  # noqa: S608
    return [row[0] for row in rows.fetchall()]


def _drop(db: sqlite3.Connection, seq: int) -> None:
    for table in ("requests", "results"):
        db.execute(f"DELETE FROM {table} WHERE id BETWEEN ? AND ?", span(seq))  # noqa: S608
    db.execute("DELETE FROM bodies WHERE batch = ?", (seq,))
