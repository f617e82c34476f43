"""The ledger on disk: one SQLite file in write-ahead mode, shared by the workers of a machine, each with its own rows.

Everything here blocks: it runs in the ledger's one thread. Totals are written whole, never added up in SQL, so writing
a batch twice changes nothing and a killed process loses no more than its last batch.
"""

import fcntl
import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import orjson

from sluice_sidecar.ledger.decision import text
from sluice_sidecar.ledger.savings import Key, Row

SCHEMA = 1
KEPT = 5_000
"""Decisions that stay on disk, all workers together."""
DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

_TABLES = """
CREATE TABLE IF NOT EXISTS totals (
    worker INTEGER NOT NULL, day INTEGER NOT NULL, route TEXT NOT NULL, backend TEXT NOT NULL, cache TEXT NOT NULL,
    currency TEXT NOT NULL, requests INTEGER NOT NULL, cost TEXT NOT NULL, reference_cost TEXT NOT NULL,
    numbers TEXT NOT NULL,
    PRIMARY KEY (worker, day, route, backend, cache, currency)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS decisions (seq INTEGER PRIMARY KEY, worker INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS fits (
    worker INTEGER NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (worker, name)
) WITHOUT ROWID;
"""

_T = TypeVar("_T")

log = logging.getLogger("sluice.ledger")


class Batch(NamedTuple):
    """What one write carries: changed totals as (key, `Row.plain()`), decisions as JSON, fits' states by name."""

    totals: Sequence[tuple[Key, dict[str, Any]]]
    decisions: Sequence[bytes]
    fits: Sequence[tuple[str, list[float]]]


class Damaged(Exception):  # noqa: N818  (a finding, handled by starting anew)
    """The file is not a sound ledger."""


class LedgerStore:
    """One worker's hold on the file. Raises `sqlite3.Error` where the disk refuses, `Damaged` for a broken file."""

    def __init__(self, path: Path, worker: int) -> None:
        self.path, self.worker = path, worker
        self._db: sqlite3.Connection | None = None

    def open(self) -> None:
        """Opens or makes the file; one that is broken is moved aside, and an empty one takes its place.

        Raises OSError, sqlite3.Error, or RuntimeError where a newer release wrote the file.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._alone():
            try:
                self._db = self._connected()
            except Damaged as damage:
                aside = self._moved_aside()
                log.warning(
                    "ledger %s is damaged (%s): moved to %s, totals start at zero", self.path, damage, aside.name
                )
                self._db = self._connected()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two workers that start must not both move a broken file aside."""
        with self.path.with_name(self.path.name + ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _connected(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=5.0, isolation_level=None, check_same_thread=False)
        try:
            db.execute("PRAGMA journal_mode=WAL")
            # Survives a killed process whole; a power cut may take the last transactions, never the file.
            db.execute("PRAGMA synchronous=NORMAL")
            found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise Damaged(found)
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA:
                raise RuntimeError(f"{self.path} has schema {version}, this release reads {SCHEMA}: use the newer one")
            db.executescript(_TABLES)
            db.execute(f"PRAGMA user_version={SCHEMA:d}")
        except sqlite3.DatabaseError as error:
            db.close()
            raise (Damaged(str(error)) if _is_damage(error) else error) from error
        except BaseException:
            db.close()
            raise
        return db

    def _moved_aside(self) -> Path:
        aside = self.path.with_name(f"{self.path.name}.damaged-{time.time_ns()}")
        for suffix in ("", "-wal", "-shm"):
            part = self.path.with_name(self.path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
        return aside

    def write(self, batch: Batch) -> None:
        """One transaction, all or nothing."""
        db = self._open_db()
        worker = self.worker
        try:
            db.execute("BEGIN IMMEDIATE")
            db.executemany(
                "INSERT OR REPLACE INTO totals VALUES (?,?,?,?,?,?,?,?,?,?)",
                [
                    (
                        worker,
                        *key,
                        plain["requests"],
                        text(plain["cost"]),
                        text(plain["reference_cost"]),
                        # Amounts may pass 64 bits in small currencies: as text they stay exact.
                        orjson.dumps(
                            {**plain, "cost": str(plain["cost"]), "reference_cost": str(plain["reference_cost"])}
                        ).decode(),
                    )
                    for key, plain in batch.totals
                ],
            )
            db.executemany(
                "INSERT INTO decisions (worker, body) VALUES (?,?)", [(worker, b.decode()) for b in batch.decisions]
            )
            db.executemany(
                "INSERT OR REPLACE INTO fits VALUES (?,?,?)",
                [(worker, name, orjson.dumps(state).decode()) for name, state in batch.fits],
            )
            db.execute("DELETE FROM decisions WHERE seq <= (SELECT max(seq) FROM decisions) - ?", (KEPT,))
            db.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            if db.in_transaction:
                db.rollback()
            if _is_damage(error):
                raise Damaged(str(error)) from error
            raise

    def own(self) -> list[tuple[Key, Row]]:
        """This worker's totals."""
        return self._totals("worker = ?")

    def others(self) -> list[tuple[Key, Row]]:
        """Totals of all other workers, those of an earlier run with more workers too."""
        return self._totals("worker != ?")

    def _totals(self, which: str) -> list[tuple[Key, Row]]:
        query = f"SELECT day, route, backend, cache, currency, numbers FROM totals WHERE {which}"  # noqa: S608
        with closing(self._open_db().execute(query, (self.worker,))) as found:
            return list(_readable(found, lambda row: (Key(*row[:-1]), Row.restored(orjson.loads(row[-1])))))

    def decisions(self, limit: int) -> list[dict[str, Any]]:
        """The newest decisions of all workers, newest first."""
        query = "SELECT body FROM decisions ORDER BY seq DESC LIMIT ?"
        with closing(self._open_db().execute(query, (limit,))) as found:
            return list(_readable(found, lambda row: dict(orjson.loads(row[0]))))

    def fits(self) -> list[tuple[str, list[float]]]:
        """This worker's fits."""
        with closing(self._open_db().execute("SELECT name, state FROM fits WHERE worker = ?", (self.worker,))) as found:
            return list(_readable(found, lambda row: (row[0], list(orjson.loads(row[1])))))

    def _open_db(self) -> sqlite3.Connection:
        if self._db is None:
            raise sqlite3.ProgrammingError("the ledger's file is not open")
        return self._db

    @property
    def closed(self) -> bool:
        """Whether `open` has yet to succeed."""
        return self._db is None

    def close(self) -> None:
        """Closes the file; closing twice is fine."""
        if self._db is not None:
            self._db.close()
            self._db = None


def _is_damage(error: sqlite3.Error) -> bool:
    # The low byte is the primary code; errors of the Python module itself have none.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGE


def _readable(found: Iterable[tuple[Any, ...]], parse: Callable[[tuple[Any, ...]], _T]) -> Iterator[_T]:
    """Rows that parse; one that somebody edited by hand is left out and told of."""
    for row in found:
        try:
            yield parse(row)
        except (ValueError, TypeError, AttributeError) as error:
            log.warning("ledger: a row cannot be read and is left out (%s)", error)
