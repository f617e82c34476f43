"""What an embedding costs when many ask at once, batched and not: `python bench/embedding.py [--rounds 5]`.

Closed loop: every asker sends its next text when it has its vector; no text comes twice. The ways take turns, and each
figure is the median of its rounds. Nothing else should run beside it: one core embeds.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "sidecar"), str(ROOT / "tests")]

import uvloop  # noqa: E402

from doubles.asks import paraphrases  # noqa: E402
from sluice_sidecar.cache.embed import MiniLM  # noqa: E402
from sluice_sidecar.cache.embedders.onnx_folder import BATCH  # noqa: E402

ASKERS = (1, 8, 32)
TEXTS = [text for pair in paraphrases() for text in pair]


async def measured(askers: int, batch: int, seconds: float) -> dict[str, float]:
    """Latency (ms, p50 and p99) and texts a second of `askers` at once."""
    model = MiniLM(batch=batch)
    await model("warm")
    took: list[float] = []
    start = time.perf_counter()

    async def asker(number: int) -> None:
        turn = 0
        while (at := time.perf_counter()) - start < seconds:
            await model(f"{TEXTS[(turn * askers + number) % len(TEXTS)]} {number} {turn}")
            took.append(time.perf_counter() - at)
            turn += 1

    await asyncio.gather(*map(asker, range(askers)))
    rate = len(took) / (time.perf_counter() - start)
    model.close()
    cuts = statistics.quantiles(took, n=100)
    return {"p50 ms": round(cuts[49] * 1e3, 2), "p99 ms": round(cuts[98] * 1e3, 2), "texts/s": round(rate)}


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, nargs="*", default=[1, BATCH])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures = []
    print(f"{'askers':>6} {'batch':>5} {'p50 ms':>8} {'p99 ms':>8} {'texts/s':>8}")
    for askers in ASKERS:
        rounds: dict[int, list[dict[str, float]]] = {batch: [] for batch in options.batches}
        for _ in range(options.rounds):
            for batch, measurements in rounds.items():
                measurements.append(await measured(askers, batch, options.seconds))
        for batch, each in rounds.items():
            found = {name: statistics.median(one[name] for one in each) for name in each[0]}
            figures.append({"askers": askers, "batch": batch, **found})
            print(f"{askers:>6} {batch:>5} {found['p50 ms']:>8} {found['p99 ms']:>8} {found['texts/s']:>8}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    uvloop.run(main())
