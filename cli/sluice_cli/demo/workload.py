"""The demo's workload: what is asked, in which order, and which asks want the same answer."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

import orjson

Task = Literal["support", "classification", "extraction", "generation"]
Kind = Literal["first", "repeat", "paraphrase", "near miss"]


@dataclass(frozen=True, slots=True)
class Ask:
    """One distinct question. `key` names the answer it wants: another ask with another key wants another answer."""

    key: str
    task: Task
    text: str
    repeats: int = 0
    paraphrases: tuple[str, ...] = ()
    near: str | None = None
    """Key of the ask that this one resembles and must never be answered like."""


@dataclass(frozen=True, slots=True)
class Step:
    """One request of the replay."""

    key: str
    task: Task
    text: str
    kind: Kind


def load() -> tuple[Ask, ...]:
    """The asks that ship with the demo."""
    lines = files(__package__).joinpath("asks.jsonl").read_bytes().splitlines()
    return tuple(_ask(orjson.loads(line)) for line in lines if line)


def _ask(row: dict[str, Any]) -> Ask:
    return Ask(**{**row, "paraphrases": tuple(row.get("paraphrases", ()))})


def schedule(asks: Sequence[Ask], seed: int = 7) -> tuple[Step, ...]:
    """Every ask once, its repeats, paraphrases and near misses after it, spread at random: equal for equal seeds."""
    rng = random.Random(seed)  # noqa: S311 - an order, not a secret
    firsts = {ask.key: rng.random() * 0.6 for ask in asks if ask.near is None}
    timed: list[tuple[float, Step]] = []
    for ask in asks:
        start = firsts[ask.key] if ask.near is None else rng.uniform(firsts[ask.near], 1)
        timed.append((start, Step(ask.key, ask.task, ask.text, "near miss" if ask.near else "first")))
        timed += [(rng.uniform(start, 1), Step(ask.key, ask.task, ask.text, "repeat")) for _ in range(ask.repeats)]
        timed += [(rng.uniform(start, 1), Step(ask.key, ask.task, text, "paraphrase")) for text in ask.paraphrases]
    return tuple(step for _, step in sorted(timed, key=lambda pair: pair[0]))


def rates(steps: Sequence[Step]) -> dict[str, float]:
    """Share of each kind of request, 0..1."""
    counts = Counter[str](step.kind for step in steps)
    return {kind: count / len(steps) for kind, count in counts.items()}
