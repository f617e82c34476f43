"""What is measured, one function a scenario; each gives a plain dict, always beside the bare path of the same run."""

import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.client import Caller, spread
from bench.configs import ANSWER, KEYS, ask, config
from bench.leaving import leaving
from bench.processes import LOAD_CORE, Load, free_port, gateway, model, process, wrk
from bench.stages import stages
from bench.streams import streaming_model
from bench.wordings import WORDINGS

CHAT = "/v1/chat/completions"
ROUNDS = 5


def passthrough(seconds: int) -> dict[str, Any]:
    """Nothing cached: authenticate, parse, route, call, ledger. Many connections, then one."""
    with (
        model(ANSWER) as upstream,
        gateway(config(upstream + "/v1"), "--no-access-log") as sluice,
        gateway(config(upstream + "/v1")) as logging,
    ):
        urls = (upstream, sluice.url, logging.url)
        bare, ours, logged = _in_turn(urls, connections=32, seconds=seconds)
        bare_one, ours_one, _ = _in_turn(urls, connections=1, seconds=seconds)
    return {
        "bare upstream, 32 connections": _load(bare),
        "sluice, 32 connections": _load(ours),
        "sluice, 32 connections, a log line a request": _load(logged),
        "bare upstream, 1 connection": _load(bare_one),
        "sluice, 1 connection": _load(ours_one),
        "rate": ours.rate,
        "added_p50_ms": round(ours_one.p50 - bare_one.p50, 3),
        "failed": ours.failed + ours_one.failed,
    }


def identical(seconds: int) -> dict[str, Any]:
    """The same ask again and again, answered from memory."""
    with model(ANSWER) as upstream, gateway(config(upstream + "/v1", cache=True), "--no-access-log") as sluice:
        asyncio.run(_fill(sluice.url, ["How do I reset my password?"]))
        (many,) = _in_turn([sluice.url], connections=32, seconds=seconds)
        one, bare = _in_turn([sluice.url, upstream], connections=1, seconds=seconds)
        hits = sluice.savings()
    return {
        "sluice, 32 connections": _load(many),
        "sluice, 1 connection": _load(one),
        "bare upstream, 1 connection": _load(bare),
        "rate": many.rate,
        "p50_ms": one.p50,
        "failed": many.failed + one.failed,
        "hit_rate": hits.get("hit_rate"),
    }


def paraphrase(_: int) -> dict[str, Any]:
    """Each ask worded anew: embedding, search, vetoes. One connection; only answers that hit are timed."""
    with (
        model(ANSWER) as upstream,
        gateway(config(upstream + "/v1", cache=True, similarity=0.80), "--no-access-log") as sluice,
    ):
        asyncio.run(_fill(sluice.url, [stored for stored, _ in WORDINGS]))
        seen = asyncio.run(_asked(sluice.url, [asked for _, asked in WORDINGS]))
        bare = asyncio.run(_asked(upstream, [asked for _, asked in WORDINGS]))
    hits = [one.last for one in seen if one.how == "paraphrase"]
    return {
        "asked": len(seen),
        "hits": len(hits),
        "sluice, hits": spread(hits),
        "bare upstream": spread([one.last for one in bare]),
        "p50_ms": spread(hits)["p50"],
    }


def streaming(_: int) -> dict[str, Any]:
    """Time to the first byte of a stream, directly and through the gateway, turn by turn."""
    port = free_port()
    with (
        process([sys.executable, "-m", "bench.streams", str(port)], port, LOAD_CORE),
        gateway(config(streaming_model(port)), "--no-access-log") as sluice,
    ):
        direct, through = asyncio.run(_turns(f"http://127.0.0.1:{port}", sluice.url, 2000))
    return {
        "bare upstream": spread(direct),
        "sluice": spread(through),
        "added_first_byte_p50_ms": round(statistics.median(through) - statistics.median(direct), 3),
    }


def swap(seconds: int) -> dict[str, Any]:
    """The Config is rewritten again and again under load; failures of at least 100,000 requests."""
    requests = failed = swaps = 0
    with model(ANSWER) as upstream:
        configs = [config(upstream + "/v1", model=name) for name in ("first", "second")]
        with gateway(configs[0], "--no-access-log") as sluice:
            stop = threading.Event()

            def rewrite() -> None:
                nonlocal swaps
                while not stop.wait(0.25):
                    swaps += 1
                    sluice.write(configs[swaps % 2])

            writer = threading.Thread(target=rewrite)
            writer.start()
            while requests < 100_000:
                load = wrk(sluice.url + CHAT, ask(), connections=32, seconds=max(5, seconds))
                requests, failed = requests + load.requests, failed + load.failed
            stop.set()
            writer.join()
    return {"requests": requests, "swaps": swaps, "failed": failed}


def idle(_: int) -> dict[str, Any]:
    """Memory of a gateway that waits, without and with an embedder."""
    with model(ANSWER) as upstream:
        with gateway(config(upstream + "/v1")) as sluice:
            asyncio.run(_fill(sluice.url, ["One."]))
            without = sluice.rss()
        with gateway(config(upstream + "/v1", cache=True, similarity=0.9)) as sluice:
            asyncio.run(_fill(sluice.url, ["How do I reset my password?"]))
            asyncio.run(_fill(sluice.url, ["How can I change my password?"]))
            with_embedder = sluice.rss()
    return {"without_embedder_mb": round(without, 1), "with_embedder_mb": round(with_embedder, 1)}


def startup(_: int) -> dict[str, Any]:
    """Seconds until `sluice run` without a model is ready, and until the gateway's package is imported."""
    imports = [_timed([sys.executable, "-c", "import sluice_sidecar.app"]) for _ in range(5)]
    nothing = [_timed([sys.executable, "-c", "pass"]) for _ in range(5)]
    return {
        "import_s": round(statistics.median(imports) - statistics.median(nothing), 3),
        "ready_s": round(statistics.median(_ready() for _ in range(3)), 2),
    }


SCENARIOS: dict[str, Callable[[int], dict[str, Any]]] = {
    "passthrough": passthrough,
    "identical": identical,
    "paraphrase": paraphrase,
    "streaming": streaming,
    "leaving": leaving,
    "swap": swap,
    "idle": idle,
    "startup": startup,
    "stages": stages,
}


def _in_turn(urls: Sequence[str], *, connections: int, seconds: int) -> list[Load]:
    """Each URL's median run of ROUNDS, the URLs taking turns: a machine that slows down slows all of them."""
    rounds = [
        [wrk(url + CHAT, ask(), connections=connections, seconds=max(2, seconds // 2)) for url in urls]
        for _ in range(ROUNDS)
    ]
    failed = [sum(load.failed for load in loads) for loads in zip(*rounds, strict=True)]
    middle = [sorted(loads, key=lambda load: load.rate)[ROUNDS // 2] for loads in zip(*rounds, strict=True)]
    return [replace(load, failed=count) for load, count in zip(middle, failed, strict=True)]


def _load(load: Load) -> dict[str, float]:
    return {"requests_per_s": load.rate, "p50_ms": load.p50, "p99_ms": load.p99, "failed": load.failed}


async def _fill(url: str, texts: list[str]) -> None:
    caller = await Caller.connect(url)
    for text in texts:
        await caller.ask(ask(text))
    await asyncio.sleep(0.3)  # answers are stored behind the answer: embedding takes its time
    caller.close()


async def _asked(url: str, texts: list[str]) -> list[Any]:
    caller = await Caller.connect(url)
    seen = [await caller.ask(ask(text)) for text in texts]
    caller.close()
    return seen


async def _turns(direct: str, through: str, turns: int) -> tuple[list[float], list[float]]:
    callers = [await Caller.connect(direct), await Caller.connect(through)]
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(turns + 50):
        for caller, found in zip(callers, times, strict=True):
            seen = await caller.ask(ask(stream=True))
            if turn >= 50:
                found.append(seen.first)
    for caller in callers:
        caller.close()
    return times


def _timed(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - start


def _ready() -> float:
    sluice = shutil.which("sluice", path=str(Path(sys.executable).parent))
    if sluice is None:
        raise SystemExit("bench: the command `sluice` is not installed beside this Python")
    port, admin = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "route.yaml"
        file.write_text(
            "apiVersion: sluice.dev/v1alpha1\nkind: ModelRoute\nmetadata: {name: auto}\nspec:\n"
            '  backends: [{name: house, custom: {url: "http://127.0.0.1:9/v1", dialect: OpenAI, model: m}}]\n'
        )
        start = time.perf_counter()
        child = subprocess.Popen(
            [sluice, "run", str(file), "--port", str(port), "--admin-port", str(admin), "--data", folder],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **KEYS},
        )
        try:
            while time.perf_counter() - start < 30:
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{admin}/readyz", timeout=1):
                        return time.perf_counter() - start
                except OSError:
                    time.sleep(0.01)
        finally:
            child.terminate()
            child.wait(30)
    raise SystemExit("bench: `sluice run` did not become ready")
