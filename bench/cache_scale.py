"""The embedded store at size: `python -m bench.cache_scale --datasets FOLDER [STEP ...] [--json FILE]`.

Entries are real asks (banking77, clinc150, nlu_home) with a few words put before and after, so that no two texts are
equal; their vectors are MiniLM's of the real ask with a random turn of about 20 degrees, not embeddings of the changed
text. Asked are real asks that are not stored. A step fills a store in one process and opens and asks it in another.

Times are those of the core (of this process alone) and of the clock, which on a shared machine tells of the others as
well. `nearest` is the store's search with the 20 records read; `decision` is all of a look by meaning after its
embedding: search, records, every strategy, score. `scanned` is a search before a scope's codes are made, as after a
start.
"""

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "sidecar"), str(ROOT / "tests")]

import numpy as np  # noqa: E402
import orjson  # noqa: E402
import qdrant_edge as edge  # noqa: E402

from bench.machine import describe  # noqa: E402
from bench.reuse.asks import READERS, Array, load  # noqa: E402
from doubles.cached import ANSWER, policy, printed  # noqa: E402
from sluice_sidecar.ask import Caller, Usage  # noqa: E402
from sluice_sidecar.cache.cache import Cache  # noqa: E402
from sluice_sidecar.cache.entry import Entry  # noqa: E402
from sluice_sidecar.cache.reuse.vote import LEAST, NEIGHBOURS  # noqa: E402
from sluice_sidecar.cache.stores.edge import EdgeStore  # noqa: E402
from sluice_sidecar.cache.stores.points import point_of  # noqa: E402
from sluice_sidecar.cache.stores.shard import Shard, engine  # noqa: E402
from sluice_sidecar.cache.stores.store import Record  # noqa: E402
from sluice_sidecar.config import Paraphrase  # noqa: E402

RESULTS = ROOT / "bench" / "results" / "cache_scale.json"
ASKED, WARM, PUTS, BATCH = 400, 40, 1_000, 200
LIFE = 1e6
TURN = 0.02
"""Deviation of the noise on each of a vector's 384 numbers: a cosine of about 0.93 to the real ask's."""
BEFORE = ("", "Please: ", "Hello, ", "Good day. ", "Quick question: ", "Sorry to bother you, ", "Hi team, ", "Well, ")
AFTER = ("", " Thanks", " please", " Thank you very much", " Cheers", " if you can", " kindly")

KEPT = policy(bound=0.01, label=True, paraphrase=Paraphrase(similarity=0.0))


@dataclass(frozen=True)
class Size:
    """One step."""

    entries: int
    scopes: int


STEPS = {
    "10,000 in one scope": Size(10_000, 1),
    "100,000 in one scope": Size(100_000, 1),
    "100,000 in 1,000 scopes": Size(100_000, 1_000),
    "1,000,000 in 1,000 scopes": Size(1_000_000, 1_000),
    "1,000,000 in 10 scopes": Size(1_000_000, 10),
}


class Asks:
    """Real asks: the first ASKED + WARM to be asked, the others to be stored."""

    def __init__(self, datasets: Path) -> None:
        streams = [load(name, datasets) for name in READERS]
        texts = [text for one in streams for text in one.texts]
        keys = [f"{one.name}/{key}" for one in streams for key in one.keys]
        vectors = np.concatenate([one.vectors for one in streams])
        good = np.flatnonzero(np.linalg.norm(vectors, axis=1) > 0.5).tolist()
        random.Random(0).shuffle(good)
        self.asked, self._stored = good[: ASKED + WARM], good[ASKED + WARM :]
        self.texts, self.keys, self.vectors = texts, keys, vectors

    def stored(self, size: Size) -> Iterator[tuple[int, str, str, Array]]:
        """(number, text, group, vector) of each entry; the same at every call."""
        noise, count = np.random.default_rng(1), len(self._stored)
        for start in range(0, size.entries, 1_000):
            numbers = range(start, min(start + 1_000, size.entries))
            places = [self._stored[number % count] for number in numbers]
            rows = self.vectors[places] + TURN * noise.standard_normal((len(places), 384), np.float32)
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
            for number, place, row in zip(numbers, places, rows, strict=True):
                turn = number // count
                before, after = BEFORE[turn % len(BEFORE)], AFTER[turn // len(BEFORE) % len(AFTER)]
                yield number, f"{before}{self.texts[place]}{after}", self.keys[place], row


def caller(scope: int) -> Caller:
    """Each scope is a tenant's."""
    return Caller(f"tenant-{scope}", {})


def scopes(count: int) -> list[str]:
    """Their names, as a fingerprint gives them."""
    return [printed("which scope", caller(number), KEPT).scope for number in range(count)]


def records(asks: Asks, size: Size, names: list[str], now: float) -> Iterator[Record]:
    """What a cache would have put."""
    body, usage = orjson.dumps(ANSWER), Usage(3, 0, 1)
    for number, text, group, row in asks.stored(size):
        scope, tenant, key = names[number % size.scopes], f"tenant-{number % size.scopes}", f"{number:032x}"
        entry = Entry(
            key, scope, tenant, KEPT.name, "large", text, body, usage, 0.5, now, now + LIFE, now + LIFE, group
        )  # fmt: skip
        yield Record(
            key, scope, tenant, KEPT.name, now + LIFE, now + LIFE, now, entry.to_bytes(), row.astype("<f4").tobytes()
        )  # fmt: skip


def fill(asks: Asks, size: Size, folder: Path) -> dict[str, Any]:
    """Writes the store, 200 records at a time, and the last of them as a gateway does."""
    names, now = scopes(size.scopes), time.time()
    made = records(asks, size, names, now)
    shard = Shard.opened(folder, exists=False)
    began, written = time.perf_counter(), 0
    while written < size.entries - PUTS:
        points = [point_of(record) for record in islice(made, min(BATCH, size.entries - PUTS - written))]
        engine(shard._shard.update, edge.UpdateOperation.upsert_points(points))
        written += len(points)
        if written % 20_000 == 0:
            shard.flush()
            rate = written / (time.perf_counter() - began)
            print(f"  {written:,} of {size.entries:,}, {rate:,.0f}/s", file=sys.stderr, flush=True)
    shard.close()
    return {"put_per_s": round(asyncio.run(_put(folder, list(made), size)))}


async def _put(folder: Path, last: list[Record], size: Size) -> float:
    store = EdgeStore(folder, patience=300.0)
    await store.open()
    began = time.perf_counter()
    for record in last:
        await store.put(record, 2 * size.entries)
    took = time.perf_counter() - began
    await store.close()
    return len(last) / took


async def measure(asks: Asks, size: Size, folder: Path) -> dict[str, Any]:
    """Opens the store, asks it before and after it has codes."""
    names, before = scopes(size.scopes), _memory()
    known: dict[str, Array] = {asks.texts[place]: asks.vectors[place] for place in asks.asked}

    async def told(text: str) -> Array:
        return known[text]

    store = EdgeStore(folder, patience=300.0)
    cache = Cache(store, told)
    found: dict[str, Any] = {"load": round(os.getloadavg()[0], 1)}
    began = time.perf_counter()
    await store.open()
    found["open_s"] = round(time.perf_counter() - began, 2)
    chance, now = random.Random(2), time.time()
    wheres = [chance.randrange(size.scopes) for _ in asks.asked]
    searches, looks = [], []
    for place, where in zip(asks.asked, wheres, strict=True):
        vector = asks.vectors[place].astype("<f4").tobytes()
        fp = printed(asks.texts[place], caller(where), KEPT)
        searches.append(partial(store.nearest, names[where], vector, LEAST, NEIGHBOURS, now))
        looks.append(partial(cache._meaning.look, store, fp, KEPT, least=0.0, max_age=None))
    few = searches[:WARM]
    _, found["scanned_nearest_ms"] = await _timed(few)
    began, core = time.perf_counter(), time.process_time()
    for number in range(size.scopes):  # each scope is asked in once
        await store.nearest(names[number], asks.vectors[asks.asked[0]].tobytes(), 0.99, 1, now)
    shard = store._shard
    assert shard is not None
    while shard.grow():  # the store itself leaves four fifths of the time to others
        pass
    found["codes_s"] = round(time.perf_counter() - began, 2)
    found["codes_core_s"] = round(time.process_time() - core, 2)
    found["coded"] = shard.coded
    await _timed(looks[:WARM])
    answers, found["nearest_ms"] = await _timed(searches[WARM:])
    _, found["decision_ms"] = await _timed(looks[WARM:])
    after = _memory()
    found["memory_mb"] = {name: round(after[name] - before[name]) for name in after}
    vectors = [asks.vectors[place] for place in asks.asked[WARM:]]
    found["recall"] = recall(asks, size, vectors, wheres[WARM:], [[data for _, data in one] for one in answers])
    await store.close()
    found["disk_mb"] = sum(file.stat().st_blocks for file in folder.rglob("*") if file.is_file()) // 2048
    return found


async def _timed(calls: Sequence[Callable[[], Awaitable[Any]]]) -> tuple[list[Any], dict[str, float]]:
    answers, times = [], []
    for call in calls:
        began = time.process_time(), time.perf_counter()
        answers.append(await call())
        times.append((1000 * (time.process_time() - began[0]), 1000 * (time.perf_counter() - began[1])))
    names = ("core_p50", "core_p99", "p50", "p99")
    found = np.percentile(np.array(times), [50, 99], axis=0).T.ravel()
    return answers, {name: round(float(value), 3) for name, value in zip(names, found, strict=True)}


def _memory() -> dict[str, float]:
    """MB of this process: its own, and pages of files that it has mapped."""
    lines = Path("/proc/self/status").read_text().splitlines()
    sizes = {
        name: int(rest.split()[0]) / 1024
        for name, _, rest in (line.partition(":") for line in lines)
        if rest[-2:] == "kB"
    }
    return {"own": sizes["RssAnon"], "mapped": sizes["RssFile"]}


def recall(
    asks: Asks, size: Size, vectors: list[Array], wheres: list[int], answers: list[list[bytes]]
) -> dict[str, Any]:
    """Which of the true nearest were found, of those that are as near as a vote hears. Every vector is scored."""
    best: list[list[tuple[float, int]]] = [[] for _ in vectors]
    asked = np.stack(vectors)
    made = asks.stored(size)
    while block := list(islice(made, 10_000)):
        numbers = np.array([one[0] for one in block])
        scores = asked @ np.stack([one[3] for one in block]).T
        scores[numbers % size.scopes != np.array(wheres)[:, None]] = -1.0
        for at, row in enumerate(scores):
            for place in np.argpartition(-row, NEIGHBOURS)[:NEIGHBOURS].tolist():
                if row[place] >= LEAST:
                    best[at].append((float(row[place]), int(numbers[place])))
            best[at] = sorted(best[at], reverse=True)[:NEIGHBOURS]
    told: dict[str, Any] = {"asks": len(vectors)}
    for name, most in (("first", 1), ("ten", 10), ("twenty", NEIGHBOURS)):
        true = found = 0
        for truth, answer in zip(best, answers, strict=True):
            keys = {int(Entry.from_bytes(data).key, 16) for data in answer}
            true += len(truth[:most])
            found += sum(number in keys for _, number in truth[:most])
        told[name] = {"true": true, "found": found}
    return told


def table(run: dict[str, Any]) -> str:
    """The steps as Markdown."""
    lines = [
        "| entries | nearest 20, p50 / p99 | decision, p50 / p99 | scanned, p50 / p99 | of the true ten found "
        "| own memory, mapped files | on disk | opened, codes made | put |",
        "|---" * 9 + "|",
    ]  # fmt: skip
    for name, one in run["steps"].items():
        times = [
            "{core_p50:.2f} / {core_p99:.2f} ms ({p50:.1f} / {p99:.1f})".format(**one[key])
            for key in ("nearest_ms", "decision_ms", "scanned_nearest_ms")
        ]
        ten = one["recall"]["ten"]
        memory = one["memory_mb"]
        lines.append(
            f"| {name} | {' | '.join(times)} | {ten['found'] / max(ten['true'], 1):.2%} ({ten['found']:,} of "
            f"{ten['true']:,}) | {memory['own']:,} MB, {memory['mapped']:,} MB | {one['disk_mb']:,} MB "
            f"| {one['open_s']:.1f} s, {one['codes_s']:.1f} s | {one['put_per_s']:,}/s |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Runs the steps, each in processes of its own; keeps what other steps found before."""
    cli = argparse.ArgumentParser(prog="bench.cache_scale", description=__doc__)
    cli.add_argument("steps", nargs="*", help=f"default: all of {', '.join(STEPS)}")
    cli.add_argument("--datasets", type=Path, required=True)
    cli.add_argument(
        "--folder", type=Path, help="where stores are made and left for the next run (8 GB); default: for once"
    )
    cli.add_argument("--json", type=Path, default=RESULTS)
    cli.add_argument("--part", choices=("fill", "measure"), help=argparse.SUPPRESS)
    options = cli.parse_args()
    unknown = set(options.steps) - set(STEPS)
    if unknown:
        cli.error(f"no step {', '.join(sorted(unknown))}; there are {', '.join(STEPS)}")
    if options.part:
        size, asks = STEPS[options.steps[0]], Asks(options.datasets)
        filling = options.part == "fill"
        told = fill(asks, size, options.folder) if filling else asyncio.run(measure(asks, size, options.folder))
        print(json.dumps(told))
        return
    run: dict[str, Any] = json.loads(options.json.read_text()) if options.json.exists() else {"steps": {}}
    run["machine"] = describe(packages=("sluice-llm", "qdrant-edge-py", "numpy"), tools={})
    for step in options.steps or STEPS:
        print(step, file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as temporary:
            folder = (options.folder or Path(temporary)) / step.replace(" ", "-").replace(",", "")
            found: dict[str, Any] = {}
            for part in ("fill", "measure"):
                kept = folder.with_suffix(f".{part}.json")
                if part == "measure" or not kept.exists():
                    command = [sys.executable, "-m", "bench.cache_scale", step, "--part", part]
                    command += ["--datasets", str(options.datasets), "--folder", str(folder)]
                    kept.write_text(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
                found |= json.loads(kept.read_text())
        run["steps"] = {name: found if name == step else run["steps"][name]
                        for name in STEPS if name == step or name in run["steps"]}  # fmt: skip
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(run, indent=1) + "\n")
        print(table({"steps": {step: found}}), flush=True)


if __name__ == "__main__":
    main()
