"""Template reuse judged on a second generator: `python -m bench.documents_b [--layouts 44] [--seeds 1 2 3]`.

Streams from empty, each seed by itself, pooled over seeds. What no wrapper serves goes to the "model" and is stored, as
in production: only unserved documents, one wrapper for each from itself and its nearest siblings, three tried. Prints
shares with 95 % Wilson intervals, refusals and wrong fields by class.
"""

import argparse
import json
import math
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from bench import machine
from bench.documents_b.receipt import receipts
from bench.documents_b.stream import documents
from sluice_sidecar.cache.layouts import TRIED
from sluice_sidecar.cache.reuse.template import SIBLINGS, Extraction, Pair, Wrapper, induce, signature
from sluice_sidecar.cache.reuse.template.induction import HISTORY, MINIMUM

RESULTS = Path(__file__).parent.parent / "results" / "documents_b.json"

Stream = Iterable[tuple[str, str, str, dict[str, Any]]]


class Judge:
    """Counts of what was served, rightly or wrongly, by kind of document."""

    def __init__(self) -> None:
        self.count: dict[str, Counter[str]] = defaultdict(Counter)
        self.refused: dict[str, Counter[str]] = defaultdict(Counter)
        self.wrong: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.learning: list[float] = []
        self.reading: list[float] = []

    def run(self, stream: Stream) -> None:
        """One stream, from an empty cache."""
        vectors, pairs, wrappers = np.zeros((0, 384), np.float32), list[Pair](), list[Wrapper | None]()
        seen: Counter[str] = Counter()
        for kind, layout, text, answer in stream:
            count, vector = self.count[kind], signature(text)
            due = seen[layout] >= MINIMUM
            seen[layout] += 1
            count["documents"] += 1
            count["due"] += due
            near = vectors @ vector
            siblings = [int(i) for i in np.argsort(-near, kind="stable")[: HISTORY - 1] if near[i] >= SIBLINGS]
            served, reasons = self._ask(text, [one for i in siblings[:TRIED] if (one := wrappers[i])])
            if served is not None:
                count["served"] += 1
                count["early"] += not due
                if served.answer != answer:
                    count["wrong"] += 1
                    self.wrong[kind].append({"layout": layout, "fields": differing(served.answer, answer)})
                continue
            if due:
                self.refused[kind][reasons[-1] if reasons else "nothing learned"] += 1
            pairs.append(Pair(text, answer))
            vectors = np.vstack([vectors, vector])
            wrappers.append(self._learn([pairs[i] for i in reversed(siblings)] + [pairs[-1]]))

    def _ask(self, text: str, wrappers: list[Wrapper]) -> tuple[Extraction | None, list[str]]:
        reasons: list[str] = []
        for wrapper in wrappers:
            begun = time.process_time()
            found = wrapper.apply(text)
            self.reading.append(time.process_time() - begun)
            if isinstance(found, Extraction):
                return found, reasons
            reasons.append(found.kind)
        return None, reasons

    def _learn(self, pairs: list[Pair]) -> Wrapper | None:
        if len(pairs) < MINIMUM:
            return None
        begun = time.process_time()
        wrapper = induce(pairs)
        self.learning.append(time.process_time() - begun)
        return wrapper

    def figures(self) -> dict[str, Any]:
        """By kind, and all together."""
        self.count.pop("all", None)
        rows = {kind: dict(count) for kind, count in sorted(self.count.items())}
        rows["all"] = dict(sum(self.count.values(), Counter()))
        for kind, row in rows.items():
            late = row.get("served", 0) - row.get("early", 0)
            row["served_share"] = share(late, row.get("due", 0))  # type: ignore[assignment]
            row["wrong_share"] = share(row.get("wrong", 0), row.get("served", 0))  # type: ignore[assignment]
            row["refused"] = dict(self.refused[kind].most_common())  # type: ignore[assignment]
            row["wrong_by_field"] = dict(  # type: ignore[assignment]
                Counter(name for one in self.wrong[kind] for name in one["fields"]).most_common()
            )
        return {
            "kinds": rows,
            "learning_ms": percentiles(self.learning),
            "reading_ms": percentiles(self.reading),
            "examples": {kind: found[:20] for kind, found in self.wrong.items()},
        }


def differing(found: Any, answer: Any, path: str = "") -> dict[str, list[Any]]:
    """Path to [served, true] of each leaf that differs."""
    if isinstance(found, dict) and isinstance(answer, dict):
        return {
            key: value
            for name in {**found, **answer}
            for key, value in differing(found.get(name), answer.get(name), f"{path}.{name}".strip(".")).items()
        }
    if isinstance(found, list) and isinstance(answer, list) and len(found) == len(answer):
        pairs = zip(found, answer, strict=True)
        return {key: value for one, two in pairs for key, value in differing(one, two, f"{path}[]").items()}
    return {} if found == answer else {path: [found, answer]}


def share(part: int, whole: int) -> list[float]:
    """A share and its Wilson interval at 95 %, in percent."""
    if not whole:
        return [0.0, 0.0, 100.0]
    z, p = 1.959964, part / whole
    middle, spread = p + z * z / (2 * whole), z * math.sqrt(p * (1 - p) / whole + z * z / (4 * whole * whole))
    low, high = (middle - spread) / (1 + z * z / whole), (middle + spread) / (1 + z * z / whole)
    return [round(100 * value, 3) for value in (p, max(low, 0.0), min(high, 1.0))]


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Processor time in ms."""
    return {f"p{at}": round(1000 * float(np.percentile(seconds, at)), 2) for at in (50, 95)} if seconds else {}


def main() -> None:
    """Prints the figures and writes them as JSON."""
    cli = argparse.ArgumentParser(prog="bench.documents_b", description=__doc__)
    cli.add_argument("--layouts", type=int, default=44)
    cli.add_argument("--each", type=int, default=40, help="documents of a layout")
    cli.add_argument("--shops", type=int, default=30)
    cli.add_argument("--receipts", type=int, default=40, help="receipts of a shop")
    cli.add_argument("--noise", type=float, default=0.01, help="share of characters of a receipt that are misread")
    cli.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    cli.add_argument("--json", type=Path, default=RESULTS)
    options = cli.parse_args()
    digital, scanned = Judge(), Judge()
    for seed in options.seeds:
        digital.run(documents(options.layouts, options.each, seed))
        scanned.run(receipts(options.shops, options.receipts, options.noise, seed))
    result = {
        "machine": machine.describe(packages=("numpy",), tools={}),
        "options": {key: value for key, value in vars(options).items() if key != "json"},
        "digital": digital.figures(),
        "receipts": scanned.figures(),
    }
    print(json.dumps(result, indent=1, ensure_ascii=False))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
