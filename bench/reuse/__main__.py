"""The table of docs/cache.md: every way of reuse on every stream, several orders pooled.

python -m bench.reuse --datasets FOLDER [--orders 10] [--limit N] [--keep FOLDER] [--json bench/results/reuse.json]

With --keep each order's counts are written as they come; the same command then goes on where it was cut off.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from bench.machine import describe
from bench.reuse.asks import Stream, load
from bench.reuse.figures import Figures, Kept, pooled
from bench.reuse.interval import wilson
from bench.reuse.replay import Served, Way, cosine, sluice
from bench.reuse.vcache import vcache
from bench.reuse.written import apart, written

ALPHA = {"banking77": 0.015, "clinc150": 0.015, "nlu_home": 0.025, "code": 0.01, "conversation": 0.01}
"""The bound that each stream's policy names, wrong answers per reused one."""

RUNS = (
    ("banking77 as classification", "banking77", "label"),
    ("banking77 as FAQ, answers worded differently", "banking77", "paraphrase"),
    ("clinc150 as classification", "clinc150", "label"),
    ("nlu_home, strict", "nlu_home", "paraphrase"),
    ("code generation", "code", "paraphrase"),
    ("multi-turn conversation", "conversation", "paraphrase"),
)

WRITTEN = ("code", "conversation")
"""Streams of our own, in which asks come again word for word."""


def ways(name: str, how: str) -> dict[str, Way]:
    """Ours and what it is compared with."""
    alpha = ALPHA[name]
    ours = sluice(how, alpha, varied=how == "paraphrase")
    noisy = sluice(how, alpha, varied=how == "paraphrase", flips=0.01)
    found = {
        f"Sluice, at most {alpha:.1%}": ours,
        "the same, 1 % of comparisons flipped": noisy,
        "cosine 0.92": cosine(0.92),
        "cosine 0.94": cosine(0.94),
        "cosine 0.96": cosine(0.96),
        f"vCache's rule, {alpha:.1%}": vcache(alpha),
    }
    return {title: apart(way) for title, way in found.items()} if name in WRITTEN else found


def main() -> None:
    """Runs, prints, writes."""
    cli = argparse.ArgumentParser(prog="bench.reuse", description=__doc__)
    cli.add_argument("--datasets", type=Path, required=True)
    cli.add_argument("--orders", type=int, default=10)
    cli.add_argument("--baseline-orders", type=int, default=3, help="orders of what we compare with")
    cli.add_argument("--limit", type=int, help="texts of each stream; default: all")
    cli.add_argument("--only", help="part of a stream's title")
    cli.add_argument("--keep", type=Path, help="folder for the counts of each order")
    cli.add_argument("--json", type=Path)
    options = cli.parse_args()
    found: dict[str, Any] = {"machine": describe(), "orders": options.orders, "limit": options.limit, "streams": []}
    streams: dict[str, Stream] = {}
    kept = Kept(options.keep)
    for title, name, how in RUNS:
        if options.only and options.only not in title:
            continue
        if name not in streams:
            streams[name] = written(name) if name in WRITTEN else load(name, options.datasets)
        stream = streams[name]
        rows = []
        for way, run in ways(name, how).items():
            began = time.perf_counter()
            orders = options.orders if way.startswith("Sluice") else min(options.orders, options.baseline_orders)
            if not orders:
                continue
            counts = [
                kept.order((title, way, seed, options.limit), partial(_run, run, stream, seed, options.limit))
                for seed in range(orders)
            ]
            rows.append(
                {"way": way, "orders": orders, "all": asdict(pooled([one.whole for one in counts])),
                 "last_fifth": asdict(pooled([one.last_fifth for one in counts]))}
            )  # fmt: skip
            print(f"{title}: {way}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
        found["streams"].append({"title": title, "rows": rows})
        print(table(found["streams"][-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


def _run(way: Way, stream: Stream, seed: int, limit: int | None) -> list[Served]:
    return way(stream.shuffled(seed, limit), seed)


def table(stream: dict[str, Any]) -> str:
    """One stream as Markdown."""
    lines = [
        f"### {stream['title']}", "",
        "| way | hits, whole stream | wrong per hit (95 %) | hits, last fifth | wrong per hit (95 %) | asked again |",
        "|---" * 6 + "|",
    ]  # fmt: skip
    for row in stream["rows"]:
        whole, last = Figures(**row["all"]), Figures(**row["last_fifth"])
        lines.append(
            f"| {row['way']} | {whole.hits / whole.asked:.1%} | {_rate(whole.wrong, whole.hits)} "
            f"| {last.hits / last.asked:.1%} | {_rate(last.wrong, last.hits)} | {whole.shadows / whole.asked:.1%} |"
        )
    ours = Figures(**stream["rows"][0]["last_fifth"]) if stream["rows"] else None
    if ours and ours.special_asked:
        what = "out of scope" if "clinc" in stream["title"] else "with an entity"
        lines += ["", f"Asks {what}, last fifth: {ours.special_hits} of {ours.special_asked:,} served "
                      f"({ours.special_hits / ours.special_asked:.2%}), {ours.special_wrong} wrong."]  # fmt: skip
    if ours and ours.noise:
        lines += ["", f"Audited, last fifth: {_rate(ours.wrong - ours.noise, ours.hits)} wrong; labels of the other "
                      f"{ours.noise} are noise (bench/reuse/nlu_home_audit.tsv)."]  # fmt: skip
    if ours and ours.repeats:
        both = [Figures(**stream["rows"][0][part]) for part in ("all", "last_fifth")]
        shares = ", ".join(f"{one.repeats / one.asked:.1%}" for one in both)
        others = ", ".join(f"{(one.hits - one.repeats) / one.asked:.1%}" for one in both)
        lines += ["", f"Word for word repeats are among the hits of every way: {shares} of the whole stream and of its "
                      f"last fifth; without them Sluice's are {others}."]  # fmt: skip
    return "\n".join(lines) + "\n"


def _rate(wrong: int, hits: int) -> str:
    if not hits:
        return "-"
    low, high = wilson(wrong, hits)
    return f"{wrong / hits:.2%} ({low:.2%}-{high:.2%}; {wrong}/{hits:,})"


if __name__ == "__main__":
    main()
