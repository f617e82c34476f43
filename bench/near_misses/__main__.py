"""Near misses that are hit, by kind, and paraphrases that are: Sluice's paraphrase strategy beside plain cosine.

python -m bench.near_misses --datasets FOLDER [--paraphrases FILE] [--orders 3] [--bound 0.01] [--write FILE]
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from bench.near_misses.pair import SAME, Pair
from bench.near_misses.play import Still, Suite, Tried, by_cosine, by_score, played, suite
from bench.near_misses.prompts import prompts
from bench.near_misses.suite import near_misses, paraphrases
from bench.reuse.asks import embedded
from bench.reuse.interval import wilson
from bench.reuse.replay import sluice

GIVEN = Path(__file__).parents[2] / "tests" / "doubles" / "paraphrases.tsv"


def main() -> None:
    """Builds, plays, prints."""
    cli = argparse.ArgumentParser(prog="bench.near_misses", description=__doc__)
    cli.add_argument("--datasets", type=Path, required=True)
    cli.add_argument("--paraphrases", type=Path, default=GIVEN, help="two asks a line that want the same, tab between")
    cli.add_argument("--orders", type=int, default=3)
    cli.add_argument("--bound", type=float, default=0.01, help="wrong answers per reused one")
    cli.add_argument("--write", type=Path, help="a file for the pairs, JSON a line; nothing is played")
    options = cli.parse_args()
    pairs = [*near_misses(options.datasets), *paraphrases(options.datasets, options.paraphrases)]
    if options.write is not None:
        options.write.write_text("".join(json.dumps(asdict(pair)) + "\n" for pair in pairs))
        return
    made = suite(pairs, known(options.datasets, pairs), embedded)
    print(f"{len(made.pairs):,} pairs, {sum(kind == SAME for kind, _, _ in made.pairs):,} of them paraphrases\n")
    print(table(columns(made, options.bound, options.orders)))


def known(datasets: Path, pairs: Sequence[Pair]) -> dict[str, str]:
    """The keys of the asks that have one in a data set."""
    found = {text: key for texts in prompts(datasets).values() for text, key in texts.items() if key}
    asked = {text for pair in pairs for text in (pair.one, pair.other)}
    return {text: key for text, key in found.items() if text in asked}


def columns(made: Suite, bound: float, orders: int) -> dict[str, list[Tried]]:
    """Title -> what was tried, orders pooled."""
    found: dict[str, list[Tried]] = {}
    runs = [played(made, sluice("paraphrase", bound, varied=True), seed) for seed in range(orders)]
    found[f"stream, at most {bound:.1%} wrong"] = [one for run in runs for one in run]
    found["its last half"] = [one for run in runs for one in run[len(run) // 2 :]]
    still: list[Tried] = []
    for seed in range(orders):
        cache = Still(made, bound, seed)
        cache.learn()
        still += cache.tried()
    found["each pair alone"] = still
    for recall in (0.5, 0.6):
        runs = [by_score(made, recall, seed)[1] for seed in range(orders)]
        found[f"score for {recall:.0%}, no bound"] = [one for run in runs for one in run]
    for recall in (0.5, 0.7):
        least, tried = by_cosine(made, recall)
        found[f"cosine {least:.3f}"] = tried
    return found


def table(found: dict[str, list[Tried]]) -> str:
    """Markdown: a kind a line, a way a column."""
    kinds = sorted({one.kind for tried in found.values() for one in tried} - {SAME})
    lines = ["| hit | " + " | ".join(found) + " |", "|---" * (len(found) + 1) + "|"]
    rows: list[tuple[str, Callable[[Tried], bool]]] = [
        ("paraphrases", lambda one: one.kind == SAME),
        ("near misses", lambda one: one.kind != SAME),
        *((kind, lambda one, kind=kind: one.kind == kind) for kind in kinds),
    ]
    for title, chosen in rows:
        cells = []
        for tried in found.values():
            some = [one for one in tried if chosen(one)]
            hits = sum(one.hit and (one.wrong if title != "paraphrases" else not one.wrong) for one in some)
            low, high = wilson(hits, len(some))
            cells.append(f"{hits / max(len(some), 1):.1%} ({low:.1%}-{high:.1%}; {hits}/{len(some):,})")
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
