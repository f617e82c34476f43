"""Takes the ledger's memory to its file and back: once a second, in one thread, whatever the disk does."""

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import orjson

from sluice_sidecar.ledger.counterfactual import Fit
from sluice_sidecar.ledger.decision import Decision, plain
from sluice_sidecar.ledger.savings import DAY, FOLDED, Key, Row
from sluice_sidecar.ledger.store import Batch, Damaged, LedgerStore

RING = 1_000
"""Decisions in memory."""
STORED = 100
"""Of one second's decisions, how many go to disk: the newest. Totals count all."""
FLUSH = 1.0

log = logging.getLogger("sluice.ledger")

Rows = dict[tuple[int, str, str, str, str], Row]


@dataclass(slots=True)
class Memory:
    """What one worker's ledger holds. Changed on the event loop alone."""

    rows: Rows = field(default_factory=dict)
    fits: dict[str, Fit] = field(default_factory=dict)
    unsaved: deque[Decision] = field(default_factory=lambda: deque(maxlen=STORED))
    others: list[tuple[Key, Row]] = field(default_factory=list)
    """Totals of the other workers, as last read."""
    earlier: list[dict[str, Any]] = field(default_factory=list)
    """Decisions of the other workers and of earlier runs, as last read."""
    horizon: int = 0
    """Days before this are closed: what comes late counts on this day, or it would replace a gathered day on disk."""


@dataclass(frozen=True, slots=True)
class _Found:
    own: list[tuple[Key, Row]]
    others: list[tuple[Key, Row]]
    decisions: list[dict[str, Any]]
    fits: list[tuple[str, list[float]]]


class Flusher:
    """Owner of the store's thread. `shared`: other workers write the same file now, so theirs is read again each time.

    `trouble` is why the file cannot be written at present, None when it can.
    """

    def __init__(self, store: LedgerStore, memory: Memory, *, shared: bool, clock: Callable[[], float]) -> None:
        self._store, self._memory, self._shared, self._clock = store, memory, shared, clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._task: asyncio.Task[None] | None = None
        self._loaded = False
        self.trouble: str | None = None

    async def start(self) -> None:
        """Reads what earlier runs left, then writes each second. A disk that refuses is warned of, never raised."""
        with suppress(sqlite3.Error, OSError, RuntimeError):
            await self._open()
        self._task = asyncio.get_running_loop().create_task(self._always(), name="ledger")

    async def _always(self) -> None:
        while True:
            await asyncio.sleep(FLUSH)
            try:
                await self.flush()
            except Exception:
                # What is wrong with one write must not end all later ones.
                log.exception("ledger could not be written")

    async def _open(self) -> None:
        """Opens the file and settles who knows more, it or the memory."""
        memory = self._memory
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._thread, self._read)
        except (sqlite3.Error, OSError, RuntimeError) as error:
            self._troubled(error)
            raise
        if not self._loaded:
            self._loaded = True
            for key, row in found.own:
                mine = memory.rows.get(key)
                if mine is None:
                    memory.rows[key] = row
                else:
                    mine.merge(row)
            for name, state in found.fits:
                with suppress(ValueError, TypeError):
                    memory.fits.setdefault(name, Fit.restored(state))
        else:
            # Reopened: a fresh file needs everything, a sound one already has the days that were folded.
            for row_key, row in memory.rows.items():
                row.dirty = row.dirty or not found.own or row_key[0] != FOLDED
        memory.others, memory.earlier = found.others, found.decisions
        self._fold()

    def _read(self) -> _Found:
        store = self._store
        store.close()
        store.open()
        return _Found(store.own(), store.others(), store.decisions(RING), store.fits())

    async def flush(self) -> None:
        """Writes what changed since the last write; after a failure the same goes again with the next."""
        memory = self._memory
        changed: list[Row] = []
        try:
            if self._store.closed:
                await self._open()
            dirty = [(key, row) for key, row in memory.rows.items() if row.dirty]
            if not dirty and not self._shared:
                return
            changed = [row for _, row in dirty]
            for row in changed:
                row.dirty = False
            totals = [(Key(*key), row.plain()) for key, row in dirty]
            fits = [(name, fit.state()) for name, fit in memory.fits.items()] if dirty else []
            decisions = list(memory.unsaved)
            memory.unsaved.clear()
            seen = await asyncio.get_running_loop().run_in_executor(self._thread, self._write, totals, decisions, fits)
        except (sqlite3.Error, OSError, RuntimeError, Damaged) as error:
            for row in changed:
                row.dirty = True
            self._troubled(error)
            if isinstance(error, Damaged):
                # The next flush opens again, which moves the broken file aside.
                await asyncio.get_running_loop().run_in_executor(self._thread, self._store.close)
            return
        except BaseException:
            # Cancelled, perhaps before the thread began: writing totals twice is harmless, losing them is not.
            for row in changed:
                row.dirty = True
            raise
        if seen is not None:
            memory.others, memory.earlier = seen
        if self.trouble is not None:
            log.info("ledger is written again")
            self.trouble = None
        self._fold()

    def _write(
        self, totals: list[tuple[Key, dict[str, Any]]], decisions: list[Decision], fits: list[tuple[str, list[float]]]
    ) -> tuple[list[tuple[Key, Row]], list[dict[str, Any]]] | None:
        store = self._store
        if totals:
            store.write(Batch(totals, [orjson.dumps(plain(one)) for one in decisions], fits))
        return (store.others(), store.decisions(RING)) if self._shared else None

    def _fold(self) -> None:
        """Gathers days that are over, so that a reader sums few rows; the file keeps them by day."""
        memory = self._memory
        rows = memory.rows
        memory.horizon = horizon = max(memory.horizon, int(self._clock() // DAY) - 1)
        for key in [key for key, row in rows.items() if FOLDED < key[0] < horizon and not row.dirty]:
            folded = (FOLDED, *key[1:])
            rows.setdefault(folded, Row()).merge(rows.pop(key))

    def _troubled(self, error: Exception) -> None:
        said = f"{type(error).__name__}: {error}"
        if said != self.trouble:
            log.warning(
                "ledger %s cannot be used (%s): totals stay in memory, trying again each second", self._store.path, said
            )
        self.trouble = said

    async def close(self) -> None:
        """Writes the rest and lets go of the file."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        await self.flush()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._store.close)
        self._thread.shutdown()
