"""A store in a dictionary, that can be told to fail."""

import numpy as np

from sluice_sidecar.cache.stores.store import Record, StoreError


class Shelf:
    """Exact in the protocol's words, and slow."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self.failure: str | None = None
        self.touched: list[str] = []
        self.closed = False

    def _check(self) -> None:
        if self.failure is not None:
            raise StoreError(self.failure)

    async def open(self) -> None:
        self._check()

    async def close(self) -> None:
        self.closed = True

    async def get(self, key: str, now: float) -> bytes | None:
        self._check()
        record = self.records.get(key)
        return record.data if record is not None and record.until > now else None

    async def nearest(
        self, scope: str, vector: bytes, least: float, limit: int, now: float
    ) -> list[tuple[float, bytes]]:
        self._check()
        asked = np.frombuffer(vector, "<f4")
        found = []
        for record in self.records.values():
            if record.scope == scope and record.vector is not None and record.expires > now:
                cosine = float(asked @ np.frombuffer(record.vector, "<f4"))
                if cosine >= least:
                    found.append((cosine, record.data))
        return sorted(found, reverse=True)[:limit]

    async def put(self, record: Record, most: int) -> bool:
        self._check()
        self.records[record.key] = record
        return len(self.records) <= most

    async def drop(self, key: str) -> bool:
        return self.records.pop(key, None) is not None

    async def purge(self, policy: str | None, tenant: str | None, key: str | None) -> int:
        gone = [
            record.key
            for record in self.records.values()
            if policy in (None, record.policy) and tenant in (None, record.tenant) and key in (None, record.key)
        ]
        for each in gone:
            del self.records[each]
        return len(gone)

    async def touch(self, keys: list[str], now: float) -> None:
        self.touched += keys

    async def upkeep(self, now: float) -> None:
        self._check()

    def stats(self) -> dict[str, object]:
        return {"state": "open", "entries": len(self.records)}
