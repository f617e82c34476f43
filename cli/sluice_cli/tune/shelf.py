"""A store in this process, searched exactly, for one replay."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sluice_sidecar.cache.embed import WIDTH
from sluice_sidecar.cache.stores.store import Record

FIRST = 64
"""Rows that a scope begins with; it doubles when it is full."""


@dataclass(slots=True)
class _Scope:
    rows: npt.NDArray[np.float32] = field(default_factory=lambda: np.zeros((FIRST, WIDTH), np.float32))
    records: list[Record] = field(default_factory=list)


class Shelf:
    """See Store. Keeps everything: what has expired is passed over, not swept."""

    def __init__(self) -> None:
        self._by_key: dict[str, tuple[Record, int | None]] = {}
        self._scopes: dict[str, _Scope] = {}

    async def open(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Nothing to do."""

    async def get(self, key: str, now: float) -> bytes | None:
        """See Store."""
        found = self._by_key.get(key)
        return found[0].data if found is not None and now < found[0].until else None

    async def nearest(
        self, scope: str, vector: bytes, least: float, limit: int, now: float
    ) -> list[tuple[float, bytes]]:
        """See Store."""
        kept = self._scopes.get(scope)
        if kept is None:
            return []
        cosines = kept.rows[: len(kept.records)] @ np.frombuffer(vector, "<f4")
        found: list[tuple[float, bytes]] = []
        for row in _best(cosines, least, limit):
            record = kept.records[row]
            if now < record.expires:
                found.append((float(cosines[row]), record.data))
        if len(found) == limit or len(found) == int((cosines >= least).sum()):
            return found
        alive = [row for row in np.flatnonzero(cosines >= least) if now < kept.records[row].expires]
        alive.sort(key=lambda row: -cosines[row])
        return [(float(cosines[row]), kept.records[row].data) for row in alive[:limit]]

    async def put(self, record: Record, most: int) -> bool:
        """See Store."""
        before = self._by_key.get(record.key)
        row = before[1] if before is not None and before[0].scope == record.scope else None
        if record.vector is not None:
            kept = self._scopes.setdefault(record.scope, _Scope())
            if row is None:
                row = len(kept.records)
                kept.records.append(record)
                if row == len(kept.rows):
                    kept.rows = np.concatenate([kept.rows, np.zeros_like(kept.rows)])
            kept.records[row] = record
            kept.rows[row] = np.frombuffer(record.vector, "<f4")
        self._by_key[record.key] = (record, row)
        return True

    async def drop(self, key: str) -> bool:
        """Only damaged and complained records are dropped; a replay has neither."""
        return False

    async def purge(self, policy: str | None, tenant: str | None, key: str | None) -> int:
        """A replay purges nothing."""
        return 0

    async def touch(self, keys: list[str], now: float) -> None:
        """Nothing is evicted, so nothing is marked."""

    async def upkeep(self, now: float) -> None:
        """Nothing to do."""

    def stats(self) -> dict[str, object]:
        """See Store."""
        return {"state": "open", "entries": len(self._by_key)}


def _best(cosines: npt.NDArray[np.float32], least: float, limit: int) -> Sequence[int]:
    """Rows of the `limit` largest cosines of at least `least`, best first."""
    if len(cosines) > limit:
        rows = np.argpartition(-cosines, limit - 1)[:limit]
    else:
        rows = np.arange(len(cosines))
    rows = rows[cosines[rows] >= least]
    best: list[int] = rows[np.argsort(-cosines[rows], kind="stable")].tolist()
    return best
