"""Totals of all gateways of a namespace, by way of Redis: each writes its own, and reads the others' when asked.

Under the prefix lie `l` (who writes, by the time of the last write) and `l:ID` (a hash of one writer's totals: key to
numbers). Totals are written whole and never added up there, so that writing twice changes nothing.
"""

import asyncio
import logging
import os
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from sluice_sidecar.cache.stores.redis import Server
from sluice_sidecar.cache.stores.redis_wire import pairs, told
from sluice_sidecar.cache.stores.store import StoreError
from sluice_sidecar.ledger.savings import FOLDED, Key, Row

if TYPE_CHECKING:
    from redis.asyncio import Redis

EVERY = 5.0
"""Seconds between two writes."""
PATIENCE = 1.0
"""Seconds that Redis may take for one connection, write or reading."""
KEPT = 400 * 86_400
"""Seconds that totals outlive their writer."""
BATCH = 200
"""Totals in one command."""

Own = Callable[[], Iterable[tuple[tuple[int, str, str, str, str], Row]]]

log = logging.getLogger("sluice.ledger")


class SharedTotals:
    """One process's share in the totals under `prefix`. `own` gives what it counted itself.

    `replica` names the ledger that its process belongs to (see `replica`): processes of one replica know each other's
    totals already, and are told apart by `worker`. `server` is asked at every (re)connection, and raises StoreError.
    A server that is away costs nobody anything but news: what could not be written goes with the next write.
    """

    def __init__(
        self,
        prefix: str,
        server: Callable[[], Awaitable[Server]],
        own: Own,
        *,
        replica: str,
        worker: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._prefix, self._server, self._own, self._clock = prefix, server, own, clock
        self._replica, self._id = replica, f"{replica}.{worker}"
        self._redis: Redis | None = None
        self._written: dict[bytes, bytes] = {}
        self._read: dict[str, tuple[float, list[tuple[Key, Row]]]] = {}
        self._turn = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self.trouble: str | None = "not written yet"
        """Why Redis cannot be used at present; None when it can."""

    def start(self) -> None:
        """Begins to write."""
        self._task = asyncio.get_running_loop().create_task(self._always(), name="shared totals")

    async def close(self) -> None:
        """Writes the rest, if Redis is there, and lets go of it."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
            await self.write()
        await self._disconnect()

    @property
    def others(self) -> Iterator[tuple[Key, Row]]:
        """What other replicas counted, as last read."""
        return (entry for _, rows in self._read.values() for entry in rows)

    @property
    def replicas(self) -> int:
        """How many other replicas' totals were read."""
        return len({name.rpartition(".")[0] for name in self._read})

    async def write(self) -> None:
        """Writes what changed."""
        await self._try(self._write)

    async def read(self) -> None:
        """Reads what others wrote since the last time. What cannot be read stays as it was."""
        await self._try(self._gather)

    async def _always(self) -> None:
        while True:
            await self.write()
            await asyncio.sleep(EVERY)

    async def _try(self, work: Callable[["Redis"], Awaitable[None]]) -> None:
        try:
            async with self._turn, asyncio.timeout(PATIENCE):
                await work(self._redis or await self._connect())
        except (StoreError, TimeoutError) as error:
            reason = str(error) or f"no answer within {PATIENCE:g} s"
            if reason != self.trouble:
                log.warning("totals are not shared at present, each gateway counts on by itself: %s", reason)
            self.trouble = reason
            await self._disconnect()
        else:
            if self.trouble is not None:
                log.info("totals are shared")
            self.trouble = None

    async def _connect(self) -> "Redis":
        try:
            from redis.asyncio import Redis
            from redis.asyncio.retry import Retry
            from redis.backoff import NoBackoff
        except ImportError as error:
            raise StoreError(f"the Redis client is not installed ({error}): install sluice-llm[redis]") from None

        host, port, username, password = await self._server()
        self._written = {}  # a server that was away may have forgotten
        self._redis = Redis(
            host=host, port=port, username=username, password=password, socket_connect_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 0), protocol=2,
        )  # fmt: skip
        return self._redis

    async def _disconnect(self) -> None:
        redis, self._redis = self._redis, None
        if redis is not None:
            with suppress(OSError):
                await redis.aclose(close_connection_pool=True)

    async def _write(self, redis: "Redis") -> None:
        # Folded days are not written: they are there by day, from before they were folded.
        bodies = {orjson.dumps(key): orjson.dumps(row.plain()) for key, row in self._own() if key[0] != FOLDED}
        changed = [(key, body) for key, body in bodies.items() if self._written.get(key) != body]
        if not changed:
            return
        mine = f"{self._prefix}l:{self._id}"
        pipeline = redis.pipeline(transaction=True)
        for start in range(0, len(changed), BATCH):
            pipeline.hset(mine, mapping=dict(changed[start : start + BATCH]))
        pipeline.expire(mine, KEPT)
        pipeline.zadd(f"{self._prefix}l", {self._id: self._clock()})
        new = sum(key not in self._written for key, _ in changed)
        added = sum((await told(pipeline.execute()))[:-2])
        # More were new there than here: the server forgot what it had, and gets everything with the next write.
        self._written = {} if added > new else self._written | dict(changed)

    async def _gather(self, redis: "Redis") -> None:
        oldest = self._clock() - KEPT
        found = await told(redis.zrangebyscore(f"{self._prefix}l", oldest, "+inf", withscores=True))
        there = {name.decode(): float(at) for name, at in pairs(found)}
        read: dict[str, tuple[float, list[tuple[Key, Row]]]] = {}
        for name, at in there.items():
            if name.rpartition(".")[0] == self._replica:
                continue
            known = self._read.get(name)
            read[name] = known if known is not None and known[0] == at else (at, await self._totals(redis, name))
        self._read = read

    async def _totals(self, redis: "Redis", name: str) -> list[tuple[Key, Row]]:
        rows: list[tuple[Key, Row]] = []
        cursor = 0
        while True:
            cursor, fields = await told(redis.hscan(f"{self._prefix}l:{name}", cursor, count=BATCH))
            rows += (entry for key, body in fields.items() if (entry := _total(key, body)) is not None)
            if not cursor:
                return rows


def _total(key: bytes, body: bytes) -> tuple[Key, Row] | None:
    """One field; None for what this release cannot read."""
    try:
        day, *names = orjson.loads(key)
        route, backend, cache, currency = map(str, names)
        return Key(int(day), route, backend, cache, currency), Row.restored(orjson.loads(body))
    except (ValueError, TypeError, AttributeError):
        return None


def replica(data: Path | None) -> str:
    """The name of the ledger in the folder `data`: made once, and the same as long as the folder lives."""
    fresh = uuid.uuid4().hex
    if data is None:
        return fresh
    named, draft = data / "replica", data / f"replica-{fresh}"
    try:
        data.mkdir(parents=True, exist_ok=True)
        draft.write_text(fresh)
        try:
            os.link(draft, named)  # whole or not at all, and only once
        finally:
            draft.unlink()
    except FileExistsError:
        return named.read_text().strip() or fresh
    except OSError as error:  # the ledger cannot be kept there either
        log.warning("%s cannot be written (%s): totals count anew at every start", named, error.strerror)
    return fresh
