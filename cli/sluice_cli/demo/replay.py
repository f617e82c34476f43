"""Sends the steps one after another and measures what the client sees."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import httpx

from sluice_cli.demo.wire import Answer, Dialect, body, path, read
from sluice_cli.demo.workload import Step


@dataclass(frozen=True, slots=True)
class Target:
    """Where the steps go: a base URL that ends in /v1, the model to name, and what the caller must send along."""

    base_url: str
    model: str
    dialect: Dialect = "openai"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One step answered. `seconds` runs from the first byte sent to the last byte read.

    `cache`, `backend` and `similarity` are what Sluice's headers said; a direct call has none of them.
    """

    step: Step
    answer: Answer
    seconds: float
    cache: str | None = None
    backend: str | None = None
    similarity: float | None = None


class ReplayError(Exception):
    """A step was not answered; says which, by whom, and what came instead."""


def replay(
    client: httpx.Client, target: Target, steps: Sequence[Step], done: Callable[[Outcome], None]
) -> tuple[Outcome, ...]:
    """Asks every step in order, one at a time; calls `done` after each. Raises ReplayError at the first failure."""
    outcomes = []
    for step in steps:
        outcome = ask(client, target, step)
        outcomes.append(outcome)
        done(outcome)
    return tuple(outcomes)


def ask(client: httpx.Client, target: Target, step: Step, *, fresh: bool = False) -> Outcome:
    """One step. `fresh` asks for an answer that is neither taken from the cache nor kept in it."""
    headers = dict(target.headers)
    if fresh:
        headers["cache-control"] = "no-cache, no-store"
    url = target.base_url + path(target.dialect)
    request = body(step, target.model, target.dialect)
    start = time.perf_counter()
    try:
        response = client.post(url, json=request, headers=headers)
        seconds = time.perf_counter() - start
    except httpx.HTTPError as error:
        raise ReplayError(f"{url} did not answer {step.text!r}: {type(error).__name__} {error}".rstrip()) from error
    if response.status_code != 200:
        raise ReplayError(f"{url} answered {step.text!r} with {response.status_code}: {response.text[:300]}")
    try:
        answer = read(response.json(), target.dialect)
    except (ValueError, LookupError, TypeError) as error:
        raise ReplayError(f"{url} answered {step.text!r} with something else: {response.text[:300]}") from error
    similarity = response.headers.get("x-sluice-similarity")
    return Outcome(
        step=step,
        answer=answer,
        seconds=seconds,
        cache=response.headers.get("x-sluice-cache"),
        backend=response.headers.get("x-sluice-backend"),
        similarity=float(similarity) if similarity else None,
    )
