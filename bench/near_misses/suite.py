"""The suite: near misses by kind and paraphrases, made of a folder of data sets and of what ships."""

import csv
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

from bench.near_misses.edits import EDITS
from bench.near_misses.groups import STARTS, SWAPS
from bench.near_misses.pair import SAME, Change, Pair
from bench.near_misses.prompts import prompts
from bench.near_misses.rewrites import REWRITES
from bench.near_misses.written import written

PAIRS = 5600
"""Near misses, as evenly among kinds as they can be had."""
PARAPHRASES = 2800
SHARED_KEY = 600
"""Paraphrases that are pairs of one key in a data set, of the above."""

_ODD = re.compile(
    r"\b(\w+) \1\b|n't not\b|not not\b|\ba [aeio]\w|\ban [bcdfgjklmnpqrtvwxz]\w|\b(?:my|the|a) (?:my|the|a)\b|,,",
    re.IGNORECASE,
)
"""Signs that a change made no English."""


def near_misses(datasets: Path, seed: int = 0) -> list[Pair]:
    """Of each kind about as many, of each transformation of a kind as well."""
    found = prompts(datasets)
    asks = [text for texts in found.values() for text in texts]
    chance = random.Random(seed)
    chance.shuffle(asks)
    made: dict[str, dict[str, list[Pair]]] = defaultdict(lambda: defaultdict(list))
    for pair in written():
        made[pair.kind]["written"].append(pair)
    having: dict[str, list[str]] = defaultdict(list)
    for text in asks:
        for word in set(re.findall(r"[a-z'-]+", text.casefold())):
            having[word].append(text)
    kinds = list(dict.fromkeys([*SWAPS, *EDITS]))
    most = PAIRS // (2 * len(kinds))
    for kind in kinds:
        for name, change in (*SWAPS.get(kind, ()), *EDITS.get(kind, ())):
            some = sorted({text for word in STARTS[name] for text in having[word]}) if name in STARTS else asks
            made[kind][name] = _changed(kind, name, change, some, chance, most)
    taken = {kind: _even(by, chance) for kind, by in made.items()}
    share, rest, result = PAIRS // len(taken), PAIRS, []
    for left, kind in enumerate(sorted(taken, key=lambda kind: len(taken[kind]))):
        share = rest // (len(taken) - left)
        result += taken[kind][:share]
        rest -= len(taken[kind][:share])
    return result


def _changed(kind: str, name: str, change: Change, asks: list[str], chance: random.Random, most: int) -> list[Pair]:
    made = []
    for text in chance.sample(asks, len(asks)):
        new = change(text, chance.random())
        if new is not None and new.casefold() != text.casefold() and (not _ODD.search(new) or _ODD.search(text)):
            made.append(Pair(kind, name, text, new))
            if len(made) == most:
                break
    return made


def _even(by: Mapping[str, list[Pair]], chance: random.Random) -> list[Pair]:
    """Round by round one pair of each transformation; no ask twice as the changed one."""
    rows = [chance.sample(pairs, len(pairs)) for pairs in by.values()]
    seen: set[str] = set()
    found = []
    for at in range(max(map(len, rows), default=0)):
        for row in rows:
            if at < len(row) and row[at].other.casefold() not in seen:
                seen.add(row[at].other.casefold())
                found.append(row[at])
    return found


def paraphrases(datasets: Path, given: Path, seed: int = 0) -> list[Pair]:
    """By our rules, of one key in a data set, and those of `given` (two columns, tab)."""
    found = prompts(datasets)
    chance = random.Random(seed)
    with given.open(newline="") as file:
        result = [Pair(SAME, "given", *row) for row in csv.reader(file, delimiter="\t")]
    result += _of_one_key(found, chance)
    asks = [text for texts in found.values() for text in texts] + sorted({pair.one for pair in written()})
    by = {name: _changed(SAME, name, change, asks, chance, PARAPHRASES // 8) for name, change in REWRITES}
    seen = {pair.other.casefold() for pair in result}
    result += [pair for pair in _even(by, chance) if pair.other.casefold() not in seen][: PARAPHRASES - len(result)]
    return result


def _of_one_key(found: Mapping[str, Mapping[str, str]], chance: random.Random) -> list[Pair]:
    pairs: list[Pair] = []
    for name, texts in found.items():
        groups: dict[str, list[str]] = defaultdict(list)
        for text, key in texts.items():
            if key:
                groups[key].append(text)
        rows = [Pair(SAME, name, *two) for group in groups.values() for two in _twos(group, chance)]
        pairs += chance.sample(rows, min(len(rows), SHARED_KEY // 2))
    return pairs


def _twos(group: list[str], chance: random.Random) -> Iterator[tuple[str, str]]:
    return pairwise(chance.sample(group, len(group)))


def counts(pairs: list[Pair]) -> Counter[str]:
    """Pairs of each kind."""
    return Counter(pair.kind for pair in pairs)
