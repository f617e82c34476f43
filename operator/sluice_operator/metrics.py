"""What the operator counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import generate_latest

from sluice_operator.cluster_error import ClusterError
from sluice_operator.engine import Verb
from sluice_operator.plan.plan import Ref
from sluice_operator.sources import Source

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """One process's figures in a registry of their own; the engine's observer."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self.leader = Gauge("sluice_operator_leader", "1 while this replica leads.", registry=registry)
        self.depth = Gauge(
            "sluice_operator_queue_depth", "Namespaces that are due and wait for a worker.", registry=registry
        )
        self.objects = Gauge("sluice_operator_objects", "Objects in the mirror.", registry=registry)
        self._reconciles = Histogram(
            "sluice_operator_reconcile_seconds",
            "Time to look at one namespace and to write what differs.",
            ["result"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._writes = Counter("sluice_operator_writes", "Accepted writes.", ["verb", "kind"], registry=registry)
        self._failures = Counter(
            "sluice_operator_write_failures", "Refused or failed writes.", ["verb", "kind", "reason"], registry=registry
        )
        self._restarts = Counter(
            "sluice_operator_watch_restarts", "Watches that listed anew.", ["resource"], registry=registry
        )
        self._missed = Counter(
            "sluice_operator_watch_missed",
            "Objects that the periodic list found before a watch told of them.",
            ["resource"],
            registry=registry,
        )
        # Both results are there from the start, so that a rate over them never lacks one.
        for result in ("success", "error"):
            self._reconciles.labels(result)

    def wrote(self, verb: Verb, ref: Ref) -> None:
        """Counts a write."""
        self._writes.labels(verb, ref.kind).inc()

    def failed(self, verb: Verb, error: ClusterError) -> None:
        """Counts a write that failed."""
        self._failures.labels(verb, error.ref.kind, error.reason).inc()

    def reconciled(self, seconds: float, *, success: bool) -> None:
        """Counts one look at a namespace."""
        self._reconciles.labels("success" if success else "error").observe(seconds)

    def restarted(self, source: Source) -> None:
        """Counts a watch that began anew."""
        self._restarts.labels(str(source)).inc()

    def missed(self, source: Source, count: int) -> None:
        """Counts what a watch did not tell in time."""
        self._missed.labels(str(source)).inc(count)

    def page(self) -> bytes:
        """All of it as Prometheus reads it."""
        return generate_latest(self._registry)
