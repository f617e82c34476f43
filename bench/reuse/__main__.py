"""The table of docs/cache.md: every way of reuse on every stream, several orders pooled.

python -m bench.reuse --datasets FOLDER [--orders 10] [--limit N] [--json bench/results/reuse.json]
"""

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.machine import describe
from bench.reuse.asks import Stream, load
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


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of one part of the orders, pooled."""

    asked: int
    hits: int
    wrong: int
    shadows: int
    special_asked: int
    """Asks out of scope (clinc150), asks with an entity (nlu_home)."""
    special_hits: int
    special_wrong: int
    repeats: int
    """Asks that came before word for word: in `asked` and `hits`."""


def figures(runs: list[list[Served]], *, last_fifth: bool) -> Figures:
    """Pools orders."""
    rows = [one for run in runs for one in (run[-(len(run) // 5) :] if last_fifth else run)]
    special = [one for one in rows if one.key.startswith(("oos-", "e-"))]
    return Figures(
        len(rows), sum(o.hit for o in rows), sum(o.wrong for o in rows), sum(o.shadow for o in rows),
        len(special), sum(o.hit for o in special), sum(o.wrong for o in special), sum(o.repeat for o in rows),
    )  # fmt: skip


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
    cli.add_argument("--json", type=Path)
    options = cli.parse_args()
    found: dict[str, Any] = {"machine": describe(), "orders": options.orders, "limit": options.limit, "streams": []}
    streams: dict[str, Stream] = {}
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
            runs = [run(stream.shuffled(seed, options.limit), seed) for seed in range(orders)]
            rows.append(
                {"way": way, "orders": orders, "all": asdict(figures(runs, last_fifth=False)),
                 "last_fifth": asdict(figures(runs, last_fifth=True))}
            )  # fmt: skip
            print(f"{title}: {way}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
        found["streams"].append({"title": title, "rows": rows})
        print(table(found["streams"][-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


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
