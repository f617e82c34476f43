"""The queue's file: one SQLite database in write-ahead mode. Everything here blocks."""

import sqlite3
from pathlib import Path

from sluice_sidecar.batch import outbox_sqlite

SCHEMA = 1

_TABLES = """
CREATE TABLE IF NOT EXISTS files (
    id TEXT PRIMARY KEY, tenant TEXT NOT NULL, purpose TEXT NOT NULL, filename TEXT NOT NULL, bytes INTEGER NOT NULL,
    created REAL NOT NULL, expires REAL NOT NULL, gone INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS files_of ON files (tenant, created);
CREATE TABLE IF NOT EXISTS batches (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, kind TEXT NOT NULL,
    path TEXT NOT NULL, input TEXT NOT NULL, status TEXT NOT NULL, created REAL NOT NULL, expires REAL NOT NULL,
    urgency INTEGER NOT NULL, total INTEGER NOT NULL DEFAULT 0, completed INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0, cancelled INTEGER NOT NULL DEFAULT 0, expired INTEGER NOT NULL DEFAULT 0,
    begun REAL, finalizing REAL, cancelling REAL, ended REAL, output TEXT, errors TEXT, note TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS batches_of ON batches (tenant, kind, seq);
CREATE INDEX IF NOT EXISTS batches_open ON batches (seq) WHERE ended IS NULL AND kind <> 'single';
CREATE INDEX IF NOT EXISTS batches_due ON batches (expires) WHERE ended IS NULL;
CREATE TABLE IF NOT EXISTS lanes (
    id INTEGER PRIMARY KEY, route TEXT NOT NULL, tenant TEXT NOT NULL, queued INTEGER NOT NULL DEFAULT 0,
    running INTEGER NOT NULL DEFAULT 0, turn INTEGER NOT NULL DEFAULT 0, UNIQUE (route, tenant)
);
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY, batch INTEGER NOT NULL, lane INTEGER NOT NULL, urgency INTEGER NOT NULL,
    prefix BLOB NOT NULL, state INTEGER NOT NULL, attempt INTEGER NOT NULL DEFAULT 0, token INTEGER NOT NULL DEFAULT 0,
    until REAL, offset INTEGER NOT NULL, length INTEGER NOT NULL, custom TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS requests_next ON requests (lane, urgency, batch, prefix, id) WHERE state = 0;
CREATE INDEX IF NOT EXISTS requests_due ON requests (until) WHERE state IN (1, 2);
CREATE TABLE IF NOT EXISTS results (
    id INTEGER PRIMARY KEY, status INTEGER NOT NULL, request TEXT NOT NULL, body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS bodies (batch INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS keys (
    tenant TEXT NOT NULL, key TEXT NOT NULL, digest BLOB NOT NULL, id TEXT NOT NULL, created REAL NOT NULL,
    PRIMARY KEY (tenant, key)
) WITHOUT ROWID;
"""


def connect(path: Path) -> sqlite3.Connection:
    """The file, made where it is missing. What is committed is on the disk, whatever happens to the machine.

    Raises OSError, sqlite3.Error, or RuntimeError where a newer release wrote it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, timeout=10.0, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")  # the log is synced at every commit: an acknowledgement is a promise
        db.execute(
            "PRAGMA wal_autocheckpoint=0"
        )  # copying it back would keep callers waiting; a thread of its own does
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA:
            raise RuntimeError(f"{path} has schema {version}, this release reads {SCHEMA}: use the newer one")
        db.execute("BEGIN IMMEDIATE")
        for statement in (_TABLES + outbox_sqlite.TABLES).split(";\n"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version={SCHEMA:d}")
        db.execute("COMMIT")
    except BaseException:
        db.close()
        raise
    return db
