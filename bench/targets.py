"""The figures that are promised, and where each is found in a run's results."""

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Target:
    """One promise: `scenario`'s `key` is at least or at most `value`."""

    what: str
    scenario: str
    key: str
    bound: Literal[">=", "<="]
    value: float
    unit: str
    if_short: str = ""
    """Where the time goes and what was tried, for a figure that is known to fall short on some machines."""

    def measured(self, results: dict[str, Any]) -> float | None:
        """What this run found, if it ran."""
        found = results.get(self.scenario, {}).get(self.key)
        return None if found is None else float(found)

    def kept(self, measured: float) -> bool:
        """Whether the promise holds."""
        return measured >= self.value if self.bound == ">=" else measured <= self.value


TARGETS = (
    Target(
        "pass-through",
        "passthrough",
        "rate",
        ">=",
        8000,
        "requests/s",
        "The stages below, the HTTP client and uvicorn (decision 0001) share the time with the kernel: two reads, two "
        "writes. Tried, and kept: head and body in one write, one timer for all watches, one idle timer a connection, "
        "cycles looked for rarely. Runs on a shared machine differ by a tenth.",
    ),
    Target("pass-through, p50 added at one connection", "passthrough", "added_p50_ms", "<=", 0.40, "ms"),
    Target("a caller who leaves: upstream closed, worst state's p99", "leaving", "worst_ms", "<=", 100, "ms"),
    Target("identical hit", "identical", "rate", ">=", 10_000, "requests/s"),
    Target("identical hit, p50 at one connection", "identical", "p50_ms", "<=", 0.30, "ms"),
    Target(
        "paraphrase hit, p50",
        "paraphrase",
        "p50_ms",
        "<=",
        5,
        "ms",
        "Most of it is the embedding, on the one core that it shares with the event loop; runs on a shared machine "
        "differ by a third. Not tried: half-precision vectors, batching across requests.",
    ),
    Target("stream, p50 added to the first byte", "streaming", "added_first_byte_p50_ms", "<=", 0.5, "ms"),
    Target("config swap under load, requests", "swap", "requests", ">=", 100_000, "requests"),
    Target("config swap under load, failed", "swap", "failed", "<=", 0, "requests"),
    Target("idle gateway without embedder", "idle", "without_embedder_mb", "<=", 80, "MB"),
    Target("idle gateway with embedder", "idle", "with_embedder_mb", "<=", 200, "MB"),
    Target("`sluice run` without a model, ready", "startup", "ready_s", "<=", 2, "s"),
    Target(
        "import of the gateway",
        "startup",
        "import_s",
        "<=",
        0.3,
        "s",
        "`import sluice_sidecar.app`. About half is pydantic itself, whose models are the Config contract, a tenth "
        "asyncio. Tried, and kept: loading cache, store, embedder and regular expressions only where needed. Tried: "
        "pydantic's deferred model building (moves the cost to the first Config, so it was left out).",
    ),
)
