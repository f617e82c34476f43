"""Entries in a Redis server that gateways share: answers as strings with a life of their own, texts as vectors.

Under the prefix lie `a:KEY` (an answer; it decides whether a record is there), `m` (KEY to scope, policy and tenant),
`x` (KEY by its end), `p` (policies), `u:POLICY` (KEY by its last use), `t:POLICY:TENANT` (the same of what one tenant
filled), `w:POLICY` (its tenants), `g` (a stream of what was purged) and the vectors (see redis_vectors), as vector sets
where the server has those, else for RediSearch. A vector is never given without its answer, and what is left of it is
swept.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from sluice_sidecar.cache.embed import WIDTH
from sluice_sidecar.cache.stores.fair import givers, surplus
from sluice_sidecar.cache.stores.link import READ, WRITE, Link, Unreachable
from sluice_sidecar.cache.stores.redis_vectors import Command, Search, Vectors, VectorSets
from sluice_sidecar.cache.stores.redis_wire import Full, Unknown, pairs, told
from sluice_sidecar.cache.stores.sealed import opened, sealed
from sluice_sidecar.cache.stores.store import Record, StoreError

if TYPE_CHECKING:
    from redis.asyncio import Redis

T = TypeVar("T")

BATCH = 200
"""Records that one transaction deletes: the server does nothing else meanwhile."""

SWEEP = 10.0
"""Seconds between two looks for records that ended."""

SCANNED = 20
"""Answers that an export reads at once: they may be large."""

CONNECTIONS = 16

PURGES = 1000
"""Purges that are kept for gateways which were cut off meanwhile."""

Purged = Callable[[str | None, str | None, str | None], None]

COMMANDS = (
    "get", "set", "unlink", "hset", "hget", "hmget", "hdel", "hscan", "zadd", "zrem", "zcard", "zpopmin",
    "zrangebyscore", "sadd", "smembers", "expire", "xadd", "xrange", "xrevrange", "vadd", "vsim",
    "vrem", "vcard", "multi", "exec",
)  # fmt: skip
"""What a user of the server must be allowed under the prefix, besides its category @connection. Where the server has no
vector sets: hset, unlink and expire for the vectors, and FT._LIST, FT.CREATE and FT.SEARCH."""

Server = tuple[str, int, str | None, str | None]
"""Address, port, user name and password."""


class RedisStore:
    """See Store; for one event loop. `server` is asked at every (re)connection, so new passwords are taken up.

    `server` raises StoreError where the address may not be reached or a credential is missing. `purged` is told what
    any gateway purged (policy, tenant, key), within about a second, or once the server is back. `patience` is how
    many seconds a request waits for an answer.
    """

    def __init__(
        self, name: str, prefix: str, server: Callable[[], Awaitable[Server]], *, purged: Purged | None = None,
        width: int = WIDTH, seconds: Callable[[], float] = time.monotonic, patience: float = READ,
    ) -> None:  # fmt: skip
        self._prefix, self._server, self._seconds, self._width = prefix, server, seconds, width
        self._link = Link(f"redis {name}", self._connect, seconds=seconds)
        self._redis: Redis | None = None
        self._vectors: Vectors = VectorSets()
        self._entries: dict[str, int] = {}
        self._next_sweep = 0.0
        self._damaged = self._refused = 0
        self._patience = patience
        self._full = False
        self._purged = purged
        self._news: str | None = None

    # Opening and closing

    async def open(self) -> None:
        """See Store. A server that is away is no error: it is tried again by `upkeep`."""
        await self._link.open()

    async def close(self) -> None:
        """See Store."""
        await self._link.close()
        await self._disconnect()

    async def _disconnect(self) -> None:
        redis, self._redis = self._redis, None
        if redis is not None:
            await redis.aclose(close_connection_pool=True)

    async def _connect(self) -> None:
        try:
            from redis.asyncio import BlockingConnectionPool, Redis
            from redis.asyncio.retry import Retry
            from redis.backoff import NoBackoff
        except ImportError as error:
            raise StoreError(f"the Redis client is not installed ({error}): install sluice-llm[redis]") from None

        await self._disconnect()
        host, port, username, password = await self._server()
        pool = BlockingConnectionPool(
            host=host, port=port, username=username, password=password, max_connections=CONNECTIONS, timeout=2 * WRITE,
            socket_timeout=None, socket_connect_timeout=WRITE, retry=Retry(NoBackoff(), 0), protocol=2,
        )  # fmt: skip
        self._redis = Redis(connection_pool=pool)
        # One question of each kind: it shows whether the prefix is ours and how the server finds vectors.
        await self._do("GET", "a:")
        self._vectors = await self._driver()
        if self._news is None:
            last = await self._do("XREVRANGE", "g", "+", "-", "COUNT", 1)
            self._news = last[0][0].decode() if last else "0"

    async def _driver(self) -> Vectors:
        try:
            await self._do("VCARD", "v:")
            return VectorSets()
        except Unknown:
            search = Search(self._prefix, self._width)
        redis = self._live()
        try:
            indexes = await told(redis.execute_command("FT._LIST"))  # type: ignore[no-untyped-call]
        except Unknown as error:
            raise StoreError(f"the server has neither vector sets (Redis 8) nor RediSearch: {error}") from error
        if search.index.encode() not in indexes:
            try:
                await told(redis.execute_command(*search.making()))  # type: ignore[no-untyped-call]
            except StoreError as error:
                if "already exists" not in str(error):  # another gateway was faster
                    raise
        return search

    async def _do(self, *command: Any) -> Any:
        """One command on one key of ours (its second word). Raises StoreError."""
        name, key, *rest = command
        redis = self._live()
        return await told(redis.execute_command(name, self._prefix + key, *rest))  # type: ignore[no-untyped-call]

    async def _all(self, commands: Iterable[Command]) -> list[Any]:
        """Commands of one key each, as one transaction. Raises StoreError."""
        pipeline = self._live().pipeline(transaction=True)
        for name, key, *rest in commands:
            pipeline.execute_command(name, self._prefix + key, *rest)
        return list(await told(pipeline.execute()))

    def _live(self) -> "Redis":
        if self._redis is None:
            raise Unreachable("not connected")
        return self._redis

    # Reading

    async def get(self, key: str, now: float) -> bytes | None:
        """See Store."""
        blob = await self._read(lambda: self._do("GET", f"a:{key}"), None)
        return (await self._given({key: blob}, now)).get(key)

    async def nearest(
        self, scope: str, vector: bytes, least: float, limit: int, now: float
    ) -> list[tuple[float, bytes]]:
        """See Store."""

        async def found() -> dict[str, tuple[float, bytes | None]]:
            scores = await self._do(*self._vectors.nearest(scope, vector, limit, now))
            near = {key: cosine for key, cosine in self._vectors.found(scores).items() if cosine >= least}
            blobs = await self._all([("GET", f"a:{key}") for key in near]) if near else []
            return {key: (near[key], blob) for key, blob in zip(near, blobs, strict=True)}

        nothing: dict[str, tuple[float, bytes | None]] = {}
        neighbours = await self._read(found, nothing)
        given = await self._given({key: blob for key, (_, blob) in neighbours.items()}, now, scope)
        return sorted(((neighbours[key][0], data) for key, data in given.items()), key=lambda one: -one[0])

    async def scan(self, policy: str) -> AsyncIterator[bytes]:
        """See Scannable."""
        cursor = 0
        while True:
            cursor, keys = await self._link.ask(lambda at=cursor: self._matching(at, policy, None, None), WRITE)  # type: ignore[misc]
            for start in range(0, len(keys), SCANNED):
                reads = [("GET", f"a:{key}") for key in keys[start : start + SCANNED]]
                for blob in await self._link.ask(lambda reads=reads: self._all(reads), WRITE):  # type: ignore[misc]
                    record = None if blob is None else opened(blob)
                    if record is not None and record.policy == policy:
                        yield record.data
            if not cursor:
                return

    async def _read(self, work: Callable[[], Awaitable[T]], nothing: T) -> T:
        """What a request asks for; nothing while the server is away."""
        return await self._link.ask(work, self._patience) if self._link.up else nothing

    async def _given(self, blobs: dict[str, bytes | None], now: float, near: str | None = None) -> dict[str, bytes]:
        """The data of those that are whole and alive (`near` a scope: as neighbours); damaged ones are dropped."""
        alive, damaged = {}, []
        for key, blob in blobs.items():
            if blob is None:
                continue
            record = opened(blob)
            if record is None or record.key != key:
                damaged.append(key)
            elif record.until > now if near is None else record.expires > now and record.scope == near:
                alive[key] = record.data
        if damaged:
            self._damaged += len(damaged)
            await self._link.ask(lambda: self._forget(damaged), WRITE)
        return alive

    # Writing

    async def put(self, record: Record, most: int) -> bool:
        """See Store. False while the server is away or full."""
        if most < 1 or not self._link.up:
            self._refused += 1
            return False
        kept: bool = await self._link.ask(lambda: self._put(record, most), WRITE)
        self._full = not kept
        self._refused += not kept
        return kept

    async def _put(self, record: Record, most: int) -> bool:
        key, seconds = record.key, max(1, int(record.until - record.used))
        vectors = [self._vectors.removal(record.scope, key)]
        if record.vector is not None:
            vectors = self._vectors.adding(record.scope, key, record.vector, int(record.expires), seconds)
        try:
            results = await self._all([
                ("SET", f"a:{key}", sealed(record), "EX", seconds),
                *vectors,
                ("HSET", "m", key, orjson.dumps([record.scope, record.policy, record.tenant])),
                ("ZADD", "x", record.until, key),
                *(("ZADD", uses, record.used, key) for uses in _uses(record.policy, record.tenant)),
                ("SADD", f"w:{record.policy}", record.tenant),
                ("SADD", "p", record.policy),
                ("ZCARD", f"u:{record.policy}"),
            ])  # fmt: skip
        except Full:
            return False
        count = int(results[-1])
        number = min(surplus(count, most), BATCH)
        if number:
            count -= await self._evict(record, number)
        self._entries[record.policy] = count
        return True

    async def _evict(self, record: Record, number: int) -> int:
        """Makes room for `number` records of the policy, among those who hold most; how many went."""
        policy = record.policy
        tenants = [name.decode() for name in await self._do("SMEMBERS", f"w:{policy}")]
        held = await self._all([("ZCARD", f"t:{policy}:{tenant}") for tenant in tenants])
        given = givers(dict(zip(tenants, map(int, held), strict=True)), record.tenant, number)
        popped = await self._all([("ZPOPMIN", f"t:{policy}:{tenant}", some) for tenant, some in given.items()])
        of = {key.decode(): tenant for tenant, found in zip(given, popped, strict=True) for key, _ in pairs(found)}
        known = await self._do("HMGET", "m", *of) if of else []
        # Where tenants share answers a record may have become another tenant's since.
        theirs = [
            key for key, about in zip(of, known, strict=True)
            if about is not None and orjson.loads(about)[1:] == [policy, of[key]]
        ]  # fmt: skip
        return await self._forget(theirs)

    async def _forget(self, keys: list[str]) -> int:
        """Deletes up to BATCH records; how many there were."""
        if not keys:
            return 0
        commands: list[Command] = []
        for key, about in zip(keys, await self._do("HMGET", "m", *keys), strict=True):
            commands.append(("UNLINK", f"a:{key}"))
            if about is not None:
                scope, policy, tenant = orjson.loads(about)
                commands += [
                    self._vectors.removal(scope, key),
                    *(("ZREM", uses, key) for uses in _uses(policy, tenant)),
                ]
        return int((await self._all([*commands, ("ZREM", "x", *keys), ("HDEL", "m", *keys)]))[-1])

    async def drop(self, key: str) -> bool:
        """See Store."""
        return await self._link.ask(lambda: self._forget([key]), WRITE) > 0

    async def purge(self, policy: str | None, tenant: str | None, key: str | None) -> int:
        """See Store. The other gateways that use this store are told, and forget what they hold in memory."""
        purged, cursor = 0, 0
        while True:
            cursor, keys = await self._link.ask(lambda at=cursor: self._matching(at, policy, tenant, key), WRITE)  # type: ignore[misc]
            for start in range(0, len(keys), BATCH):
                batch = keys[start : start + BATCH]
                purged += await self._link.ask(lambda batch=batch: self._forget(batch), WRITE)  # type: ignore[misc]
            if not cursor:
                break
        what = orjson.dumps([policy, tenant, key])
        await self._link.ask(lambda: self._do("XADD", "g", "MAXLEN", "~", PURGES, "*", "what", what), WRITE)
        await self._link.ask(self._count, WRITE)
        return purged

    async def _matching(
        self, cursor: int, policy: str | None, tenant: str | None, key: str | None
    ) -> tuple[int, list[str]]:
        """The next cursor (0: no more) and keys that match all that is given."""
        if key is not None:
            about = await self._do("HGET", "m", key)
            following, known = 0, {} if about is None else {key.encode(): about}
        else:
            following, known = await self._do("HSCAN", "m", cursor, "COUNT", BATCH)
        keys = []
        for name, about in known.items():
            _, of, whose = orjson.loads(about)
            if policy in (None, of) and tenant in (None, whose):
                keys.append(name.decode())
        return int(following), keys

    async def touch(self, keys: list[str], now: float) -> None:
        """See Store."""
        if self._link.up:
            for start in range(0, len(keys), BATCH):
                batch = keys[start : start + BATCH]
                await self._link.ask(lambda batch=batch: self._touch(batch, now), WRITE)  # type: ignore[misc]

    async def _touch(self, keys: list[str], now: float) -> None:
        about = zip(keys, await self._do("HMGET", "m", *keys), strict=True)
        marks = [
            ("ZADD", uses, "XX", now, key)
            for key, known in about if known is not None
            for uses in _uses(*orjson.loads(known)[1:])
        ]  # fmt: skip
        if marks:
            await self._all(marks)

    # Upkeep

    async def upkeep(self, now: float) -> None:
        """See Store."""
        self._link.upkeep()
        if self._link.up:
            await self._link.ask(self._hear, WRITE)
        if self._link.up and self._seconds() >= self._next_sweep:
            self._next_sweep = self._seconds() + SWEEP
            if await self._link.ask(lambda: self._sweep(now), WRITE):
                self._next_sweep = 0.0
            await self._link.ask(self._count, WRITE)

    async def _hear(self) -> None:
        """Tells what was purged since the last time."""
        for ident, fields in await self._do("XRANGE", "g", f"({self._news}", "+", "COUNT", PURGES):
            self._news = ident.decode()
            if self._purged is not None:
                self._purged(*orjson.loads(dict(fields)[b"what"] if isinstance(fields, dict) else fields[1]))

    async def _sweep(self, now: float) -> bool:
        """Deletes one batch of what has ended; whether there may be more."""
        ended = [key.decode() for key in await self._do("ZRANGEBYSCORE", "x", "-inf", now, "LIMIT", 0, BATCH)]
        return await self._forget(ended) == BATCH

    async def _count(self) -> None:
        policies = sorted(name.decode() for name in await self._do("SMEMBERS", "p"))
        counts = await self._all([("ZCARD", f"u:{policy}") for policy in policies]) if policies else []
        self._entries = {policy: int(count) for policy, count in zip(policies, counts, strict=True) if count}

    def stats(self) -> dict[str, object]:
        """See Store; with the reason where it is off, and entries by policy as last counted (all gateways' together),
        puts refused and damaged records dropped since the start."""
        return {
            "state": "off" if not self._link.up else "full" if self._full else "open",
            "reason": self._link.reason,
            "entries": sum(self._entries.values()),
            "policies": dict(self._entries),
            "refused": self._refused,
            "damaged": self._damaged,
        }


def _uses(policy: str, tenant: str) -> tuple[str, str]:
    """Where the uses of a record stand. A policy's name has no colon, so no two pairs share a place."""
    return f"u:{policy}", f"t:{policy}:{tenant}"
