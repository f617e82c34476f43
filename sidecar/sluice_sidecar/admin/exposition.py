"""A snapshot of `telemetry` as Prometheus or OpenMetrics text."""

from collections.abc import Iterable, Iterator

from prometheus_client import ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector, CollectorRegistry

from sluice_sidecar.ledger.decision import HITS
from sluice_sidecar.telemetry import BUCKETS, SEPARATOR, Snapshot

_EDGES = [*(str(edge) for edge in BUCKETS), "+Inf"]


class _Once(Collector):
    """Gives one snapshot's families."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterable[Metric]:
        return _families(self._snapshot)


_PROCESS = CollectorRegistry(auto_describe=False)
ProcessCollector(registry=_PROCESS)


class _Process(Collector):
    """The serving process's own metrics, by their standard names."""

    def collect(self) -> Iterable[Metric]:
        return _PROCESS.collect()


def render(snapshot: Snapshot, accept: str = "") -> tuple[bytes, str]:
    """(body, content type), in the format that an `Accept` header asks for; plain Prometheus text by default."""
    encode, content_type = choose_encoder(accept)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(snapshot))
    registry.register(_Process())
    return encode(registry), content_type


def _families(snapshot: Snapshot) -> Iterator[Metric]:
    yield from _requests(snapshot)
    yield from _upstreams(snapshot)
    yield from _money(snapshot)
    yield from _meaning(snapshot)
    yield from _prompts(snapshot)
    yield from _windows(snapshot)
    yield _gauge(snapshot, "entries", "sluice_cache_entries", "Answers in the cache.", ())
    yield _gauge(snapshot, "inflight", "sluice_inflight_requests", "Requests that are being answered.", ())
    yield _gauge(snapshot, "breakers", "sluice_breaker_open", "1 while a backend is left alone.", ("backend",))
    config = GaugeMetricFamily("sluice_config_info", "The configuration that is served.", labels=("digest",))
    for digest in snapshot.get("config", {}):
        config.add_metric((digest,), 1)
    yield config
    reloads = CounterMetricFamily("sluice_config_reloads", "New configurations by result.", labels=("result",))
    for result, numbers in snapshot.get("reloads", {}).items():
        reloads.add_metric((result,), numbers[0])
    yield reloads
    memory = GaugeMetricFamily("sluice_worker_resident_memory_bytes", "Resident memory.", labels=("worker",))
    cpu = CounterMetricFamily("sluice_worker_cpu_seconds", "Processor time.", labels=("worker",))
    for worker, numbers in snapshot.get("workers", {}).items():
        memory.add_metric((worker,), numbers[0])
        cpu.add_metric((worker,), numbers[1])
    yield from (memory, cpu)


def _requests(snapshot: Snapshot) -> Iterator[Metric]:
    requests = CounterMetricFamily(
        "sluice_requests",
        "Requests answered. cache: what the cache did; backend: who made the answer.",
        labels=("route", "dialect", "cache", "backend", "code"),
    )
    hits = CounterMetricFamily(
        "sluice_cache_hits", "Requests answered without an upstream call.", labels=("route", "strategy")
    )
    misses = CounterMetricFamily("sluice_cache_misses", "Requests that the cache could not answer.", labels=("route",))
    by_strategy: dict[tuple[str, str], float] = {}
    missed: dict[str, float] = {}
    for key, numbers in snapshot.get("requests", {}).items():
        labels = key.split(SEPARATOR)
        requests.add_metric(labels, numbers[0])
        route, cache = labels[0], labels[2]
        if cache in HITS:
            by_strategy[route, cache] = by_strategy.get((route, cache), 0) + numbers[0]
        elif cache == "miss":
            missed[route] = missed.get(route, 0) + numbers[0]
    for name, count in by_strategy.items():
        hits.add_metric(name, count)
    for route, count in missed.items():
        misses.add_metric((route,), count)
    yield from (requests, hits, misses)
    by = ("route", "cache")
    yield _histogram(snapshot, "durations", "sluice_request_duration_seconds", "Arrival to the answer's last byte.", by)
    yield _histogram(snapshot, "firsts", "sluice_time_to_first_token_seconds", "Arrival to a stream's first byte.", by)


def _upstreams(snapshot: Snapshot) -> Iterator[Metric]:
    calls = CounterMetricFamily(
        "sluice_upstream_requests",
        "Calls to backends, by status or what went wrong.",
        labels=("route", "backend", "outcome"),
    )
    durations: dict[str, list[float]] = {}
    for key, numbers in snapshot.get("upstream", {}).items():
        labels = key.split(SEPARATOR)
        calls.add_metric(labels, sum(numbers[1:]))
        name = SEPARATOR.join(labels[:2])
        found = durations.get(name)
        durations[name] = numbers if found is None else [a + b for a, b in zip(found, numbers, strict=True)]
    yield calls
    yield _histogram(
        {"upstream": durations},
        "upstream",
        "sluice_upstream_duration_seconds",
        "One call to a backend.",
        ("route", "backend"),
    )


def _money(snapshot: Snapshot) -> Iterator[Metric]:
    tokens = CounterMetricFamily(
        "sluice_tokens", "Tokens that backends were paid for.", labels=("route", "backend", "kind")
    )
    reused = CounterMetricFamily(
        "sluice_cache_tokens", "Tokens of answers that came from the cache.", labels=("route", "kind")
    )
    cost = CounterMetricFamily("sluice_cost", "Money paid to backends.", labels=("route", "backend", "currency"))
    without = CounterMetricFamily(
        "sluice_reference_cost", "Money that the reference backend would have cost.", labels=("route", "currency")
    )
    saved = GaugeMetricFamily(
        "sluice_saved",
        "Reference cost minus cost since the start. A gauge: an escalation that costs more lowers it.",
        labels=("route", "currency"),
    )
    balance: dict[tuple[str, str], float] = {}
    counts: dict[tuple[str, str, str], float] = {}
    for key, (amount, prompt, cached, completion) in snapshot.get("bought", {}).items():
        route, backend, currency = key.split(SEPARATOR)
        for kind, count in (("input", prompt), ("cached_input", cached), ("output", completion)):
            counts[route, backend, kind] = counts.get((route, backend, kind), 0) + count
        if currency:
            cost.add_metric((route, backend, currency), amount)
            balance[route, currency] = balance.get((route, currency), 0) - amount
    for labels, count in counts.items():
        tokens.add_metric(labels, count)
    for key, (amount,) in snapshot.get("references", {}).items():
        route, currency = key.split(SEPARATOR)
        without.add_metric((route, currency), amount)
        balance[route, currency] = balance.get((route, currency), 0) + amount
    for name, amount in balance.items():
        saved.add_metric(name, amount)
    for route, (prompt, completion) in snapshot.get("reused", {}).items():
        reused.add_metric((route, "input"), prompt)
        reused.add_metric((route, "output"), completion)
    yield from (tokens, reused, cost, without, saved)


def _meaning(snapshot: Snapshot) -> Iterator[Metric]:
    whose = ("policy", "strategy")
    is_open = GaugeMetricFamily("sluice_reuse_open", "1 while answers are reused by meaning.", labels=whose)
    bound = GaugeMetricFamily(
        "sluice_reuse_bound", "Upper bound on wrong answers per reused one; 1 while nothing is.", labels=whose
    )
    promised = GaugeMetricFamily(
        "sluice_reuse_promised_bound", "The bound that the policy promises (maxFalsePerHit).", labels=whose
    )
    for key, (opened, held, wanted) in snapshot.get("reuse", {}).items():
        names = key.split(SEPARATOR)
        is_open.add_metric(names, opened)
        bound.add_metric(names, held)
        promised.add_metric(names, wanted)
    hits = CounterMetricFamily("sluice_reuse_hits", "Answers reused by meaning.", labels=whose)
    checks = CounterMetricFamily("sluice_reuse_shadow_calls", "Reused answers that were asked again.", labels=whose)
    labels = CounterMetricFamily(
        "sluice_reuse_labels", "Proposed answers that became known as right or wrong.",
        labels=(*whose, "source", "result"),
    )  # fmt: skip
    for metric, family in ((hits, "reuse_hits"), (checks, "reuse_checks"), (labels, "reuse_labels")):
        for key, (count,) in snapshot.get(family, {}).items():
            metric.add_metric(key.split(SEPARATOR), count)
    yield from (is_open, bound, promised, hits, checks, labels)


def _prompts(snapshot: Snapshot) -> Iterator[Metric]:
    counts = CounterMetricFamily(
        "sluice_prompt_requests", "Requests whose system prompt was rewritten, or beyond its budget.",
        labels=("route", "result"),
    )  # fmt: skip
    for key, (count,) in snapshot.get("prompts", {}).items():
        counts.add_metric(key.split(SEPARATOR), count)
    drifts = CounterMetricFamily("sluice_prompt_drifts", "Prompts whose stable part changed.", labels=("route",))
    for route, (count,) in snapshot.get("prompt_drifts", {}).items():
        drifts.add_metric((route,), count)
    yield from (counts, drifts)
    stops, by = "1 for a rewrite that was stopped because answers got worse.", ("route", "rewrite")
    yield _gauge(snapshot, "prompt_stops", "sluice_prompt_rewrite_stopped", stops, by)


def _windows(snapshot: Snapshot) -> Iterator[Metric]:
    by = ("window",)
    queued = GaugeMetricFamily("sluice_batch_queued", "Deferred requests that wait.", labels=by)
    running = GaugeMetricFamily("sluice_batch_running", "Deferred requests that run.", labels=by)
    for name, (waiting, going) in snapshot.get("window_waits", {}).items():
        queued.add_metric((name,), waiting)
        running.add_metric((name,), going)
    oldest = "When the oldest deferred request that waits came in, unix time."
    yield from (queued, running, _gauge(snapshot, "window_oldest", "sluice_batch_oldest_timestamp_seconds", oldest, by))
    settled = CounterMetricFamily(
        "sluice_batch_requests", "Deferred requests that this gateway brought to their end.", labels=(*by, "result")
    )
    missed = CounterMetricFamily("sluice_batch_missed", "Of those, the ones after their deadline.", labels=by)
    for name, (done, failed, late) in snapshot.get("window_settled", {}).items():
        settled.add_metric((name, "done"), done)
        settled.add_metric((name, "failed"), failed)
        missed.add_metric((name,), late)
    money = "What deferred requests would have cost in real time, minus what was paid."
    yield from (settled, missed, _gauge(snapshot, "window_saved", "sluice_batch_saved", money, (*by, "currency")))


def _gauge(snapshot: Snapshot, family: str, name: str, text: str, labels: tuple[str, ...]) -> GaugeMetricFamily:
    metric = GaugeMetricFamily(name, text, labels=labels)
    for key, numbers in snapshot.get(family, {}).items():
        metric.add_metric(key.split(SEPARATOR) if labels else (), numbers[0])
    return metric


def _histogram(snapshot: Snapshot, family: str, name: str, text: str, labels: tuple[str, ...]) -> HistogramMetricFamily:
    metric = HistogramMetricFamily(name, text, labels=labels)
    for key, numbers in snapshot.get(family, {}).items():
        total, running, cumulative = numbers[0], 0.0, []
        for edge, count in zip(_EDGES, numbers[1:], strict=True):
            running += count
            cumulative.append((edge, running))
        metric.add_metric(key.split(SEPARATOR), cumulative, total)
    return metric
