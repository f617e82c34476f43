"""What a gateway knows of prompts, on disk: one SQLite file that workers share, each with its own rows.

Everything here blocks: it runs in a thread. Only redacted data gets here. Erased rows are overwritten.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from sluice_sidecar.config import AuditSampling

_TABLES = """
CREATE TABLE IF NOT EXISTS seen (
    worker INTEGER NOT NULL, what TEXT NOT NULL, route TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (worker, what, route, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS samples (
    id TEXT PRIMARY KEY, worker INTEGER NOT NULL, route TEXT NOT NULL, prompt TEXT NOT NULL, tenant TEXT NOT NULL,
    at REAL NOT NULL, until REAL NOT NULL, body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_prompt ON samples (route, prompt);
"""

Row = tuple[str, str, str, dict[str, Any]]
"""What it is, route, name, data."""


class Records:
    """One worker's hold on the file. Raises `sqlite3.Error`, OSError where the disk refuses or the file is broken."""

    def __init__(self, path: Path, worker: int = 0) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._worker = worker
        self._db = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("PRAGMA secure_delete=ON")
        self._db.executescript(_TABLES)

    def replace(self, rows: Iterable[Row]) -> None:
        """Writes all that is known in place of what was known before."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.execute("DELETE FROM seen WHERE worker = ?", (self._worker,))
            self._db.executemany(
                "INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?)",
                ((self._worker, what, route, name, orjson.dumps(data).decode()) for what, route, name, data in rows),
            )
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def rows(self) -> list[Row]:
        """What this worker wrote."""
        found = self._db.execute("SELECT what, route, name, body FROM seen WHERE worker = ?", (self._worker,))
        return [(what, route, name, orjson.loads(body)) for what, route, name, body in found]

    def stops(self) -> dict[tuple[str, str], float]:
        """Which rewrites were stopped, by whichever worker: route and mark -> when."""
        found = self._db.execute("SELECT route, name, body FROM seen WHERE what = 'stopped'")
        return {(route, name): float(orjson.loads(body)["at"]) for route, name, body in found}

    def keep(self, route: str, sample: dict[str, Any], until: float, *, instead: str | None = None) -> None:
        """Keeps a sample until then, in place of the one of the id `instead`."""
        if instead is not None:
            self._db.execute("DELETE FROM samples WHERE id = ?", (instead,))
        self._db.execute(
            "INSERT OR REPLACE INTO samples VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                sample["id"], self._worker, route, sample["prompt"], sample["tenant"], sample["at"], until,
                orjson.dumps(sample).decode(),
            ),
        )  # fmt: skip

    def forget(self, now: float) -> list[str]:
        """Erases what is past its time; the ids of it."""
        gone = [row[0] for row in self._db.execute("SELECT id FROM samples WHERE until <= ?", (now,))]
        if gone:
            self._db.execute("DELETE FROM samples WHERE until <= ?", (now,))
            self._settle()
        return gone

    def only(self, audited: Mapping[str, AuditSampling]) -> None:
        """Erases the samples of all routes but these, and of tenants that may not be sampled there (any more)."""
        for (route,) in self._db.execute("SELECT DISTINCT route FROM samples").fetchall():
            settings = audited.get(route)
            if settings is None:
                self._db.execute("DELETE FROM samples WHERE route = ?", (route,))
            elif settings.tenants is not None:
                marks = ", ".join("?" * len(settings.tenants))
                self._db.execute(
                    f"DELETE FROM samples WHERE route = ? AND tenant NOT IN ({marks})",  # noqa: S608  (question marks)
                    (route, *settings.tenants),
                )
        self._settle()

    def _settle(self) -> None:
        """What was erased goes out of the write-ahead log too, as far as no other worker reads it now."""
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def kept(self, route: str) -> Iterator[tuple[str, str]]:
        """Id and prompt of each sample of a route that this worker keeps."""
        yield from self._db.execute(
            "SELECT id, prompt FROM samples WHERE route = ? AND worker = ?", (route, self._worker)
        )

    def samples(self, route: str, prompt: str | None = None) -> Iterator[dict[str, Any]]:
        """The samples of a route, of all workers, or of one of its prompts; oldest first."""
        found = self._db.execute(
            "SELECT body FROM samples WHERE route = ? AND (? IS NULL OR prompt = ?) ORDER BY at, id",
            (route, prompt, prompt),
        )
        for (body,) in found:
            yield orjson.loads(body)

    def close(self) -> None:
        """Closes the file."""
        self._db.close()
