"""Recorded asks with vectors that say which class they are of, and outcomes made by hand."""

import numpy as np

from doubles.cached import policy
from sluice_cli.tune.data import Recorded
from sluice_cli.tune.replay import Outcome, Proposed
from sluice_cli.tune.vectors import Table
from sluice_sidecar.ask import Caller
from sluice_sidecar.cache.embed import WIDTH
from sluice_sidecar.cache.entry import How
from sluice_sidecar.cache.fingerprint import fingerprint
from sluice_sidecar.config import Policy

NAMES = ("alpha", "bravo", "charlie", "delta")


def labelled(**changes: object) -> Policy:
    """A policy of labels under a bound of 5 %."""
    return policy(**{"label": True, "bound": 0.05, **changes})


def ask(line: int, text: str, answer: str, *, tenant: str = "", at: float | None = None) -> Recorded:
    """One recorded ask."""
    from doubles.cached import ask as asked
    from doubles.cached import route

    fp = fingerprint(asked(text), route(), labelled(), Caller(tenant))
    whole = {"choices": [{"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}]}
    return Recorded(line, fp, whole, answer, tenant, at)


def classes(count: int, *, wrong_every: int = 0) -> tuple[list[Recorded], Table]:
    """So many asks of four classes, near only within a class; each `wrong_every`-th answer is another class."""
    chance = np.random.default_rng(3)
    asks, rows = [], {}
    for number in range(count):
        kind = number % len(NAMES)
        said = kind + 1 if wrong_every and number % wrong_every == wrong_every - 1 else kind
        text = f"please sort item number {number} of this list into its class"
        row = 0.15 * chance.normal(size=WIDTH).astype(np.float32) / WIDTH**0.5
        row[kind] += 1.0
        rows[text] = row / np.float32(np.linalg.norm(row))
        asks.append(ask(number + 1, text, NAMES[said % len(NAMES)]))
    return asks, Table(rows)


def proposed(
    how: How = "label", score: float = 0.99, wrong: bool | None = False, similarity: float = 0.9, served: bool = False
) -> Outcome:  # fmt: skip
    """An ask with one proposal."""
    one = Proposed(how, score, similarity, wrong, served)
    return Outcome(0, how if served else None, wrong if served else None, False, (one,), None)


def quiet(_: int) -> None:
    """Is told of progress."""
