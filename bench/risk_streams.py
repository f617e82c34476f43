"""Streams of proposals whose true error is known, and what the risk control makes of them."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sluice_sidecar.cache.risk import Controller, Label, RiskBound, Source
from sluice_sidecar.cache.risk.evidence import BINS, THRESHOLDS

EDGES = (0.0, *THRESHOLDS, 1.0)
MIDDLES = tuple((a + b) / 2.0 for a, b in pairwise(EDGES))
"""A score within each bin, the one below all thresholds first."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Stream:
    """A known world: bins are the 17 of MIDDLES."""

    family: str
    shares: Array
    """Of each partition."""
    mix: Array
    """Bins by partition: how often each is proposed."""
    error: Array
    """Bins by partition: P(wrong)."""
    later: Array | None = None
    """The error from `turn` on."""
    turn: int = -1
    noise: float = 0.0
    delay: float = 0.0
    """Mean delay of a label, in proposals, exponentially distributed, so labels come out of order."""
    lost: float = 0.0
    proposed: float = 1.0
    """Share of the requests that have a proposal."""


@dataclass
class Outcome:
    """What happened on one stream."""

    family: str
    broke: bool = False
    opened_after: int | None = None
    """Labels until something was served."""
    hits: int = 0
    wrong: int = 0
    proposals: int = 0
    requests: int = 0
    possible: float = 0.0
    """Share of the proposals that the lowest safe threshold would serve."""
    shadowed: int = 0
    closures: int = 0
    unseen: int | None = None
    """Requests from the drift until the last time that something unsafe was served."""
    still_unsafe: bool = False
    """Whether it was unsafe at the end of the stream."""
    wrong_unseen: int = 0
    """Wrong answers served in that time."""
    hits_unseen: int = 0
    worst: float = 0.0
    """Largest true error of what would be served, drift's delay aside."""


def true_error(stream: Stream, error: Array, at: int, closed: frozenset[str]) -> float:
    """P(wrong | served) at threshold `at` without the closed partitions."""
    kept = np.array([f"p{i}" not in closed for i in range(len(stream.shares))])
    weight = (stream.shares * kept)[:, None] * stream.mix
    weight = weight[:, at + 1 :]
    total = weight.sum()
    return float((weight * error[:, at + 1 :]).sum() / total) if total > 0 else 0.0


def run(
    stream: Stream, bound: RiskBound, proposals: int, rng: np.random.Generator, *, until_closed: bool = False
) -> Outcome:
    """Plays `proposals` proposals against a fresh controller and compares each of its decisions with the truth.

    `until_closed` ends it when a drift has closed the strategy.
    """
    controller, out = Controller(bound), Outcome(stream.family)
    who = rng.choice(len(stream.shares), size=proposals, p=stream.shares)
    edges = stream.mix.cumsum(axis=1)
    where = np.minimum((rng.random(proposals)[:, None] > edges[who]).sum(axis=1), BINS)
    chance, flips = rng.random(proposals), rng.random(proposals) < stream.noise
    draws, gone = rng.random(proposals), rng.random(proposals) < stream.lost
    delays = rng.exponential(stream.delay, proposals) if stream.delay else np.zeros(proposals)
    between = rng.geometric(stream.proposed, proposals) if stream.proposed < 1.0 else np.ones(proposals, dtype=int)
    names = [f"p{i}" for i in range(len(stream.shares))]
    late: list[tuple[float, int, Label]] = []
    known: dict[tuple[int, frozenset[str], bool], float] = {}
    labels = start_at_turn = 0
    error = stream.error
    drifted = False
    requests_at_turn = 0
    for i in range(proposals):
        if i == stream.turn:
            assert stream.later is not None
            error, drifted, requests_at_turn = stream.later, True, out.requests
            start_at_turn, out.unseen = controller.closures, 0
        if until_closed and drifted and controller.closures > start_at_turn:
            out.still_unsafe = False
            break
        out.requests += int(between[i])
        for _ in range(int(between[i])):
            controller.request()
        score, name = MIDDLES[where[i]], names[who[i]]
        wrong = bool(chance[i] < error[who[i], where[i]])
        verdict = controller.admit(score, name)
        decision = controller.decision
        if decision.at is not None:
            if out.opened_after is None:
                out.opened_after = labels
            key = (decision.at, decision.closed, drifted)
            if key not in known:
                known[key] = true_error(stream, error, decision.at, decision.closed)
            unsafe = known[key] > bound.alpha * (1.0 + 1e-9)
        else:
            unsafe = False
        out.still_unsafe = drifted and unsafe
        if out.still_unsafe:
            out.hits_unseen += verdict.admitted
            out.wrong_unseen += verdict.admitted and wrong
            out.unseen = out.requests - requests_at_turn
            out.broke |= controller.closures > start_at_turn
        elif decision.at is not None:
            out.worst = max(out.worst, known[key])
            out.broke |= unsafe
        probability = 1.0
        if verdict.admitted:
            out.hits += 1
            out.wrong += wrong
            probability = controller.shadow_probability
            if not controller.wants_shadow(name, draws[i]):
                continue
            out.shadowed += 1
        if gone[i]:
            continue
        source = Source.SHADOW if verdict.admitted else Source.MISS
        label = Label(
            (), score, wrong ^ bool(flips[i]), name, source, verdict.admitted, probability, stream.noise,
        )  # fmt: skip
        if stream.delay:
            heapq.heappush(late, (i + delays[i], i, label))
            while late and late[0][0] <= i:
                labels += 1
                controller.learn(heapq.heappop(late)[2])
        else:
            labels += 1
            controller.learn(label)
    out.possible = max(
        [
            float((stream.shares[:, None] * stream.mix)[:, at + 1 :].sum()) for at in range(BINS)
            if true_error(stream, stream.error, at, frozenset()) <= bound.alpha
        ],
        default=0.0,
    )  # fmt: skip
    out.proposals, out.closures = proposals, controller.closures
    return out


def _mix(rng: np.random.Generator, partitions: int = 1, top: float = 1.0) -> Array:
    """Random shares of the bins; `top` above 1 favours high scores."""
    base = rng.dirichlet(np.linspace(0.3, top, BINS + 1) + 0.2)
    rows = [0.7 * base + 0.3 * rng.dirichlet(np.ones(BINS + 1)) for _ in range(partitions)]
    mixed: Array = np.array(rows)
    return mixed


def _falling(rng: np.random.Generator, top: float, bottom: float) -> Array:
    """An error that falls with the score, on a logarithmic scale, from `bottom` to `top`, with a random shape."""
    shape = np.linspace(0.0, 1.0, BINS + 1) ** rng.uniform(0.5, 2.0)
    error: Array = np.exp(np.log(bottom) + shape * (np.log(top) - np.log(bottom)))
    return error


def _one(error: Array) -> Array:
    return error[None, :]


def safe(rng: np.random.Generator, alpha: float) -> Stream:
    """The error falls with the score, and the highest scores are safe."""
    error = _falling(rng, alpha * rng.uniform(0.02, 0.4), rng.uniform(0.03, 0.6))
    return Stream("safe above some score", np.ones(1), _mix(rng, top=3.0), _one(error))


def never(rng: np.random.Generator, alpha: float) -> Stream:
    """No threshold is safe, and all are near the bound: the hardest to refuse."""
    flat = np.full(BINS + 1, alpha * rng.uniform(1.0005, 1.3))
    return Stream("no score is safe", np.ones(1), _mix(rng, top=3.0), _one(flat))


def edge(rng: np.random.Generator, alpha: float) -> Stream:
    """Safe from some threshold on, and just above the bound at every lower one."""
    mix = _mix(rng, top=3.0)
    cut = int(rng.integers(6, BINS))
    error = np.zeros(BINS + 1)
    error[cut + 1 :] = alpha * rng.uniform(0.1, 0.9)
    weight = mix[0]
    for at in range(cut, -1, -1):
        above = float((weight[at + 1 :] * error[at + 1 :]).sum())
        wanted = alpha * 1.002 * float(weight[at:].sum()) - above
        error[at] = min(max(wanted / max(float(weight[at]), 1e-9), 0.0), 1.0)
    return Stream("just unsafe below a score", np.ones(1), mix, _one(error))


def adverse(rng: np.random.Generator, alpha: float) -> Stream:
    """Scores that mislead: the error rises with the score, or has nothing to do with it."""
    error = _falling(rng, alpha * rng.uniform(0.05, 0.5), alpha * rng.uniform(1.2, 3.0))
    error = error[::-1].copy() if rng.random() < 0.5 else rng.permutation(error)
    return Stream("misleading scores", np.ones(1), _mix(rng, top=3.0), _one(error))


def tenants(rng: np.random.Generator, alpha: float) -> Stream:
    """Partitions with errors and mixes of their own."""
    count = int(rng.integers(2, 30))
    shares = rng.dirichlet(np.full(count, 0.5))
    error = np.array([_falling(rng, alpha * rng.uniform(0.02, 1.2), rng.uniform(0.02, 0.4)) for _ in range(count)])
    return Stream("partitions that differ", shares, _mix(rng, count, top=3.0), error)


def heavy(rng: np.random.Generator, alpha: float) -> Stream:
    """One partition has most of the traffic and another error than the rest."""
    count = int(rng.integers(6, 20))
    shares = np.concatenate([[big := rng.uniform(0.5, 0.95)], np.full(count - 1, (1.0 - big) / (count - 1))])
    bad, good = alpha * rng.uniform(1.05, 4.0), alpha * rng.uniform(0.02, 0.8)
    first = rng.random() < 0.5
    error = np.array([np.full(BINS + 1, bad if (i == 0) == first else good) for i in range(count)])
    return Stream("one heavy partition", shares, _mix(rng, count, top=3.0), error)


def delayed(rng: np.random.Generator, alpha: float) -> Stream:
    """Labels come late and out of order, and some never."""
    world = (safe, never, edge)[int(rng.integers(3))](rng, alpha)
    return Stream(
        "late and lost labels", world.shares, world.mix, world.error,
        delay=rng.uniform(5.0, 300.0), lost=rng.uniform(0.0, 0.3),
    )  # fmt: skip


def noisy(rng: np.random.Generator, alpha: float) -> Stream:
    """One comparison in a hundred errs."""
    world = (safe, never, edge)[int(rng.integers(3))](rng, alpha)
    return Stream("1 % of comparisons flipped", world.shares, world.mix, world.error, noise=0.01)


def drift(rng: np.random.Generator, alpha: float) -> Stream:
    """The error jumps at a random time."""
    error = _falling(rng, alpha * rng.uniform(0.05, 0.3), rng.uniform(0.05, 0.5))
    later = np.minimum(np.maximum(error * rng.uniform(4.0, 40.0), alpha * rng.uniform(2.0, 10.0)), 0.95)
    return Stream(
        "drift at a random time", np.ones(1), _mix(rng, top=3.0), _one(error),
        _one(later), 0, proposed=rng.uniform(0.3, 1.0),
    )  # fmt: skip


FAMILIES = (safe, never, edge, adverse, tenants, heavy, delayed, noisy, drift)


def worlds(
    count: int, seed: int, alpha: float, turn: tuple[int, int] = (500, 3000)
) -> Iterator[tuple[Stream, np.random.Generator]]:
    """`count` random worlds, each family in turn, with the generator that plays each; `turn` bounds a drift's time."""
    for i in range(count):
        rng = np.random.default_rng([seed, i])
        world = FAMILIES[i % len(FAMILIES)](rng, alpha)
        yield (world if world.later is None else replace(world, turn=int(rng.integers(*turn)))), rng
