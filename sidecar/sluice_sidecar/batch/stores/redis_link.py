"""One process's connections to the queue's Redis: changes go together, and return when they are on its disk."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sluice_sidecar.ask import Problem
from sluice_sidecar.batch.ending import ended
from sluice_sidecar.cache.stores.store import StoreError

if TYPE_CHECKING:
    from redis.asyncio import Redis

PATIENCE = 5.0
"""Seconds that Redis may take for one exchange."""
FLUSH = 3_000
"""Milliseconds that its flush to the disk may take: a second where it flushes once a second."""
TOGETHER = 256
"""Most changes that wait for one flush."""

Server = tuple[str, int, str | None, str | None]
"""Host, port, user name, password."""
_Job = tuple[tuple[Any, ...], "asyncio.Future[Any]"]


class RedisLink:
    """Runs a script under one key prefix. `server` is asked at every (re)connection, and raises StoreError.

    `write` returns when the change is in the append-only file and that is flushed (`WAITAOF 1 0`): Redis then keeps it
    over a kill, a crash and a power cut. What fails was not acknowledged, and may have been done all the same.
    """

    def __init__(self, server: Callable[[], Awaitable[Server]], script: str, prefix: str) -> None:
        self._server, self._script, self._prefix = server, script, prefix
        self._redis: Redis | None = None
        self._sha = ""
        self._connecting = asyncio.Lock()
        self._jobs: asyncio.Queue[_Job] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def write(self, *arguments: Any) -> Any:
        """What the script gives. Raises Problem(429, 503)."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._always(), name="batch-redis")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._jobs.put_nowait((arguments, future))
        return await future

    async def read(self, *arguments: Any) -> Any:
        """What the script reads. Raises Problem(503)."""
        found = (await self._exchange([arguments], flush=False))[0]
        if isinstance(found, Exception):
            raise _problem(found)
        return found

    async def memory(self) -> tuple[int, int, str]:
        """Bytes that Redis uses, that it may use (0: no bound), and what it does beyond. Raises Problem(503)."""
        try:
            async with asyncio.timeout(PATIENCE):
                found = await (await self._connected()).info("memory")
        except Exception as error:
            raise await self._lost(error) from None
        return int(found["used_memory"]), int(found["maxmemory"]), str(found["maxmemory_policy"])

    async def close(self) -> None:
        """Ends what was begun."""
        await ended(self._task)
        self._task = None
        while not self._jobs.empty():
            self._jobs.get_nowait()[1].cancel()
        await self._disconnect()

    async def _always(self) -> None:
        while True:
            jobs = [await self._jobs.get()]
            while len(jobs) < TOGETHER and not self._jobs.empty():
                jobs.append(self._jobs.get_nowait())
            try:
                found = await self._exchange([arguments for arguments, _ in jobs], flush=True)
            except Problem as problem:
                found = [problem] * len(jobs)
            except asyncio.CancelledError:
                for _, future in jobs:
                    future.cancel()
                raise
            for (_, future), value in zip(jobs, found, strict=True):
                if future.done():  # who asked has left
                    continue
                if isinstance(value, Exception):
                    future.set_exception(_problem(value))
                else:
                    future.set_result(value)

    async def _exchange(self, calls: list[tuple[Any, ...]], *, flush: bool) -> list[Any]:
        """An answer or an error of each. Raises Problem(503) where nothing can be relied on."""
        from redis import exceptions

        try:
            async with asyncio.timeout(PATIENCE):
                found = await self._pipelined(await self._connected(), calls, flush)
                if any(
                    isinstance(one, exceptions.NoScriptError) for one in found
                ):  # it forgot all scripts: nothing ran
                    await self._disconnect()
                    found = await self._pipelined(await self._connected(), calls, flush)
        except Exception as error:
            raise await self._lost(error) from None
        if not flush:
            return found
        *answers, flushed = found
        if isinstance(flushed, Exception):
            text = str(flushed)
            if "appendonly" in text:
                text = "its append-only file is off: set appendonly yes, or what is acknowledged would be lost"
            raise _away(text)
        if int(flushed[0]) < 1:
            raise _away(f"it did not flush to its disk within {FLUSH / 1000:g} s")
        return answers

    async def _pipelined(self, redis: "Redis", calls: list[tuple[Any, ...]], flush: bool) -> list[Any]:
        pipeline = redis.pipeline(transaction=False)
        for arguments in calls:
            pipeline.execute_command("EVALSHA", self._sha, 1, self._prefix, *arguments)
        if flush:  # on the same connection: it waits for what was written here
            pipeline.execute_command("WAITAOF", 1, 0, FLUSH)
        return list(await pipeline.execute(raise_on_error=False))

    async def _connected(self) -> "Redis":
        async with self._connecting:
            if self._redis is not None:
                return self._redis
            try:
                from redis.asyncio import Redis
                from redis.asyncio.retry import Retry
                from redis.backoff import NoBackoff
            except ImportError as error:
                raise StoreError(f"the Redis client is not installed ({error}): install sluice-llm[redis]") from None
            host, port, username, password = await self._server()
            redis = Redis(
                host=host, port=port, username=username, password=password, socket_connect_timeout=PATIENCE,
                retry=Retry(NoBackoff(), 0), protocol=2,
            )  # fmt: skip
            try:
                loaded = await redis.script_load(self._script)
            except BaseException:
                await redis.aclose(close_connection_pool=True)
                raise
            self._sha = loaded
            self._redis = redis
            return redis

    async def _disconnect(self) -> None:
        redis, self._redis = self._redis, None
        if redis is not None:
            with suppress(OSError):
                await redis.aclose(close_connection_pool=True)

    async def _lost(self, error: Exception) -> Problem:
        await self._disconnect()
        if isinstance(error, TimeoutError):
            return _away(f"no answer within {PATIENCE:g} s")
        return _away(str(error) or type(error).__name__)


def _away(why: str) -> Problem:
    return Problem(503, "queue_unavailable", f"The queue's Redis cannot be used now: {why}.", retry_after=5)


def _problem(error: Exception) -> Problem:
    from redis import exceptions

    if isinstance(error, Problem):
        return error
    if isinstance(error, exceptions.OutOfMemoryError):
        return full(str(error))
    return _away(f"{type(error).__name__}: {error}")


def full(why: str) -> Problem:
    """What a caller is told whose request has no room."""
    message = f"The queue's Redis has no room for more: {why}. Fetch and delete what has ended, or try again later."
    return Problem(429, "storage_full", message, retry_after=60)
