"""The other workers' side: a store behind worker 0's socket."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sluice_sidecar.cache.stores.store import Record, StoreError
from sluice_sidecar.peers.frames import Place, frame, read

BUFFER_BYTES = 8_388_608
"""Bytes that may wait for a slow worker 0; what comes on top fails at once."""

PENDING = 512
"""Questions that may be open at one time."""

ANSWER_SECONDS = 1.0
"""How long a worker waits for one answer before it goes on without."""

RETRY_SECONDS = (0.05, 1.0)
"""First and longest wait between two tries to reach worker 0."""

REPORT_SECONDS = 1.0
"""Between two reports of a worker's counts."""

Purged = Callable[[str | None, str | None, str | None], None]
"""Told (policy, tenant, key) of a purge; all None: forget everything."""


class RemoteStore:
    """The store as the other workers see it. Every method raises StoreError while worker 0 cannot be reached.

    `purged` empties this worker's memory as told; `counts` is asked each second for what worker 0 shall add up.
    """

    def __init__(self, path: Path, worker: int, *, purged: Purged, counts: Callable[[], Mapping[str, Any]]) -> None:
        self._path, self._worker = path, worker
        self._purged, self._counts = purged, counts
        self._waiting: dict[int, asyncio.Future[tuple[Any, bytes]]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._number = 0
        self._purges: int | None = None
        self._stats: dict[str, object] = {}
        self._connected = asyncio.Event()

    async def open(self) -> None:
        """Begins to look for worker 0; returns at once."""
        self._tasks = (asyncio.create_task(self._stay_connected()), asyncio.create_task(self._report()))

    async def close(self) -> None:
        """Lets go. Idempotent."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = ()

    async def get(self, key: str, now: float) -> bytes | None:
        """As the store's."""
        there, data = await self._ask(["get", key, now])
        return data if there else None

    async def nearest(
        self, scope: str, vector: bytes, least: float, limit: int, now: float
    ) -> list[tuple[float, bytes]]:
        """As the store's."""
        found, blob = await self._ask(["nearest", scope, least, limit, now], vector)
        result, start = [], 0
        for score, size in found:
            result.append((float(score), blob[start : start + size]))
            start += size
        return result

    async def put(self, record: Record, most: int) -> bool:
        """As the store's."""
        r = record
        labels = [r.key, r.scope, r.tenant, r.policy, r.expires, r.until, r.used]
        kept, _ = await self._ask(["put", most, len(r.data), labels], r.data + (r.vector or b""))
        return bool(kept)

    async def drop(self, key: str) -> bool:
        """As the store's."""
        return bool((await self._ask(["drop", key]))[0])

    async def purge(self, policy: str | None, tenant: str | None, key: str | None) -> int:
        """As the store's; every other worker's memory forgets too."""
        return int((await self._ask(["purge", policy, tenant, key]))[0])

    async def touch(self, keys: list[str], now: float) -> None:
        """As the store's."""
        await self._ask(["touch", keys, now])

    async def upkeep(self, now: float) -> None:
        """Nothing: worker 0 does it."""

    def stats(self) -> dict[str, object]:
        """What worker 0 last said; `state` is "off" while it cannot be reached."""
        return {"entries": 0, **self._stats, **({} if self._writer is not None else {"state": "off"})}

    async def _ask(self, question: list[Any], blob: bytes = b"") -> tuple[Any, bytes]:
        writer = self._writer
        if writer is None:
            raise StoreError("worker 0, which owns the store, cannot be reached")
        if len(self._waiting) >= PENDING or writer.transport.get_write_buffer_size() > BUFFER_BYTES:
            raise StoreError("worker 0, which owns the store, cannot keep up")
        self._number += 1
        number = self._number
        answer: asyncio.Future[tuple[Any, bytes]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        writer.write(frame([number, *question], blob))
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await answer
        except TimeoutError:
            raise StoreError(f"worker 0 did not answer within {ANSWER_SECONDS:g} s") from None
        finally:
            self._waiting.pop(number, None)

    async def _stay_connected(self) -> None:
        place = Place(self._path)
        wait, longest = RETRY_SECONDS
        try:
            while True:
                try:
                    reader, self._writer = await asyncio.open_unix_connection(place.path)
                    self._connected.set()
                    wait = RETRY_SECONDS[0]
                    await self._listen(reader)
                except (OSError, EOFError, ValueError, TypeError, IndexError):
                    pass
                finally:
                    self._cut()
                await asyncio.sleep(wait)
                wait = min(wait * 2, longest)
        finally:
            place.close()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """Hands answers to those who asked, and purges to the memory, until the connection ends."""
        while True:
            head, blob = await read(reader)
            if head[0] == 0:
                self._heed(head[1:])
                continue
            answer = self._waiting.get(head[0])
            if answer is None or answer.done():
                continue
            if len(head) > 2:
                answer.set_exception(StoreError(head[2]))
            else:
                answer.set_result((head[1], blob))

    def _heed(self, purge: list[Any]) -> None:
        """A purge, or on connecting the count of purges so far: another than ours means that some were missed."""
        count, *what = purge
        missed = self._purges != count - bool(what)
        policy, tenant, key = (None, None, None) if missed or not what else what
        if missed or what:
            self._purged(policy, tenant, key)
            # Once more, for an answer of before that its request has read but not yet put into the memory.
            asyncio.get_running_loop().call_later(ANSWER_SECONDS, self._purged, policy, tenant, key)
        self._purges = count

    def _cut(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._connected.clear()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(StoreError("worker 0, which owns the store, went away"))

    async def _report(self) -> None:
        while True:
            await self._connected.wait()
            with suppress(StoreError):
                stats, _ = await self._ask(["counts", self._worker, self._counts()])
                self._stats = stats
            await asyncio.sleep(REPORT_SECONDS)
