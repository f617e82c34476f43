"""What the queue of deferred requests costs on this machine: `python bench/batch_queue.py [--queued N]`.

Acknowledgements at a fixed rate through a gateway process (open loop: a late answer delays no later request), in turns
with the same rate of bare fsyncs and of GET /v1/models, which show what of it is the machine's; a file of
50,000 lines from upload to queue; a worker's own time a request, against a model that answers at once; and, with N
requests queued, the memory of the gateway process and the seconds until a killed one is ready again.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import orjson

from sluice_sidecar.batch import claims, store
from sluice_sidecar.batch.execute import Outcome
from sluice_sidecar.batch.gate import Always, Pool
from sluice_sidecar.batch.queue import Queue
from sluice_sidecar.batch.records import Batch, Entry, Result, Task
from sluice_sidecar.batch.worker import Worker
from sluice_sidecar.config import Backend, BatchWindow, Config, Route, Single, Window

LINES = 50_000


def held() -> Config:
    """A route whose window opens in six hours: what is queued stays queued."""
    opens = datetime.now(UTC) + timedelta(hours=6)
    hours = Window(days=("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), start=f"{opens:%H:%M}", end=f"{opens:%H:59}")
    backend = Backend(name="a", url="http://127.0.0.1:9/v1")
    route = Route(name="r", models=("auto",), backends={"a": backend}, strategy=Single(backend="a"), reference="a")
    window = BatchWindow(name="night", windows=(hours,), routes=("r",), deadline=864_000.0)
    return Config(routes={"r": route}, windows={"night": window}).sealed()


@asynccontextmanager
async def gateway(folder: Path) -> AsyncIterator[tuple[str, int]]:
    """A gateway process on `folder`, killed in the end: its URL and process id."""
    (folder / "config.json").write_bytes(held().to_json())
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sluice_sidecar.main", "--config", str(folder / "config.json"), "--data",
        str(folder / "data"), "--port", "0", "--admin-port", "0", "--allow-loopback", "--report", "--no-access-log",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        while not (said := await process.stdout.readline()).startswith(b"READY"):
            if not said:
                raise SystemExit("bench: the gateway ended")
        yield f"http://127.0.0.1:{int(said.split()[2])}", process.pid
    finally:
        process.send_signal(signal.SIGKILL)
        await process.communicate()


class Caller:
    """One keep-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def defer(self, body: bytes) -> None:
        """One request, acknowledged."""
        await self._asked(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
            b"prefer: respond-async\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
        )

    async def models(self, _: bytes) -> None:
        """The cheapest request that there is."""
        await self._asked(b"GET /v1/models HTTP/1.1\r\nhost: bench\r\n\r\n")

    async def _asked(self, request: bytes) -> None:
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 20"):
            raise SystemExit(f"bench: {head.decode('latin-1')}")
        await self._reader.readexactly(int(head.partition(b"content-length: ")[2].split(b"\r\n")[0]))

    def close(self) -> None:
        """Ends it."""
        self._writer.close()


@asynccontextmanager
async def callers(url: str) -> AsyncIterator[asyncio.Queue[Caller]]:
    """Connections, warm as the code behind them is."""
    host, _, port = url.removeprefix("http://").partition(":")
    every = [Caller(*await asyncio.open_connection(host, int(port))) for _ in range(32)]
    free: asyncio.Queue[Caller] = asyncio.Queue()
    for number, caller in enumerate(every):
        await caller.models(b"")
        await caller.defer(ask(number))
        free.put_nowait(caller)
    yield free
    for caller in every:
        caller.close()


async def answered(
    free: asyncio.Queue[Caller], rate: float, seconds: float, how: Callable[[Caller, bytes], Awaitable[None]]
) -> list[float]:
    """Milliseconds from a request's own moment to its answer."""
    took: list[float] = []

    async def one(at: float, number: int) -> None:
        caller = await free.get()
        await how(caller, ask(number))
        took.append((time.perf_counter() - at) * 1e3)
        free.put_nowait(caller)

    start, running = time.perf_counter(), []
    for number in range(int(rate * seconds)):
        at = start + number / rate
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        running.append(asyncio.create_task(one(at, number)))
    await asyncio.gather(*running)
    return took


def ask(number: int) -> bytes:
    """A request's body."""
    return orjson.dumps({"model": "auto", "messages": [{"role": "user", "content": f"Summarise document {number}."}]})


async def file_of(url: str, lines: int) -> dict[str, float]:
    """Seconds of an upload, and from its batch's making until all of it is queued."""
    line = b'{"custom_id":"c%d","method":"POST","url":"/v1/chat/completions","body":%b}\n'
    content = b"".join(line % (number, ask(number)) for number in range(lines))
    async with httpx.AsyncClient(base_url=url, timeout=120) as http:
        start = time.perf_counter()
        made = await http.post("/v1/files", files={"file": ("f.jsonl", content)}, data={"purpose": "batch"})
        uploaded = time.perf_counter()
        wanted = {
            "input_file_id": made.json()["id"], "endpoint": "/v1/chat/completions", "completion_window": "24h",
        }  # fmt: skip
        batch = (await http.post("/v1/batches", json=wanted)).json()["id"]
        while (found := (await http.get(f"/v1/batches/{batch}")).json())["status"] == "validating":
            await asyncio.sleep(0.02)
        if found["status"] != "in_progress":
            raise SystemExit(f"bench: {found['errors']}")
        queued = time.perf_counter()
    return {"upload_s": uploaded - start, "queue_s": queued - uploaded, "per_second": lines / (queued - uploaded)}


async def overhead(folder: Path, count: int, concurrency: int) -> dict[str, float]:
    """Milliseconds of wall and processor time that queue and worker take for a request which itself takes none."""
    queue = Queue(folder)
    await queue.open()
    now = time.time()
    note: dict[str, Any] = {}
    path = "/v1/chat/completions"
    made = await queue.do(
        partial(
            store.add_batch, batch=Batch(0, "b", "t", "openai", path, "f", "validating", now, now + 1e6, 3, note=note)
        )
    )
    await queue.put(made, [Entry(at, f"c{at}", 0, 1, "r", bytes(16)) for at in range(count)])

    async def run(task: Task) -> Outcome:
        return Outcome(Result(200, "", b'{"choices":[]}'))

    pool = Pool("", frozenset(), Always(), concurrency, 1e6, "RunAnyway")
    worker = Worker(queue, run, lambda: [pool], lambda: 0)
    start, busy = time.perf_counter(), time.process_time()
    await worker.start()
    while await queue.read(claims.waiting) or worker.running:
        await asyncio.sleep(0.01)
    wall, cpu = time.perf_counter() - start, time.process_time() - busy
    await worker.stop()
    await queue.close()
    return {"wall_ms": wall / count * 1e3, "cpu_ms": cpu / count * 1e3, "count": count, "concurrency": concurrency}


def synced(folder: Path, rate: float, seconds: float) -> list[float]:
    """Milliseconds from each moment of an open loop until 16 KiB are appended and synced: what no queue can beat."""
    took = []
    with (folder / "sync").open("wb") as file:
        start = time.perf_counter()
        for number in range(int(rate * seconds)):
            at = start + number / rate
            time.sleep(max(0.0, at - time.perf_counter()))
            file.write(bytes(16_384))
            file.flush()
            os.fsync(file.fileno())
            took.append((time.perf_counter() - at) * 1e3)
    return took


async def acknowledged(url: str, folder: Path, rate: float, seconds: float) -> dict[str, dict[str, float]]:
    """The disk's own sync, the cheapest answer and the acknowledgement, in turns of a second each: what else the
    machine does meanwhile falls on all of them alike."""
    took: dict[str, list[float]] = {"fsync_ms": [], "models_ms": [], "acknowledge_ms": []}
    async with callers(url) as free:
        for _ in range(max(1, int(seconds))):
            took["fsync_ms"] += await asyncio.to_thread(synced, folder, rate, 1.0)
            took["models_ms"] += await answered(free, rate, 1.0, Caller.models)
            took["acknowledge_ms"] += await answered(free, rate, 1.0, Caller.defer)
    return {name: percentiles(some) for name, some in took.items()}


def percentiles(took: list[float]) -> dict[str, float]:
    """Of so many measurements."""
    took = sorted(took)
    return {"p50": took[len(took) // 2], "p99": took[int(len(took) * 0.99)], "max": took[-1], "count": len(took)}


def rss(pid: int) -> float:
    """MiB of memory that a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All figures."""
    found: dict[str, Any] = {}
    async with gateway(folder) as (url, pid):
        found |= await acknowledged(url, folder, options.rate, options.seconds)
        found["file"] = await file_of(url, LINES)
        for _ in range(max(0, options.queued // LINES - 1)):
            await file_of(url, LINES)
        found["queued"] = {"requests": max(1, options.queued // LINES) * LINES, "gateway_mib": rss(pid)}
    start = time.perf_counter()
    async with gateway(folder) as (url, pid), httpx.AsyncClient(base_url=url) as http:
        await http.get("/v1/batches")
        found["queued"] |= {"ready_again_s": time.perf_counter() - start, "gateway_mib_after": rss(pid)}
    found["queued"]["store_mib"] = sum(f.stat().st_size for f in (folder / "data/batch").glob("queue.db*")) / 2**20
    found["worker"] = await overhead(folder / "overhead", options.requests, 32)
    return found


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--rate", type=float, default=200.0, help="acknowledgements a second")
    cli.add_argument("--seconds", type=float, default=20.0)
    cli.add_argument("--requests", type=int, default=20_000, help="requests that the worker runs")
    cli.add_argument("--queued", type=int, default=LINES, help="requests queued when memory and restart are measured")
    cli.add_argument("--folder", type=Path, help="on the disk to measure; default: the system's temporary one")
    cli.add_argument("--store", choices=("sqlite", "redis"), default="sqlite", help="redis: the queue of a cluster")
    options = cli.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        if options.store == "redis":
            from bench import batch_queue_redis

            work = batch_queue_redis.measure(options, Path(folder), LINES)
        else:
            work = measure(options, Path(folder))
        json.dump(asyncio.run(work), sys.stdout, indent=1)
        print()


if __name__ == "__main__":
    main()
