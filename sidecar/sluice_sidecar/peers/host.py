"""Worker 0's side: the store's owner."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from sluice_sidecar.cache.stores.scannable import Scannable
from sluice_sidecar.cache.stores.store import Record, Store, StoreError
from sluice_sidecar.peers.frames import Place, frame, read

_log = logging.getLogger("sluice.peers")


class PeerHost:
    """The store, shared with the other workers; `counts` are what each of them last counted, by its number."""

    def __init__(self, path: Path, store: Store) -> None:
        self.counts: dict[int, Any] = {}
        self._path, self._store = path, store
        self._purges = int.from_bytes(os.urandom(4), "big")  # another count after a restart: the others then forget
        self._peers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._place: Place | None = None

    async def open(self) -> None:
        """Opens the store and listens. Raises StoreError."""
        await self._store.open()
        try:
            self._place = Place(self._path)
            self._server = await asyncio.start_unix_server(self._serve, sock=self._place.listen())
        except OSError as problem:
            raise StoreError(f"other workers cannot reach the store at {self._path}: {problem.strerror}") from problem

    async def close(self) -> None:
        """Stops listening and closes the store. Idempotent."""
        if self._server is not None:
            self._server.close()
            self._server = None
            for writer in self._peers:
                writer.close()
        if self._place is not None:
            self._place.remove()
            self._place.close()
            self._place = None
        await self._store.close()

    async def get(self, key: str, now: float) -> bytes | None:
        """The store's own."""
        return await self._store.get(key, now)

    async def nearest(
        self, scope: str, vector: bytes, least: float, limit: int, now: float
    ) -> list[tuple[float, bytes]]:
        """The store's own."""
        return await self._store.nearest(scope, vector, least, limit, now)

    async def scan(self, policy: str) -> AsyncIterator[bytes]:
        """The store's own. Raises StoreError where it cannot list its entries."""
        if not isinstance(self._store, Scannable):
            raise StoreError("this store cannot list its entries")
        async for data in self._store.scan(policy):
            yield data

    async def put(self, record: Record, most: int) -> bool:
        """The store's own."""
        return await self._store.put(record, most)

    async def drop(self, key: str) -> bool:
        """The store's own."""
        return await self._store.drop(key)

    async def purge(self, policy: str | None, tenant: str | None, key: str | None) -> int:
        """Forgets in the store, then in every other worker's memory: what was read before is told before."""
        forgotten = await self._store.purge(policy, tenant, key)
        self._purges += 1
        news = frame([0, self._purges, policy, tenant, key])
        for writer in list(self._peers):
            writer.write(news)
        return forgotten

    async def touch(self, keys: list[str], now: float) -> None:
        """The store's own."""
        await self._store.touch(keys, now)

    async def upkeep(self, now: float) -> None:
        """The store's own."""
        await self._store.upkeep(now)

    def stats(self) -> dict[str, object]:
        """The store's own, and how many workers are connected."""
        return {**self._store.stats(), "peers": len(self._peers)}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One worker's questions, one after the other."""
        self._peers.add(writer)
        writer.write(frame([0, self._purges]))
        try:
            while True:
                head, blob = await read(reader)
                try:
                    result, answer = await self._answer(head[1:], blob)
                    writer.write(frame([head[0], result], answer))
                except StoreError as problem:
                    writer.write(frame([head[0], None, str(problem)]))
                await writer.drain()
        except (OSError, EOFError):
            pass
        except (ValueError, TypeError, IndexError) as problem:
            _log.warning("a worker sent what is no question: %s", problem)
        finally:
            self._peers.discard(writer)
            writer.close()

    async def _answer(self, question: list[Any], blob: bytes) -> tuple[Any, bytes]:
        match question:
            case ["get", str(key), now]:
                data = await self._store.get(key, float(now))
                return data is not None, data or b""
            case ["nearest", str(scope), least, int(limit), now]:
                found = await self._store.nearest(scope, blob, float(least), limit, float(now))
                return [[score, len(data)] for score, data in found], b"".join(data for _, data in found)
            case ["put", int(most), int(size), [key, scope, tenant, policy, expires, until, used]]:
                vector = blob[size:] or None
                record = Record(key, scope, tenant, policy, expires, until, used, blob[:size], vector)
                return await self._store.put(record, most), b""
            case ["drop", str(key)]:
                return await self._store.drop(key), b""
            case ["purge", policy, tenant, key]:
                return await self.purge(policy, tenant, key), b""
            case ["touch", list(keys), now]:
                await self._store.touch(keys, float(now))
                return None, b""
            case ["counts", int(worker), dict(counts)]:
                self.counts[worker] = counts
                return self._store.stats(), b""
        raise ValueError(f"unknown operation {question[0]!r}")
