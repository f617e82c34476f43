"""How well the shipped task classifier tells tasks apart, on public instructions that it was not made from.

    python bench/task_classifier.py DATASETS [--limit 400] [--json FILE]

DATASETS holds dolly_instructions/dolly_instructions.jsonl, arena_hard/question_v2.0.jsonl,
humaneval/humaneval_prompts.jsonl and gsm8k/gsm8k_test.jsonl. Rows are split in halves by the SHA-256 of their id: the
ridge and the advice on the margin were chosen on one half, the figures are of the other. Rates carry 95 % Wilson
intervals (E. B. Wilson, JASA 22, 1927).
"""

import argparse
import asyncio
import hashlib
import json
import math
import platform
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sluice_sidecar.cache.embed import MiniLM
from sluice_sidecar.route.classify import Classifier, Verdict

MARGINS = (0.0, 0.02, 0.05, 0.1, 0.15)
CODE_EXAMPLES = (
    "Write a function in Rust that parses a date.",
    "Fix the bug in this Go handler: it leaks a goroutine.",
    "Complete the following Python function according to its docstring.",
    "Add unit tests for the class below.",
    "Why does my CSS grid overflow its container?",
    "Convert this shell script to PowerShell.",
    "How do I join two tables in SQLAlchemy?",
    "Explain what this regular expression matches.",
    "Set up a Dockerfile for a Node service.",
    'def merge(a: list[int], b: list[int]) -> list[int]:\n    """Merge two sorted lists."""',
)
"""What a user might give for a class of their own."""


@dataclass(frozen=True, slots=True)
class Row:
    """One instruction; `wanted` None: none of the classes is right, it should be left to the default backend."""

    source: str
    wanted: str | None
    text: str


def rows(folder: Path) -> Iterator[tuple[str, Row]]:
    """Every row with its id. Dolly's passages are not in the data, only the instructions."""
    dolly = {
        "information_extraction": "Extraction",
        "classification": "Classification",
        "creative_writing": "Generation",
        "brainstorming": "Generation",
    }
    for row in lines(folder / "dolly_instructions/dolly_instructions.jsonl"):
        yield str(row["id"]), Row(f"dolly {row['category']}", dolly.get(row["category"]), row["instruction"])
    arena = {"math": "Reasoning", "coding": "Reasoning", "creative_writing": "Generation"}
    for row in lines(folder / "arena_hard/question_v2.0.jsonl"):
        yield row["uid"], Row(f"arena {row['subcategory']}", arena[row["subcategory"]], row["prompt"])
    for row in lines(folder / "humaneval/humaneval_prompts.jsonl"):
        yield row["task_id"], Row("humaneval", "Reasoning", row["prompt"])
    for row in lines(folder / "gsm8k/gsm8k_test.jsonl"):
        yield row["question"], Row("gsm8k", "Reasoning", row["question"])


def lines(file: Path) -> Iterator[dict[str, Any]]:
    if not file.is_file():
        sys.exit(f"{file} is missing: give the folder that holds the data sets, see bench/task_classifier.py")
    with file.open(encoding="utf-8") as stream:
        yield from map(json.loads, stream)


def held_out(folder: Path, limit: int) -> list[Row]:
    """The half that nothing was chosen on, at most `limit` rows a source, in the order of their ids' hashes."""
    sources: dict[str, list[tuple[str, Row]]] = defaultdict(list)
    for key, row in rows(folder):
        digest = hashlib.sha256(key.encode()).hexdigest()
        if int(digest, 16) % 2 == 0:
            sources[row.source].append((digest, row))
    return [row for found in sources.values() for _, row in sorted(found, key=lambda item: item[0])[:limit]]


def wilson(hits: int, total: int) -> tuple[float, float, float]:
    """Rate with its 95 % interval."""
    if not total:
        return math.nan, 0.0, 1.0
    z, rate = 1.959964, hits / total
    middle = (rate + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(rate * (1 - rate) / total + z * z / (4 * total * total))
    return rate, middle - half, middle + half


def shown(hits: int, total: int) -> str:
    rate, low, high = wilson(hits, total)
    return f"{rate:.3f} ({low:.3f} to {high:.3f}, n = {total})"


def macro_f1(pairs: Iterable[tuple[str, str]]) -> float:
    """Of (wanted, given)."""
    pairs = list(pairs)
    names = sorted({wanted for wanted, _ in pairs})
    scores = []
    for name in names:
        hits = sum(w == g == name for w, g in pairs)
        scores.append(2 * hits / max(1, sum(w == name for w, _ in pairs) + sum(g == name for _, g in pairs)))
    return sum(scores) / len(scores)


async def judged(classifier: Classifier, asks: list[Row]) -> list[tuple[Row, Verdict]]:
    return [(row, await classifier.classify(row.text)) for row in asks]


def table(results: list[tuple[Row, Verdict]]) -> dict[str, Any]:
    """Prints what was found and returns it."""
    known = [(row, verdict) for row, verdict in results if row.wanted is not None]
    other = [verdict for row, verdict in results if row.wanted is None]
    report: dict[str, Any] = {"sources": {}, "margins": {}}
    print("| source | wanted | right |\n|---|---|---|")
    for source in dict.fromkeys(row.source for row, _ in known):
        mine = [(row, verdict) for row, verdict in known if row.source == source]
        hits = sum(row.wanted == verdict.name for row, verdict in mine)
        report["sources"][source] = {"wanted": mine[0][0].wanted, "right": wilson(hits, len(mine)), "n": len(mine)}
        print(f"| {source} | {mine[0][0].wanted} | {shown(hits, len(mine))} |")
    hits = sum(row.wanted == verdict.name for row, verdict in known)
    report["accuracy"], report["n"] = wilson(hits, len(known)), len(known)
    report["macro_f1"] = macro_f1((row.wanted or "", verdict.name) for row, verdict in known)
    print(f"\naccuracy {shown(hits, len(known))}, macro-F1 {report['macro_f1']:.3f}")
    print("\n| margin | decided | of these right | asks of no class decided all the same |\n|---|---|---|---|")
    for margin in MARGINS:
        decided = [(row, verdict) for row, verdict in known if verdict.margin >= margin]
        right = sum(row.wanted == verdict.name for row, verdict in decided)
        stray = sum(verdict.margin >= margin for verdict in other)
        report["margins"][margin] = {
            "decided": wilson(len(decided), len(known)),
            "right": wilson(right, len(decided)),
            "stray": wilson(stray, len(other)),
        }
        counts = shown(len(decided), len(known)), shown(right, len(decided)), shown(stray, len(other))
        print(f"| {margin} | {' | '.join(counts)} |")
    confusion = Counter((row.wanted or "", verdict.name) for row, verdict in known)
    names = sorted({name for pair in confusion for name in pair})
    print("\n| wanted \\ given | " + " | ".join(names) + " |\n|---" + "|---" * len(names) + "|")
    for wanted in sorted({wanted for wanted, _ in confusion}):
        print(f"| {wanted} | " + " | ".join(str(confusion[wanted, given]) for given in names) + " |")
    report["confusion"] = {f"{wanted} -> {given}": count for (wanted, given), count in confusion.items()}
    return report


def own_class(results: list[tuple[Row, Verdict]]) -> dict[str, Any]:
    """What a user's class Code, with ten examples, catches."""
    report: dict[str, Any] = {}
    print("\n| source | given the user's own class Code |\n|---|---|")
    for source in dict.fromkeys(row.source for row, _ in results):
        mine = [verdict for row, verdict in results if row.source == source]
        hits = sum(verdict.name == "Code" for verdict in mine)
        report[source] = {"code": wilson(hits, len(mine)), "n": len(mine)}
        print(f"| {source} | {shown(hits, len(mine))} |")
    return report


async def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("datasets", type=Path)
    arguments.add_argument("--limit", type=int, default=400, help="rows a source, at most")
    arguments.add_argument("--json", type=Path, help="where the figures are written")
    given = arguments.parse_args()
    asks = held_out(given.datasets, given.limit)
    embed = MiniLM()
    report: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "limit": given.limit,
    }
    report["shipped"] = table(await judged(Classifier(embed), asks))
    report["with Code"] = own_class(await judged(Classifier(embed, {"Code": CODE_EXAMPLES}), asks))
    embed.close()
    if given.json:
        given.json.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    asyncio.run(main())
