"""Prompts whose sections' worth is known, an oracle that answers by it, and what an audit needs beside."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from sluice_sidecar.audit.model import Answer, Prompt, Sample
from sluice_sidecar.audit.sections import prompt


def tokens(text: str) -> int:
    """A count that is good enough for a test: words and marks of three characters."""
    return -(-len(text) // 3)


@dataclass(frozen=True)
class Part:
    """A section: its text, and the share of requests that need it (or, with a `twin`, need it or that one)."""

    text: str
    needed: float = 0.0
    words: tuple[str, ...] = ()
    twin: int | None = None


@dataclass
class Oracle:
    """Answers "good" where the prompt has what the request needs, else "bad"; `noise` flips that."""

    parts: Sequence[Part]
    needs: Mapping[str, Sequence[frozenset[int]]]
    noise: float = 0.0
    seed: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)

    async def __call__(self, prompt: str, sample: Sample) -> Answer:
        self.asked.append((prompt, sample.id))
        good = all(any(self.parts[n].text.rstrip() in prompt for n in any_of) for any_of in self.needs[sample.id])
        good ^= self._random.random() < self.noise
        return Answer("good" if good else "bad", tokens(prompt), 0, 1)


@dataclass(frozen=True)
class Equal:
    """Compares by whether both say the same."""

    name: str = "equal"

    async def __call__(self, sample: Sample, before: Answer, after: Answer) -> float | None:
        return float(before.text != after.text)


class Notes:
    """A checkpoint in memory."""

    def __init__(self) -> None:
        self.records: list[Mapping[str, Any]] = []

    def load(self) -> Iterable[Mapping[str, Any]]:
        return list(self.records)

    def add(self, record: Mapping[str, Any]) -> None:
        self.records.append(record)


def stage(parts: Sequence[Part], count: int, seed: int = 0, noise: float = 0.0) -> tuple[Prompt, list[Sample], Oracle]:
    """A prompt of these parts, `count` requests under it, and the oracle that knows what they need."""
    random = Random(seed)
    given = prompt("\n".join(part.text for part in parts))
    samples, needs = [], {}
    for n in range(count):
        wanted, words = [], ["please"]
        for at, part in enumerate(parts):
            if random.random() < part.needed:
                wanted.append(frozenset({at} if part.twin is None else {at, part.twin}))
                words += part.words[:1]
        name = f"s{n:04}"
        samples.append(Sample(name, given.digest, "t", 0.0, ({"role": "user", "content": " ".join(words)},), "good"))
        needs[name] = wanted
    return given, samples, Oracle(parts, needs, noise, seed + 1)


def part(n: int, needed: float = 0.0, words: tuple[str, ...] = (), twin: int | None = None) -> Part:
    """A section under a heading of its own that names its words."""
    body = f"Do as topic {n} says" + (f" about {' '.join(words)}" if words else "") + "; this is what we want."
    return Part(f"## Topic {n}\n{body}\n", needed, words, twin)
