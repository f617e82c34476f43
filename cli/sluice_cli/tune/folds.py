"""Finished replays of some data, kept so that a run that was stopped goes on where it was."""

import random
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

import orjson

from sluice_cli.tune.data import Recorded
from sluice_cli.tune.replay import Outcome, Run, replay
from sluice_cli.tune.vectors import Table, Told, written
from sluice_sidecar.config import Policy
from sluice_sidecar.version import __version__

FORM = 1
"""Raise it whenever a replay of the same data may come out differently."""


def orders(count: int, held_out: int, timed: bool, wanted: int, seed: int) -> list[list[int]]:
    """In which orders `count` asks are replayed; the last `held_out` of each are the same asks.

    Asks with times keep theirs: one order. Others are split by chance and shuffled within both parts.
    """
    if timed:
        return [list(range(count))]
    chance = random.Random(seed)  # noqa: S311  (an order, no secret)
    whole = list(range(count))
    chance.shuffle(whole)
    found = []
    for _ in range(wanted):
        first, last = whole[: count - held_out], whole[count - held_out :]
        chance.shuffle(first)
        chance.shuffle(last)
        found.append(first + last)
    return found


class Folds:
    """Replays, each done once."""

    def __init__(self, folder: Path, asks: Sequence[Recorded], table: Table, told: Told) -> None:
        self._folder, self._asks, self._table, self._told = folder, asks, table, told

    async def run(self, policy: Policy, order: Sequence[int], seed: int) -> Run:
        """The replay of `order` under `policy`, from the folder where it is there."""
        about = [FORM, __version__, policy.model_dump(mode="json"), list(order), seed]
        path = self._folder / f"{blake2b(orjson.dumps(about), digest_size=12).hexdigest()}.json"
        kept = _read(path, len(order))
        if kept is not None:
            self._told(len(order))
            return kept
        run = await replay(self._asks, order, self._table, policy, seed, self._told)
        written(path, lambda part: _write(part, run))
        return run


def _write(path: Path, run: Run) -> None:
    data = {"outcomes": [outcome.row() for outcome in run.outcomes], "needed": dict(run.needed)}
    path.write_bytes(orjson.dumps(data))


def _read(path: Path, count: int) -> Run | None:
    """None where the replay was not finished, or its file is damaged."""
    try:
        data = orjson.loads(path.read_bytes())
        run = Run([Outcome.of(row) for row in data["outcomes"]], dict(data["needed"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return run if len(run.outcomes) == count else None
