"""How often the comparison of two answers errs: `python -m bench.same_answer [--part PART] [--show] [--times]`.

Each row of the file makes four pairs: an answer and its rewording are the same; either of them and the answer that
looks alike are different; so are the answers of two rows five apart.
"""

import argparse
import asyncio
import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Literal

from sluice_sidecar.cache.answers.gist import gist
from sluice_sidecar.cache.answers.same import same
from sluice_sidecar.cache.embed import EmbeddingError, MiniLM, checked

PAIRS = Path(__file__).parent.parent / "tests" / "doubles" / "answers.tsv"
KINDS = ("label", "number", "json", "code", "prose")
Z = 1.959964
"""Quantile of the normal distribution for 95 %."""

APART = 5
"""Rows between two whose answers are compared as those of other questions."""

Sort = Literal["reworded", "looks alike", "another topic"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers, and whether a person says that they say the same."""

    kind: str
    part: str
    sort: Sort
    a: str
    b: str

    @property
    def same(self) -> bool:
        """Only a rewording says the same."""
        return self.sort == "reworded"


@dataclass(frozen=True, slots=True)
class Told:
    """A pair and what the comparison said of it."""

    pair: Pair
    verdict: bool | None


def read(path: Path = PAIRS) -> list[Pair]:
    """The labelled pairs of a file. Raises ValueError for a line of another form, with its number."""
    rows: list[tuple[str, str, str, str, str]] = []
    for at, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if line.startswith("#"):
            continue
        fields = line.split("\t")
        fields = [field.replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\") for field in fields]
        if len(fields) != 5:
            raise ValueError(f"{path}:{at}: {len(fields)} fields; write kind, part, answer, same, different")
        rows.append((fields[0], fields[1], fields[2], fields[3], fields[4]))
    pairs: list[Pair] = []
    for kind, part, answer, reworded, other in rows:
        pairs.append(Pair(kind, part, "reworded", answer, reworded))
        pairs.append(Pair(kind, part, "looks alike", answer, other))
        pairs.append(Pair(kind, part, "looks alike", reworded, other))
    for row, next_ in zip(rows, rows[APART:], strict=False):
        if row[:2] == next_[:2]:
            pairs.append(Pair(row[0], row[1], "another topic", row[2], next_[2]))
    return pairs


async def judge(pairs: Sequence[Pair]) -> list[Told]:
    """Compares every pair, with MiniLM where an embedding is asked for. Raises EmbeddingError where it is missing."""
    model = MiniLM()
    await model.load()
    told: list[Told] = []
    for pair in pairs:
        a, b = gist(pair.a), gist(pair.b)
        verdict = same(a, b)
        if verdict is None:
            near = await _cosine(model, a.text, b.text)
            verdict = None if near is None else same(a, b, lambda near=near: near)  # type: ignore[misc]
        told.append(Told(pair, verdict))
    model.close()
    return told


async def _cosine(model: MiniLM, one: str, other: str) -> float | None:
    try:
        return float(checked(await model(one)) @ checked(await model(other)))
    except EmbeddingError:
        return None


def solutions(path: Path) -> list[Told]:
    """GSM8K's published model solutions, of which people's final figures say whether they are right, as pairs."""
    told: list[Told] = []
    for row in map(json.loads, path.read_text("utf-8").splitlines()):
        for tried in (tried for tried in row.values() if isinstance(tried, dict)):
            sort: Sort = "reworded" if tried["is_correct"] else "looks alike"
            pair = Pair("number", path.stem, sort, row["ground_truth"], tried["solution"])
            told.append(Told(pair, same(gist(pair.a), gist(pair.b))))
    return told


def wilson(wrong: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a rate (E. B. Wilson, JASA 1927)."""
    if of == 0:
        return 0.0, 1.0
    rate, weight = wrong / of, Z * Z / of
    middle, half = rate + weight / 2, Z * sqrt((rate * (1 - rate) + weight / 4) / of)
    return max(0.0, (middle - half) / (1 + weight)), min(1.0, (middle + half) / (1 + weight))


def table(told: Sequence[Told]) -> list[str]:
    """By kind: what was decided, and of that what was wrong either way."""
    kinds: dict[str, list[Told]] = defaultdict(list)
    for one in told:
        kinds[one.pair.kind].append(one)
    lines = [
        "| kind | pairs | decided | of the same | of the different | wrongly the same | wrongly different |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind, rows in [*((kind, kinds[kind]) for kind in KINDS if kind in kinds), ("all", list(told))]:
        alike = [one for one in rows if one.pair.same]
        apart = [one for one in rows if not one.pair.same]
        lines.append(
            f"| {kind} | {len(rows)} | {_share(rows)} | {_share(alike)} | {_share(apart)} "
            f"| {_wrong(apart)} | {_wrong(alike)} |"
        )
    return lines


def _share(rows: Sequence[Told]) -> str:
    return f"{sum(one.verdict is not None for one in rows) / max(1, len(rows)):.0%}"


def _wrong(rows: Sequence[Told]) -> str:
    decided = [one for one in rows if one.verdict is not None]
    wrong = sum(one.verdict != one.pair.same for one in decided)
    low, high = wilson(wrong, len(decided))
    return f"{wrong} of {len(decided)} ({low:.1%}-{high:.1%})"


TIMED = {
    "label, 24 characters": "The answer is [label_{}].",
    "prose, 2 KB": "The museum was founded by citizens who wanted to keep the heritage of the town. " * 25 + "{}",
    "JSON, 1 KB": '{{"items": ['
    + ", ".join('{{"sku": "A-7", "qty": 2, "price": "3.50"}}' for _ in range(24))
    + ", {}]}}",
    "code, 1 KB": "```python\n" + "def f(a, b):\n    return a + b * 2\n" * 30 + "x = {}\n```",
}


def times(rounds: int = 200) -> list[str]:
    """Median time to read an answer, in microseconds; each text is a new one."""
    lines = ["| an answer | read in |", "|---|---|"]
    for name, form in TIMED.items():
        taken = []
        for at in range(rounds):
            text = form.format(at)
            start = perf_counter()
            gist(text)
            taken.append(perf_counter() - start)
        lines.append(f"| {name} | {median(taken) * 1e6:,.0f} us |")
    return lines


def main() -> None:
    """Prints the tables of docs/answers.md."""
    cli = argparse.ArgumentParser(prog="bench.same_answer", description=__doc__)
    cli.add_argument("--pairs", type=Path, default=PAIRS)
    cli.add_argument("--part", help="only this part of the file: tune, held")
    cli.add_argument("--solutions", type=Path, help="example_model_solutions.jsonl of GSM8K, besides")
    cli.add_argument("--times", action="store_true", help="how long it takes to read an answer, and nothing else")
    cli.add_argument("--show", action="store_true", help="each wrong or undecided pair")
    options = cli.parse_args()
    if options.times:
        print("\n".join(times()))
        return
    try:
        told = asyncio.run(judge([pair for pair in read(options.pairs) if options.part in (None, pair.part)]))
        told += solutions(options.solutions) if options.solutions else []
    except (OSError, ValueError, KeyError, EmbeddingError) as error:
        sys.exit(f"bench.same_answer: {error}")
    for part in sorted({one.pair.part for one in told}):
        print(f"\n{part}:\n")
        print("\n".join(table([one for one in told if one.pair.part == part])))
    if options.show:
        for one in told:
            if one.verdict != one.pair.same:
                said = "undecided" if one.verdict is None else "WRONG"
                print(f"{said}\t{one.pair.kind}\t{one.pair.sort}\n  {one.pair.a!r}\n  {one.pair.b!r}")


if __name__ == "__main__":
    main()
