"""What an audit takes out of prompts of which it is known what every section is worth.

python -m bench.prompts [--runs 200] [--samples 400] [--noise 0] [--json FILE] [--docs FILE]

The answers are an oracle's: this measures the statistics, not a model. Every run draws other requests.
"""

import argparse
import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench.machine import describe
from bench.prompts.play import Played, play, pooled
from bench.prompts.suite import PROMPTS
from bench.reuse.interval import wilson


def main() -> None:
    """Plays, prints, and writes what was asked for."""
    cli = argparse.ArgumentParser(prog="bench.prompts", description=__doc__)
    cli.add_argument("--runs", type=int, default=200, help="audits, each with other requests, the prompts in turn")
    cli.add_argument("--samples", type=int, default=400)
    cli.add_argument("--noise", type=float, default=0.0, help="share of the oracle's answers that are flipped")
    cli.add_argument("--json", type=Path)
    options = cli.parse_args()
    played = asyncio.run(_played(options.runs, options.samples, options.noise))
    print(table(played))
    if options.json is not None:
        told = {"machine": describe(), "samples": options.samples, "noise": options.noise}
        options.json.write_text(json.dumps({**told, "runs": [asdict(one) for one in played]}, indent=1) + "\n")


async def _played(runs: int, samples: int, noise: float) -> list[Played]:
    return [await play(PROMPTS[n % len(PROMPTS)], samples, n, noise) for n in range(runs)]


def table(played: Sequence[Played]) -> str:
    """A line a prompt and one for all: Markdown."""
    lines = [
        "| prompt | audits | tokens out | could go | requests that lose | a needed section dropped "
        "| both of a pair dropped | calls, of plain |",
        "|---|---|---|---|---|---|---|---|",
    ]
    names = list(dict.fromkeys(one.prompt for one in played))
    for name in [*names, "all"]:
        rows = [one for one in played if name in (one.prompt, "all")]
        sums = pooled(rows)
        hits = round(sums["needed dropped"] * len(rows))
        low, high = wilson(hits, len(rows))
        lines.append(
            f"| {name} | {len(rows)} | {sums['reduction']:.1%} | {sums['possible']:.1%} | {sums['loss']:.2%} "
            f"| {hits} ({low:.1%}-{high:.1%}) | {sums['twins dropped']:.1%} | {sums['calls']:.1%} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
