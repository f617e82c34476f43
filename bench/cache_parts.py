"""What the cache costs a request, part by part: `python bench/cache_parts.py [--entries 10000] [--json FILE]`.

Times are microseconds, medians of repeated rounds in one process; nothing else should run beside it.
"""

import argparse
import asyncio
import json
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "sidecar"), str(ROOT / "tests")]

import orjson  # noqa: E402

from doubles.asks import near_misses, paraphrases  # noqa: E402
from doubles.cached import ACME, ANSWER, ask, policy, printed, put, route  # noqa: E402
from sluice_sidecar.cache.cache import Cache  # noqa: E402
from sluice_sidecar.cache.embed import MiniLM  # noqa: E402
from sluice_sidecar.cache.fingerprint import fingerprint  # noqa: E402
from sluice_sidecar.cache.flight import Flight, Flights  # noqa: E402
from sluice_sidecar.cache.memory import Memory  # noqa: E402
from sluice_sidecar.cache.reuse.facts import facts  # noqa: E402
from sluice_sidecar.cache.reuse.veto import disagreements  # noqa: E402
from sluice_sidecar.cache.stores.edge import EdgeStore  # noqa: E402
from sluice_sidecar.config import Paraphrase  # noqa: E402

SUBJECTS = (
    "invoice",
    "parcel",
    "password",
    "contract",
    "ticket",
    "meeting",
    "server",
    "recipe",
    "garden",
    "engine",
    "loan",
)
VERBS = ["cancel", "change", "find", "print", "share", "translate", "summarise", "archive", "restore", "explain"]
PLACES = ["app", "portal", "phone", "browser", "office", "branch"]


def question(number: int) -> str:
    """An ask of its own for every number."""
    verb, subject = VERBS[number % 10], SUBJECTS[number // 10 % 11]
    return f"How do I {verb} {subject} {number} in the {PLACES[number // 110 % 6]}?"


def rounds(call: Callable[[], Any], count: int = 2000, repeats: int = 7) -> float:
    """Median over `repeats` of the mean time of one call, us."""
    means = []
    for _ in range(repeats):
        began = time.perf_counter()
        for _ in range(count):
            call()
        means.append((time.perf_counter() - began) / count * 1e6)
    return statistics.median(means)


async def each(calls: list[Callable[[], Awaitable[Any]]]) -> tuple[float, float]:
    """(p50, p99) of single awaited calls, us."""
    times = []
    for call in calls:
        began = time.perf_counter()
        await call()
        times.append((time.perf_counter() - began) * 1e6)
    times.sort()
    return times[len(times) // 2], times[int(len(times) * 0.99)]


async def measure(entries: int) -> dict[str, float]:
    """All figures."""
    figures: dict[str, float] = {}
    sealed, kept = route(digest="sha256:r"), policy(digest="sha256:p", paraphrase=Paraphrase(similarity=0.85))
    padded = ask("What is six times seven?", note="x" * 900)
    figures["fingerprint, 1 kB body"] = rounds(lambda: fingerprint(padded, sealed, kept, ACME))
    figures["  of it the dialect's skeleton"] = rounds(lambda: padded.dialect.skeleton(padded))
    with tempfile.TemporaryDirectory() as folder:
        model, store = MiniLM(keep=0), EdgeStore(Path(folder) / "cache")
        cache = Cache(store, model, memory=Memory(entries=1000))
        await store.open()
        prints = [printed(question(number), kept=kept) for number in range(entries)]
        plain = policy(digest="sha256:q")
        figures["put without vector, p50"], _ = await each([partial(put, cache, fp, plain) for fp in prints[:1000]])
        for fp in prints:
            await put(cache, fp, kept)
        entry = cache.identical(prints[-1], kept)
        assert entry is not None
        figures["identical in memory, hit"] = rounds(lambda: cache.identical(prints[-1], kept))
        figures["identical in memory, miss"] = rounds(lambda: cache.identical(prints[0], kept))
        figures["identical in store, hit, p50"], _ = await each(
            [partial(cache.look, fp, plain) for fp in prints[:1000]]
        )
        figures["replay's bytes"] = rounds(lambda: entry.entry.fresh(b"chatcmpl-0123456789abcdef", 1))
        asked = [
            printed(f"Please tell me how to {q.removeprefix('How do I ')}", kept=kept)
            for q in map(question, range(0, entries, max(1, entries // 300)))
        ]
        figures["paraphrase found, embedding included, p50"], figures["paraphrase found, p99"] = await each(
            [partial(cache.look, fp, kept) for fp in asked]
        )
        figures["  hits of those asked, %"] = 100 * cache.stats()["counts"].get("paraphrase", 0) / len(asked)
        vector = (await model("warm text")).tobytes()
        scope, now = prints[0].scope, time.time()
        figures["  nearest 20 in a scope of all entries, p50"], _ = await each(
            [lambda: store.nearest(scope, vector, 0.0, 20, now)] * 200
        )
        await store.close()
        figures["embedding of 12 tokens, p50"], _ = await each([partial(model, q) for q in map(question, range(200))])
        model.close()
    pairs = [*((one, other) for _, one, other in near_misses()), *paraphrases()]
    began = time.perf_counter()
    for one, other in pairs:
        disagreements(one, other)
    figures["veto of a new pair, mean"] = (time.perf_counter() - began) / len(pairs) * 1e6
    facts("warm")
    flights = Flights()

    async def make(flight: Flight) -> None:
        flight.begin(1)
        flight.finish(2)

    async def fly() -> None:
        with flights.launch("k", make) as follower:
            await follower.head()
            await follower.result()

    figures["single flight, launch to result, p50"], _ = await each([fly] * 3000)
    figures["(orjson.dumps of the answer)"] = rounds(lambda: orjson.dumps(ANSWER))
    return figures


def main() -> None:
    """Prints the table; writes JSON where asked."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--entries", type=int, default=10_000)
    arguments.add_argument("--json", type=Path)
    chosen = arguments.parse_args()
    figures = asyncio.run(measure(chosen.entries))
    for name, value in figures.items():
        print(f"{name:<48}{value:>12.2f}")
    report = {"python": platform.python_version(), "machine": platform.machine(), "entries": chosen.entries,
              "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "microseconds": figures}  # fmt: skip
    if chosen.json:
        chosen.json.write_text(json.dumps(report, indent=2) + "\n")
    else:
        print(json.dumps(report))


if __name__ == "__main__":
    main()
