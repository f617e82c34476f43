"""How much worse one answer is than another: against a label where there is one, by form, by content, by a judge."""

import json
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sluice_sidecar.audit.judge import Judge
from sluice_sidecar.audit.model import Answer, Sample
from sluice_sidecar.cache.answers import structured
from sluice_sidecar.cache.answers.failure import is_failure
from sluice_sidecar.cache.answers.gist import gist
from sluice_sidecar.cache.answers.same import same

Cosine = Callable[[str, str], Awaitable[float]]
"""How near two texts are by their embeddings, -1..1."""

SCREENED = 0.97
"""Cosine of two answers without contradicting claims from which on no judge is asked."""


@dataclass(frozen=True, slots=True)
class Expected:
    """By the sample's label: 1 where only `before` is right, -1 where only `after` is, part of it for JSON's fields."""

    name: str = "expected"

    async def __call__(self, sample: Sample, before: Answer, after: Answer) -> float | None:
        """None for a sample without a label."""
        if sample.expected is None:
            return None
        return right(sample.expected, before.text) - right(sample.expected, after.text)


@dataclass(frozen=True, slots=True)
class Pattern:
    """By whether the whole answer matches a regular expression."""

    pattern: re.Pattern[str]
    name: str = "pattern"

    async def __call__(self, sample: Sample, before: Answer, after: Answer) -> float | None:
        """1 where only `before` matches, -1 where only `after` does."""
        return float(bool(self.pattern.fullmatch(before.text.strip()))) - float(
            bool(self.pattern.fullmatch(after.text.strip()))
        )


@dataclass(frozen=True, slots=True)
class Answers:
    """Label first; then fields of JSON; then what both say; where that does not tell, the judge, in both orders.

    Without a label any difference counts as a loss, as nobody knows which of the two is right."""

    judge: Judge | None = None
    cosine: Cosine | None = None
    name: str = "answers"

    async def __call__(self, sample: Sample, before: Answer, after: Answer) -> float | None:
        """Raises Busy, Unanswered of the judge."""
        if sample.expected is not None:
            return right(sample.expected, before.text) - right(sample.expected, after.text)
        one, other = gist(before.text), gist(after.text)
        if "failure" in (one.kind, other.kind):
            return _failing(before.text, after.text)
        if one.kind == "json":
            return 1.0 - agreement(before.text, after.text)
        near = None if self.cosine is None or one.kind != "prose" else await self.cosine(one.text, other.text)
        told = same(one, other, None if near is None else lambda: near)
        if told is True or (told is None and near is not None and near >= SCREENED):
            return 0.0
        if self.judge is not None and (told is None or {one.kind, other.kind} <= {"prose", "code"}):
            return await self.judge(sample, before, after)
        return None if told is None else 1.0


def _failing(before: str, after: str) -> float | None:
    """Of answers one of which is empty, a refusal or an error. A refusal may be what the prompt wants."""
    was, now = is_failure(before), is_failure(after)
    if was == now:
        return 0.0
    if was is None or was == "refusal":
        return 1.0
    return None  # where nothing came before, nothing can be lost


def right(expected: str, said: str) -> float:
    """How right an answer is, 0..1: of JSON the share of expected fields, else whether it says the same."""
    wanted = gist(expected)
    if wanted.kind == "json":
        return agreement(expected, said)
    return float(same(wanted, gist(said)) is True)


def agreement(wanted: str, said: str) -> float:
    """The share of the leaves of one JSON text that another holds with the same value; 0 where that is no JSON."""
    one, other = structured.read(wanted), structured.read(said)
    if one is None or other is None:
        return 0.0
    leaves, others = dict(_leaves(json.loads(one))), dict(_leaves(json.loads(other)))
    if not leaves:
        return float(not others)
    held: int = sum(path in others and others[path] == value for path, value in leaves.items())
    return held / max(len(leaves), len(others))


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{n}]")
    else:
        yield path, value
