"""Template reuse on generated documents: `python -m bench.documents [--layouts 60] [--each 72] [--samples FOLDER]`.

Streams from empty: invoices, bills of lading and air waybills in interleaved layouts, a third of which drift half-way;
receipts with OCR noise. A document is served or goes to the "model", whose answer is stored. Prints the share served
after three documents of a layout and the share of served documents with any wrong field, with 95 % Wilson intervals.
"""

import argparse
import json
import math
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from bench import machine
from bench.documents.maker import document, drifted, layout
from bench.documents.receipts import shop
from bench.documents.stream import Replay, Tally
from sluice_sidecar.cache.reuse.template import SIBLINGS, Pair, Refusal, induce, signature

RESULTS = Path(__file__).parent.parent / "results" / "documents.json"


def main() -> None:
    """Prints the figures and writes them as JSON."""
    cli = argparse.ArgumentParser(prog="bench.documents", description=__doc__)
    cli.add_argument("--layouts", type=int, default=60)
    cli.add_argument("--each", type=int, default=72, help="documents of a layout")
    cli.add_argument("--shops", type=int, default=20)
    cli.add_argument("--receipts", type=int, default=60, help="receipts of a shop")
    cli.add_argument("--noise", type=float, default=0.01, help="share of characters misread on receipts")
    cli.add_argument("--seed", type=int, default=0)
    cli.add_argument("--samples", type=Path, help="folder of the invoice2data samples (invoices.jsonl)")
    cli.add_argument("--json", type=Path, default=RESULTS)
    options = cli.parse_args()
    digital, scanned = Replay(), Replay()
    digital.run(documents(options.layouts, options.each, options.seed))
    scanned.run(receipts(options.shops, options.receipts, options.noise, options.seed))
    result: dict[str, Any] = {
        "machine": machine.describe(packages=("numpy",), tools={}),
        "options": {key: value for key, value in vars(options).items() if isinstance(value, int | float)},
        "digital": figures(digital),
        "receipts": figures(scanned),
        "signature": separation(options.layouts, options.seed),
    }
    if options.samples:
        result["samples"] = samples(options.samples / "invoices.jsonl")
    print(json.dumps(result, indent=1, ensure_ascii=False))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")


def documents(layouts: int, each: int, seed: int) -> Iterator[tuple[str, str, str, Any]]:
    """Interleaved at random; every third layout drifts when half of its documents have come."""
    rng = Random(seed)
    made = [layout(seed * 100_000 + number) for number in range(layouts)]
    order = [number for number in range(layouts) for _ in range(each)]
    rng.shuffle(order)
    count = [0] * layouts
    for number in order:
        if count[number] == each // 2 and number % 3 == 0:
            made[number] = drifted(made[number], seed * 100_000 + 50_000 + number)
        count[number] += 1
        text, answer = document(made[number], rng)
        yield made[number].kind, made[number].name, text, answer


def receipts(shops: int, each: int, noise: float, seed: int) -> Iterator[tuple[str, str, str, Any]]:
    """Receipts of all shops, interleaved."""
    rng = Random(seed)
    made = [shop(seed * 1000 + number) for number in range(shops)]
    order = [number for number in range(shops) for _ in range(each)]
    rng.shuffle(order)
    for number in order:
        text, answer = made[number].document(rng, noise)
        yield "receipt", made[number].name, text, answer


def figures(replay: Replay) -> dict[str, Any]:
    """The tallies of each kind and of all, and the times."""
    everything = Tally()
    for tally in replay.tallies.values():
        for name in ("seen", "due", "served", "wrong"):
            setattr(everything, name, getattr(everything, name) + getattr(tally, name))
        everything.refused.update(tally.refused)
        everything.wrong_fields += tally.wrong_fields
    rows = {**replay.tallies, "all": everything}
    times = {
        name: {"p50_ms": _percentile(values, 50), "p95_ms": _percentile(values, 95), "calls": len(values)}
        for name, values in vars(replay.times).items()
    }
    return {"kinds": {name: _row(tally) for name, tally in rows.items()}, "times": times}


def _row(tally: Tally) -> dict[str, Any]:
    return {
        "documents": tally.seen,
        "after_three": tally.due,
        "served": tally.served,
        "served_share": _share(tally.served, tally.due),
        "wrong": tally.wrong,
        "wrong_share": _share(tally.wrong, tally.served),
        "refused": dict(tally.refused.most_common()),
        "wrong_fields": tally.wrong_fields[:40],
    }


def _share(part: int, whole: int) -> dict[str, float]:
    low, high = wilson(part, whole)
    return {"share": round(part / max(whole, 1), 5), "low": round(low, 5), "high": round(high, 5)}


def wilson(part: int, whole: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    if whole == 0:
        return 0.0, 1.0
    share = part / whole
    centre = share + z * z / (2 * whole)
    spread = z * math.sqrt(share * (1 - share) / whole + z * z / (4 * whole * whole))
    scale = 1 + z * z / whole
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def _percentile(values: list[float], percent: int) -> float:
    return round(1000 * float(np.percentile(values, percent)), 2) if values else 0.0


def separation(layouts: int, seed: int) -> dict[str, float]:
    """Cosines of a document to the nearest of three of its own layout, and of another."""
    rng = Random(seed)
    made = [layout(seed * 100_000 + number) for number in range(layouts)]
    vectors = np.array([[signature(document(one, rng)[0]) for _ in range(6)] for one in made])
    within = [max(float(v[i] @ v[j]) for j in range(3)) for v in vectors for i in range(3, 6)]
    between = [
        max(float(vectors[a, i] @ vectors[b, 3]) for i in range(3))
        for a in range(layouts)
        for b in range(layouts)
        if a != b
    ]
    return {
        "within_p1": round(float(np.percentile(within, 1)), 3),
        "within_p50": round(float(np.percentile(within, 50)), 3),
        "between_p50": round(float(np.percentile(between, 50)), 3),
        "between_p99": round(float(np.percentile(between, 99)), 3),
        "between_max": round(max(between), 3),
        "threshold": SIBLINGS,
        "within_below_threshold": round(float(np.mean(np.array(within) < SIBLINGS)), 4),
        "between_above_threshold": round(float(np.mean(np.array(between) >= SIBLINGS)), 4),
    }


def samples(path: Path) -> list[dict[str, Any]]:
    """Each real invoice three times over with other figures: smoke test that real text is read or refused."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    wanted = ("invoice_number", "date", "date_due", "amount", "amount_untaxed", "amount_tax")
    found = []
    for row in rows:
        answer = {key: value for key, value in row["expected"][0].items() if key in wanted}
        number = str(answer.get("invoice_number", ""))
        texts = [row["text"]] + [row["text"].replace(number, _other(number, place)) for place in (1, 2, 3)]
        pairs = [
            Pair(text, {**answer, "invoice_number": _other(number, place) if place else number})
            for place, text in enumerate(texts)
        ]
        wrapper = induce(pairs[:3])
        said = wrapper.apply(texts[3]) if wrapper else Refusal("nothing learned", "")
        if isinstance(said, Refusal):
            found.append({"id": row["id"], "fields": len(answer), "refused": said.kind})
        else:
            found.append({"id": row["id"], "fields": len(answer), "exact": said.answer == pairs[3].answer})
    return found


def _other(number: str, place: int) -> str:
    return "".join(str((int(char) + place) % 10) if char.isdigit() else char for char in number)


if __name__ == "__main__":
    main()
