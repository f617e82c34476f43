"""Figures of one pass of the replay: pure functions over its outcomes."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sluice_cli.demo.replay import Outcome
from sluice_sidecar.config import Price

HITS = ("identical", "paraphrase")


@dataclass(frozen=True, slots=True)
class Summary:
    """One pass. Latencies in seconds; tokens and cost are those of calls that reached a model.

    `hits` counts cache hits by strategy, `backends` calls by backend; `p50_by` is the median latency of each of both.
    """

    requests: int
    mean: float
    p50: float
    p95: float
    prompt_tokens: int
    completion_tokens: int
    cost: Decimal
    hits: dict[str, int]
    backends: dict[str, int]
    p50_by: dict[str, float]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0..1] of the values do not exceed (nearest rank)."""
    if not values:
        raise ValueError("no values, no percentile")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def wilson(hits: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a rate, 0..1 (Wilson 1927, score interval)."""
    if total == 0:
        return 0.0, 1.0
    rate, square = hits / total, z * z
    middle = (rate + square / (2 * total)) / (1 + square / total)
    half = z / (1 + square / total) * math.sqrt(rate * (1 - rate) / total + square / (4 * total * total))
    return max(0.0, middle - half), min(1.0, middle + half)


def summarise(outcomes: Sequence[Outcome], prices: Mapping[str, Price], default: str) -> Summary:
    """Sums one pass up. An outcome without a backend header was answered by `default`; a hit costs nothing upstream."""
    latencies = [outcome.seconds for outcome in outcomes]
    paid = [outcome for outcome in outcomes if outcome.cache not in HITS]
    by_source: dict[str, list[float]] = {}
    for outcome in outcomes:
        by_source.setdefault(_source(outcome, default), []).append(outcome.seconds)
    return Summary(
        requests=len(outcomes),
        mean=sum(latencies) / len(latencies),
        p50=percentile(latencies, 0.50),
        p95=percentile(latencies, 0.95),
        prompt_tokens=sum(outcome.answer.prompt for outcome in paid),
        completion_tokens=sum(outcome.answer.completion for outcome in paid),
        cost=sum((_cost(outcome, prices, default) for outcome in paid), Decimal(0)),
        hits=dict(Counter(outcome.cache for outcome in outcomes if outcome.cache in HITS)),
        backends=dict(Counter(_source(outcome, default) for outcome in paid)),
        p50_by={source: percentile(seconds, 0.50) for source, seconds in by_source.items()},
    )


def _source(outcome: Outcome, default: str) -> str:
    return outcome.cache if outcome.cache in HITS else outcome.backend or default


def _cost(outcome: Outcome, prices: Mapping[str, Price], default: str) -> Decimal:
    answer = outcome.answer
    return prices[outcome.backend or default].cost(answer.prompt, answer.cached, answer.completion)
