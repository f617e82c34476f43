"""Totals of many decisions, and the report that is made of them."""

from collections.abc import Iterable, Mapping
from math import exp, log, sqrt
from typing import Any, NamedTuple

from sluice_sidecar.ledger.counterfactual import Z90
from sluice_sidecar.ledger.decision import HITS, Decision, text

FLOOR = 1e-5
"""Lower edge of the latency histogram, seconds."""
PER_E = 20.0
"""Buckets per factor e: each is 5.1 % wide, and so far a percentile may be off."""
TOP = 369
"""Last bucket: everything above about 980 s."""

DAY = 86_400
FOLDED = -1
"""The `day` of totals whose days are long over."""


def bucket(seconds: float) -> int:
    """Histogram bucket of a duration."""
    return 0 if seconds <= FLOOR else min(TOP, 1 + int(log(seconds / FLOOR) * PER_E))


def edge(index: int) -> float:
    """Upper edge of a bucket, seconds."""
    return FLOOR * exp(index / PER_E)


class Key(NamedTuple):
    """What totals are kept by. `day` is days since 1970-01-01 UTC; FOLDED gathers those that are long over."""

    day: int
    route: str
    backend: str
    cache: str
    currency: str


COUNTS = (
    *("requests", "errors", "estimated", "unpriced", "compared"),
    *("prompt", "cached", "completion", "bought_prompt", "bought_cached", "bought_completion"),
    *("cost", "reference_cost"),
)
SECONDS = ("latency", "compared_latency", "reference_latency", "variance", "doubt")


class Row:
    """Totals of one key. Money in pico, time in seconds.

    `prompt`, `cached`, `completion` are tokens of the answers that callers got; `bought_*` are tokens that upstreams
    were paid for. `compared_latency` and `reference_latency` cover the `compared` requests, whose reference latency is
    known; `now` and `without` are those requests' histograms. `variance` sums the estimates' squared noise, `doubt`
    their standard errors.
    """

    __slots__ = (*COUNTS, *SECONDS, "dirty", "now", "without")

    requests: int
    errors: int
    estimated: int
    unpriced: int
    prompt: int
    cached: int
    completion: int
    bought_prompt: int
    bought_cached: int
    bought_completion: int
    cost: int
    reference_cost: int
    compared: int
    latency: float
    compared_latency: float
    reference_latency: float
    variance: float
    doubt: float
    now: dict[int, int]
    without: dict[int, int]
    dirty: bool

    def __init__(self) -> None:
        for name in COUNTS:
            setattr(self, name, 0)
        for name in SECONDS:
            setattr(self, name, 0.0)
        self.now, self.without, self.dirty = {}, {}, False

    def add(self, decision: Decision) -> None:
        """Counts a decision that the ledger has filled, but for what it spent (`spend`)."""
        self.dirty = True
        self.requests += 1
        latency = decision.latency
        self.latency += latency
        if decision.estimated:
            self.estimated += 1
        usage = decision.usage
        if usage is not None:
            self.prompt += usage.prompt
            self.cached += usage.cached
            self.completion += usage.completion
        self.cost += decision.cost
        reference = decision.reference
        if reference is None:
            self.errors += 1
            return
        self.reference_cost += reference.cost
        if not reference.priced:
            self.unpriced += 1
        would = reference.latency
        if would is not None:
            self.compared += 1
            self.compared_latency += latency
            self.reference_latency += would
            self.variance += reference.noise * reference.noise
            self.doubt += reference.doubt
            now, without = bucket(latency), bucket(would)
            self.now[now] = self.now.get(now, 0) + 1
            self.without[without] = self.without.get(without, 0) + 1

    def merge(self, other: "Row") -> None:
        """Adds another row's totals."""
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in SECONDS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for mine, theirs in ((self.now, other.now), (self.without, other.without)):
            for index, count in theirs.items():
                mine[index] = mine.get(index, 0) + count

    def plain(self) -> dict[str, Any]:
        """All numbers, JSON-able; money in pico."""
        return {
            **{name: getattr(self, name) for name in (*COUNTS, *SECONDS)},
            "now": {str(index): count for index, count in self.now.items()},
            "without": {str(index): count for index, count in self.without.items()},
        }

    @classmethod
    def restored(cls, plain: Mapping[str, Any]) -> "Row":
        """The Row that gave `plain`; a number that it lacks is 0. Raises ValueError or TypeError on other data."""
        row = cls()
        for name in COUNTS:
            setattr(row, name, int(plain.get(name, 0)))
        for name in SECONDS:
            setattr(row, name, float(plain.get(name, 0.0)))
        row.now = {int(index): int(count) for index, count in plain.get("now", {}).items()}
        row.without = {int(index): int(count) for index, count in plain.get("without", {}).items()}
        return row


def percentile(histogram: Mapping[int, int], share: float) -> float | None:
    """Seconds below which `share` (0..1) of the counted durations lie, interpolated inside the bucket."""
    total = sum(histogram.values())
    if total == 0:
        return None
    wanted, seen = share * total, 0
    for index in sorted(histogram):
        count = histogram[index]
        if seen + count >= wanted:
            if index == 0:
                return FLOOR
            return edge(index - 1) * exp((wanted - seen) / count / PER_E)
        seen += count
    return edge(max(histogram))


def totalled(rows: Iterable[Row]) -> Row:
    """The sum of rows."""
    total = Row()
    for row in rows:
        total.merge(row)
    return total


def savings(rows: Iterable[tuple[Key, Row]]) -> dict[str, Any]:
    """The report: JSON-able, money as strings in currency units, time in seconds, shares 0..1.

    Latency is compared over the same requests on both sides: those that succeeded and whose reference latency is known.
    """
    rows = list(rows)
    total = totalled(row for _, row in rows)
    kinds: dict[str, int] = {}
    for key, row in rows:
        if row.requests:
            kinds[key.cache] = kinds.get(key.cache, 0) + row.requests
    requests = total.requests
    hits = {kind: count for kind, count in kinds.items() if kind in HITS}
    return {
        "requests": requests,
        "errors": total.errors,
        "estimated": total.estimated,
        "unpriced": total.unpriced,
        "cache": kinds,
        "hit_rate": {
            "total": sum(hits.values()) / requests if requests else 0.0,
            **{kind: count / requests for kind, count in sorted(hits.items())},
        },
        "tokens": {
            "answered": {"prompt": total.prompt, "cached": total.cached, "completion": total.completion},
            "bought": {
                "prompt": total.bought_prompt,
                "cached": total.bought_cached,
                "completion": total.bought_completion,
            },
        },
        "money": _money(rows),
        "latency": _latency(total),
        "routes": {
            name: _brief([(key, row) for key, row in rows if key.route == name])
            for name in sorted({key.route for key, _ in rows})
        },
    }


def _money(rows: Iterable[tuple[Key, Row]]) -> dict[str, dict[str, Any]]:
    sums: dict[str, list[int]] = {}
    for key, row in rows:
        if key.currency:
            both = sums.setdefault(key.currency, [0, 0])
            both[0] += row.cost
            both[1] += row.reference_cost
    return {
        currency: {
            "cost": text(cost),
            "without": text(without),
            "saved": text(without - cost),
            "share": (without - cost) / without if without else None,
        }
        for currency, (cost, without) in sorted(sums.items())
    }


def _latency(total: Row) -> dict[str, Any]:
    compared = total.compared
    succeeded = total.requests - total.errors
    if not compared:
        return {"compared": 0, "unknown": succeeded, "now": None, "without": None, "distribution": None}
    # Single calls scatter independently; the fit's own error is common to all of them.
    half = Z90 * sqrt(total.variance + total.doubt * total.doubt) / compared
    without = total.reference_latency / compared
    used = sorted({*total.now, *total.without})
    span = range(max(1, used[0]), used[-1] + 1) if used[-1] > 0 else range(1, 2)
    return {
        "compared": compared,
        "unknown": succeeded - compared,
        "now": {
            "mean": total.compared_latency / compared,
            "p50": percentile(total.now, 0.50),
            "p95": percentile(total.now, 0.95),
        },
        "without": {
            "mean": without,
            "low": max(0.0, without - half),
            "high": without + half,
            "p50": percentile(total.without, 0.50),
            "p95": percentile(total.without, 0.95),
        },
        "distribution": {
            "edges": [edge(span[0] - 1), *(edge(index) for index in span)],
            "now": [total.now.get(index, 0) + (total.now.get(0, 0) if index == 1 else 0) for index in span],
            "without": [total.without.get(index, 0) + (total.without.get(0, 0) if index == 1 else 0) for index in span],
        },
    }


def _brief(rows: list[tuple[Key, Row]]) -> dict[str, Any]:
    requests = sum(row.requests for _, row in rows)
    hits = sum(row.requests for key, row in rows if key.cache in HITS)
    return {"requests": requests, "hit_rate": hits / requests if requests else 0.0, "money": _money(rows)}
