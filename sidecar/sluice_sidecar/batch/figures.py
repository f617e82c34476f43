"""What a BatchWindow's requests are and were: how many wait and run now, what came of them, what they saved.

What waits and runs is the queue's, whoever works on it; what came of it is what this process settled since it began.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sluice_sidecar.batch.execute import Outcome
from sluice_sidecar.batch.gate import Pool
from sluice_sidecar.batch.outlook import Outlook
from sluice_sidecar.batch.stores.store import Store
from sluice_sidecar.ledger.decision import PICO, text
from sluice_sidecar.telemetry import SEPARATOR, Snapshot


@dataclass(slots=True)
class Settled:
    """What came of one window's requests in this process."""

    done: int = 0
    failed: int = 0
    missed: int = 0
    """Of those, the ones that came to their end after the window's deadline."""
    saved: Counter[str] = field(default_factory=Counter)
    """Currency -> what the requests would have cost at the reference's real-time price, minus what was paid for them,
    tries that came to nothing included; pico. What the cache answered saved all of its price."""


@dataclass(slots=True)
class Waiting:
    """What of one window is in the queue. `oldest`: when the first that waits for its turn came, unix seconds."""

    queued: int = 0
    running: int = 0
    oldest: float | None = None


class Tally:
    """The counts of one worker, by the name of the window."""

    def __init__(self) -> None:
        self.settled: dict[str, Settled] = {}

    def ran(self, pool: Pool, outcome: Outcome, *, kept: bool, late: bool) -> None:
        """One run of a request. `kept`: its answer is the request's result; `late`: and came after the deadline."""
        found = self.settled.setdefault(pool.name, Settled())
        if kept:
            if outcome.result.good:
                found.done += 1
            else:
                found.failed += 1
            found.missed += late
        decision = outcome.decision
        if decision is None:
            return
        for part in decision.spent:
            found.saved[part.currency] -= part.cost
        if kept and decision.reference is not None:
            found.saved[decision.reference.currency] += decision.reference.cost


async def waiting(store: Store, outlook: Outlook) -> dict[str, Waiting]:
    """Each pool's share of the queue, by its name; "" are the routes that no window names. Raises Problem(503)."""
    found = {pool.name: Waiting() for pool in outlook.pools}
    lanes = await store.lanes()
    oldest = await store.oldest([lane.id for lane in lanes if lane.queued])
    for lane in lanes:
        one = found.setdefault(outlook.pool(lane.route).name, Waiting())
        one.queued += lane.queued
        one.running += lane.running
        if lane.id in oldest:
            one.oldest = min(oldest[lane.id], one.oldest or oldest[lane.id])
    return found


def report(waits: Mapping[str, Waiting], settled: Mapping[str, Settled]) -> dict[str, Any]:
    """BatchWindow -> its figures, as a gateway's report to the operator has them under `windows`.

    Per window: queued, running, oldest (unix seconds, None where none waits), of the queue; done, failed, missed, and
    saved (exact decimal text) in `currency`, the one in which most was saved or lost, of this process.
    """
    return {name: _reported(one, settled.get(name, Settled())) for name, one in waits.items() if name}


def _reported(waits: Waiting, came: Settled) -> dict[str, Any]:
    currency = max((one for one in came.saved if one), key=lambda one: abs(came.saved[one]), default="USD")
    return {
        "queued": waits.queued, "running": waits.running, "oldest": waits.oldest,
        "done": came.done, "failed": came.failed, "missed": came.missed,
        "saved": text(came.saved[currency]), "currency": currency,
    }  # fmt: skip


def families(waits: Mapping[str, Waiting], settled: Mapping[str, Settled]) -> Snapshot:
    """The same as families of a telemetry snapshot; here the routes that no window names count as window ""."""
    names = [*waits, *(name for name in settled if name not in waits)]
    came = {name: settled.get(name, Settled()) for name in names}
    return {
        "window_waits": {name: [one.queued, one.running] for name, one in waits.items()},
        "window_oldest": {name: [one.oldest] for name, one in waits.items() if one.oldest is not None},
        "window_settled": {name: [one.done, one.failed, one.missed] for name, one in came.items()},
        "window_saved": {
            SEPARATOR.join((name, currency)): [pico / PICO]
            for name, one in came.items()
            for currency, pico in one.saved.items()
            if currency
        },
    }
