"""Records of the Faiss store in one SQLite file: what is true, and what the vectors in memory are read from.

Write-ahead log, held by this process alone: a killed process loses nothing that was written, a machine that dies loses
what came after the last `flush`.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any

from sluice_sidecar.cache.stores.sealed import SUM, opened, sealed
from sluice_sidecar.cache.stores.store import Record, StoreError

BATCH = 200
"""Records changed by one transaction: it holds the interpreter for a few milliseconds."""

PAGES = 512
"""Pages of 4 KiB given back to the disk at once."""

OPENING = (
    "PRAGMA auto_vacuum = INCREMENTAL",
    "PRAGMA locking_mode = EXCLUSIVE",  # no index of the log in a memory map: a full disk would kill the process
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    """CREATE TABLE IF NOT EXISTS records (
        ident INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL, scope TEXT NOT NULL, tenant TEXT NOT NULL,
        policy TEXT NOT NULL, expires INTEGER NOT NULL, until INTEGER NOT NULL, used REAL NOT NULL,
        sealed BLOB NOT NULL, vector BLOB, sum BLOB NOT NULL)""",
    "DROP INDEX IF EXISTS by_use",  # of files of earlier releases
    "CREATE INDEX IF NOT EXISTS by_holder ON records (policy, tenant, used)",
    "CREATE INDEX IF NOT EXISTS by_end ON records (until)",
)

Place = tuple[int, str]
"""A record's number and its scope: where its vector is."""


class Damaged(StoreError):  # noqa: N818  (it says what the file is)
    """The file is no sound database."""


class Rows:
    """The open file. Calls are synchronous and short; every one raises StoreError, Damaged where the file is."""

    def __init__(self, path: Path) -> None:
        with _told():
            self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1.0)
            self._file.text_factory = _text
            try:
                for statement in OPENING:
                    self._file.execute(statement)
            except sqlite3.Error:
                self._file.close()
                raise

    def vectors(self) -> Iterator[tuple[int, str, float, bytes]]:
        """(number, scope, end of life, vector) of every record that has one."""
        with _told():
            found = self._file.execute("SELECT ident, scope, expires, vector FROM records WHERE vector IS NOT NULL")
            yield from ((*where, vector) for *where, vector in found if isinstance(vector, bytes))

    def get(self, key: str) -> Record | None:
        """The record, None where there is none. Raises ValueError where it fails its sum."""
        return self._one("key = ?", key)

    def at(self, ident: int) -> Record | None:
        """As `get`, by number."""
        return self._one("ident = ?", ident)

    def _one(self, where: str, value: object) -> Record | None:
        with _told():
            query = f"SELECT key, sealed, vector, sum FROM records WHERE {where}"  # noqa: S608
            row = self._file.execute(query, (value,)).fetchone()
        return None if row is None else _whole(*row)

    def page(self, policy: str, after: int) -> list[tuple[int, Record | None]]:
        """(number, record) of up to BATCH of a policy's records beyond a number, in order; None for a damaged one."""
        with _told():
            query = (
                "SELECT ident, key, sealed, vector, sum FROM records WHERE policy = ? AND ident > ? "
                "ORDER BY ident LIMIT ?"
            )
            rows = self._file.execute(query, (policy, after, BATCH)).fetchall()
        found: list[tuple[int, Record | None]] = []
        for ident, *row in rows:
            try:
                found.append((ident, _whole(*row)))
            except ValueError:
                found.append((ident, None))
        return found

    def put(self, record: Record) -> tuple[int, Place | None]:
        """Writes one record; its number, and where its predecessor was."""
        blob = sealed(record)
        row = (
            record.key, record.scope, record.tenant, record.policy, int(record.expires), int(record.until),
            record.used, blob, record.vector, _sum(blob, record.vector),
        )  # fmt: skip
        with _told(), self._file:
            self._file.execute("BEGIN")
            before = self._file.execute("SELECT ident, scope FROM records WHERE key = ?", (record.key,)).fetchone()
            written = self._file.execute(
                "INSERT OR REPLACE INTO records "
                "(key, scope, tenant, policy, expires, until, used, sealed, vector, sum) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row,
            )  # fmt: skip
            return int(written.lastrowid or 0), before

    def touch(self, keys: Sequence[str], now: float) -> None:
        """Marks records as used; unknown keys are passed over."""
        with _told(), self._file:
            self._file.execute("BEGIN")
            self._file.executemany("UPDATE records SET used = ? WHERE key = ?", [(now, key) for key in keys])

    def delete(self, idents: Sequence[int]) -> None:
        """Deletes records by number."""
        with _told(), self._file:
            self._file.execute("BEGIN")
            self._file.executemany("DELETE FROM records WHERE ident = ?", [(ident,) for ident in idents])

    def by_policy(self) -> dict[str, int]:
        """Records of each policy."""
        with _told():
            return dict(self._file.execute("SELECT policy, count(*) FROM records GROUP BY policy"))

    def by_tenant(self, policy: str) -> dict[str, int]:
        """Records of a policy that each tenant filled."""
        with _told():
            query = "SELECT tenant, count(*) FROM records WHERE policy = ? GROUP BY tenant"
            return dict(self._file.execute(query, (policy,)))

    def oldest(self, policy: str, tenant: str, count: int) -> list[Place]:
        """Up to BATCH of a tenant's records in a policy, the least recently used first."""
        return self._places("policy = ? AND tenant = ? ORDER BY used", [policy, tenant], min(count, BATCH))

    def ended(self, now: float) -> list[Place]:
        """Up to BATCH records that `until` has ended."""
        return self._places("until <= ?", [now], BATCH)

    def matching(self, policy: str | None, tenant: str | None, key: str | None) -> list[Place]:
        """Up to BATCH records that match all that is given."""
        given = {"policy": policy, "tenant": tenant, "key": key}
        chosen = {name: value for name, value in given.items() if value is not None}
        where = " AND ".join(f"{name} = ?" for name in chosen) or "1"
        return self._places(where, list(chosen.values()), BATCH)

    def _places(self, where: str, values: Sequence[object], limit: int) -> list[Place]:
        with _told():
            query = f"SELECT ident, scope FROM records WHERE {where} LIMIT ?"  # noqa: S608
            return self._file.execute(query, (*values, limit)).fetchall()

    def flush(self) -> None:
        """Makes all of it durable."""
        with _told():
            self._file.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def shrink(self) -> bool:
        """Gives space of deleted records back to the disk; whether there may be more."""
        with _told():
            self._file.executescript(f"PRAGMA incremental_vacuum({PAGES})")  # `execute` would give back one page
            return bool(self._file.execute("PRAGMA freelist_count").fetchone()[0])

    def close(self) -> None:
        """Lets go of the file."""
        with _told():
            self._file.close()


def _whole(key: Any, blob: Any, vector: Any, mark: Any) -> Record:
    """The record of these columns. Raises ValueError where it fails its sum."""
    sound = isinstance(blob, bytes) and isinstance(vector, bytes | None) and mark == _sum(blob, vector)
    record = opened(blob) if sound else None
    if record is None or record.key != key:
        raise ValueError(f"the record {key} fails its checksum")
    return record


def _text(value: bytes) -> str:
    """A damaged text is no error of the whole file: its record fails its sum."""
    return value.decode(errors="replace")


def _sum(blob: bytes, vector: bytes | None) -> bytes:
    return blake2b(blob[:SUM] + (vector or b""), digest_size=SUM).digest()


@contextmanager
def _told() -> Iterator[None]:
    """SQLite's errors as StoreError."""
    try:
        yield
    except (sqlite3.OperationalError, sqlite3.ProgrammingError) as error:  # no room, no access, closed
        raise StoreError(f"{type(error).__name__}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise Damaged(f"{type(error).__name__}: {error}") from error
