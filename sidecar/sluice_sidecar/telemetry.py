"""Counts for the metrics: plain numbers that the request's path adds to, one set a worker, merged when somebody looks.

Every label is bounded: routes and backends are those of the served Config, anything else counts as "other"; tenants,
models and request ids are never labels.
"""

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from os import sysconf
from pathlib import Path
from typing import Literal

from sluice_sidecar.config import Config
from sluice_sidecar.ledger.decision import HITS, PICO, Attempt, Decision, Spent

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
"""Upper edges of every duration histogram, seconds."""

OTHER = "other"
OUTCOMES = 64
"""Distinct outcomes that are told apart; further ones count as "other"."""

Snapshot = dict[str, dict[str, list[float]]]
"""Family -> label values joined by `SEPARATOR` -> numbers. JSON-able, and added up number by number."""

SEPARATOR = "\x1f"

_MAXIMA = frozenset({"breakers", "reuse", "prompt_stops"})
"""Families whose numbers are not added: the largest counts. Of bounds that is the worst, as each worker judges all
workers' evidence."""


class _Histogram:
    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts, self.total = [0] * (len(BUCKETS) + 1), 0.0

    def numbers(self) -> list[float]:
        return [self.total, *self.counts]


class _Series:
    """Requests of one (route, dialect, cache, backend, code)."""

    __slots__ = ("completion", "duration", "first", "prompt")

    def __init__(self) -> None:
        self.duration, self.first = _Histogram(), _Histogram()
        self.prompt = self.completion = 0


class _Bought:
    """Upstream calls of one (route, backend, currency)."""

    __slots__ = ("cached", "completion", "cost", "prompt")

    def __init__(self) -> None:
        self.cost = self.prompt = self.cached = self.completion = 0


class Telemetry:
    """One worker's counts. `cache_entries`, `breakers` (backend -> whether it is open) and `reuse` (families of reuse
    by meaning) are asked at each snapshot.

    The exchange adds to `inflight` when a request comes in and takes away when it is over.
    """

    def __init__(self, worker: int = 0) -> None:
        self.worker = worker
        self.inflight = 0
        self.cache_entries: Callable[[], int] = int
        self.breakers: Callable[[], Mapping[str, bool]] = dict
        self.reuse: Callable[[], Snapshot] = dict
        self._routes: dict[str, frozenset[str]] = {}
        self._digest = ""
        self._series: dict[tuple[str, str, str, str, int], _Series] = {}
        self._upstream: dict[tuple[str, str, int | str], _Histogram] = {}
        self._bought: dict[tuple[str, str, str], _Bought] = {}
        self._references: dict[tuple[str, str], int] = {}
        self._reloads = {"applied": 0, "refused": 0}

    def serve(self, config: Config) -> None:
        """Takes the Config that is served now: its names are the labels; counts of routes that are gone are dropped."""
        self._routes = {name: frozenset(route.backends) for name, route in config.routes.items()}
        self._digest = config.digest
        known = {*self._routes, OTHER, ""}
        self._series = {key: one for key, one in self._series.items() if key[0] in known}
        self._upstream = {key: one for key, one in self._upstream.items() if key[0] in known}
        self._bought = {key: one for key, one in self._bought.items() if key[0] in known}
        self._references = {key: one for key, one in self._references.items() if key[0] in known}

    def reloaded(self, result: Literal["applied", "refused"]) -> None:
        """Counts a new Config that was taken, or one that was not (wholly) fit to serve."""
        self._reloads[result] += 1

    def finished(self, decision: Decision) -> None:
        """Counts one request; call it after `Ledger.record`."""
        route = decision.route
        key = (route, decision.dialect, decision.cache, decision.backend, decision.status)
        series = self._series.get(key) or self._bounded(key)
        latency = decision.latency
        histogram = series.duration
        histogram.total += latency
        histogram.counts[bisect_left(BUCKETS, latency)] += 1
        first = decision.first_token
        if first is not None:
            histogram = series.first
            histogram.total += first
            histogram.counts[bisect_left(BUCKETS, first)] += 1
        usage = decision.usage
        if usage is not None:
            series.prompt += usage.prompt
            series.completion += usage.completion
        if decision.attempts:
            self.background(route, decision.attempts, decision.spent)
        reference = decision.reference
        if reference is not None and reference.cost:
            known = (route if route in self._routes else OTHER, reference.currency)
            self._references[known] = self._references.get(known, 0) + reference.cost

    def background(self, route: str, attempts: Sequence[Attempt], spent: Sequence[Spent]) -> None:
        """Counts upstream calls alone, and what they cost: those of a revalidation or a mirror."""
        backends = self._routes.get(route)
        if backends is None:
            route, backends = OTHER, frozenset()
        for attempt in attempts:
            backend = attempt.backend if attempt.backend in backends else OTHER
            key = (route, backend, attempt.outcome)
            histogram = self._upstream.get(key) or self._outcome(key)
            seconds = attempt.seconds
            histogram.total += seconds
            histogram.counts[bisect_left(BUCKETS, seconds)] += 1
        for part in spent:
            name = (route, part.backend if part.backend in backends else OTHER, part.currency)
            bought = self._bought.get(name)
            if bought is None:
                bought = self._bought[name] = _Bought()
            usage = part.usage
            bought.cost += part.cost
            bought.prompt += usage.prompt - usage.cached
            bought.cached += usage.cached
            bought.completion += usage.completion

    def _bounded(self, key: tuple[str, str, str, str, int]) -> _Series:
        route, dialect, cache, backend, code = key
        backends = self._routes.get(route)
        if backends is None:
            route, backends = OTHER if route else "", frozenset()
        if backend and backend not in backends:
            backend = OTHER
        # An upstream may answer with any number; 0 is shown as "other".
        code = code if 100 <= code <= 599 else 0
        return self._series.setdefault((route, dialect, cache, backend, code), _Series())

    def _outcome(self, key: tuple[str, str, int | str]) -> _Histogram:
        route, backend, outcome = key
        known = {known for _, _, known in self._upstream}
        if (isinstance(outcome, int) and not 100 <= outcome <= 599) or (
            outcome not in known and len(known) >= OUTCOMES
        ):
            outcome = OTHER
        return self._upstream.setdefault((route, backend, outcome), _Histogram())

    def snapshot(self) -> Snapshot:
        """All numbers of this worker now."""
        requests: dict[str, list[float]] = {}
        durations: dict[str, list[float]] = {}
        firsts: dict[str, list[float]] = {}
        reused: dict[str, list[float]] = {}
        for (route, dialect, cache, backend, code), series in self._series.items():
            count = sum(series.duration.counts)
            _add(requests, (route, dialect, cache, backend, str(code or OTHER)), [count])
            _add(durations, (route, cache), series.duration.numbers())
            if any(series.first.counts):
                _add(firsts, (route, cache), series.first.numbers())
            if cache in HITS:
                _add(reused, (route,), [series.prompt, series.completion])
        upstream: dict[str, list[float]] = {}
        for (route, backend, outcome), histogram in self._upstream.items():
            _add(upstream, (route, backend, str(outcome)), histogram.numbers())
        return {
            "requests": requests,
            "durations": durations,
            "firsts": firsts,
            "reused": reused,
            "upstream": upstream,
            "bought": {
                SEPARATOR.join(key): [one.cost / PICO, one.prompt, one.cached, one.completion]
                for key, one in self._bought.items()
            },
            "references": {SEPARATOR.join(key): [cost / PICO] for key, cost in self._references.items()},
            "inflight": {"": [self.inflight]},
            "entries": {"": [self.cache_entries()]},
            "breakers": {backend: [float(is_open)] for backend, is_open in self.breakers().items()},
            "config": {self._digest: [1]} if self._digest else {},
            "reloads": {result: [count] for result, count in self._reloads.items()},
            **self.reuse(),
            "workers": {str(self.worker): [float(_resident()), time.process_time()]},
        }


def merge(snapshots: Iterable[Snapshot]) -> Snapshot:
    """The workers' numbers together. Associative, and the empty snapshot changes nothing."""
    merged: Snapshot = {}
    for snapshot in snapshots:
        for family, series in snapshot.items():
            into = merged.setdefault(family, {})
            for labels, numbers in series.items():
                found = into.get(labels)
                if found is None:
                    into[labels] = list(numbers)
                elif family in _MAXIMA:
                    into[labels] = [max(a, b) for a, b in zip(found, numbers, strict=True)]
                else:
                    into[labels] = [a + b for a, b in zip(found, numbers, strict=True)]
    return merged


def _add(into: dict[str, list[float]], labels: tuple[str, ...], numbers: Sequence[float]) -> None:
    key = SEPARATOR.join(labels)
    found = into.get(key)
    into[key] = list(numbers) if found is None else [a + b for a, b in zip(found, numbers, strict=True)]


def _resident() -> int:
    """Resident memory of this process, bytes; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * sysconf("SC_PAGESIZE")
    except (OSError, ValueError, IndexError):
        return 0
