"""Streams to learn from: near misses and rewordings of asks that the suite has not, in halves by family of change."""

import csv
import random
from collections.abc import Iterator
from pathlib import Path

from bench.near_misses.edits import EDITS
from bench.near_misses.groups import SWAPS
from bench.near_misses.pair import SAME, Change, Pair
from bench.near_misses.play import stream, suite
from bench.near_misses.rewrites import REWRITES
from bench.reuse.asks import READERS, Stream, embedded

EACH_KIND, EACH_REWRITE = 220, 90
"""Pairs of a kind of near miss, and of a rule that words anew."""
TRIED = 4000
"""Asks that a change is tried on."""


def edited(datasets: Path, half: int) -> Stream:
    """The kinds of near misses and the rewritings at even (`half` 0) or odd (1) places, over clinc150 and banking77's
    test part, of which the suite has nothing. What one half teaches is checked on the other."""
    keys: dict[str, str] = {}
    for text, key in _asks(datasets):
        keys.setdefault(text, key)
    asks = sorted(keys)
    chance = random.Random(7 + half)
    pairs = []
    for kind in sorted({*SWAPS, *EDITS})[half::2]:
        changes = (*SWAPS.get(kind, ()), *EDITS.get(kind, ()))
        for name, change in changes:
            pairs += _changed(kind, name, change, asks, chance, max(EACH_KIND // len(changes), 2))
    for name, change in REWRITES[half::2]:
        pairs += _changed(SAME, name, change, asks, chance, EACH_REWRITE)
    return stream(suite(pairs, keys, embedded), half)[0]


def _asks(datasets: Path) -> Iterator[tuple[str, str]]:
    yield from READERS["clinc150"](datasets / "clinc150")
    with (datasets / "banking77" / "test.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            yield row["text"].strip(), row["category"]


def _changed(kind: str, name: str, change: Change, asks: list[str], chance: random.Random, most: int) -> list[Pair]:
    made: list[Pair] = []
    for text in chance.sample(asks, min(len(asks), TRIED)):
        new = change(text, chance.random())
        if new is not None and new.casefold() != text.casefold():
            made.append(Pair(kind, name, text, new))
            if len(made) == most:
                break
    return made
