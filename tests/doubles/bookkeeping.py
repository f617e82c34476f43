"""Routes, calls and decisions for tests of what reads them, and a stand-in for the gateway behind the admin port."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sluice_sidecar.ask import Usage
from sluice_sidecar.cache.stores.store import StoreError
from sluice_sidecar.config import Backend, Config, Price, Route, Single
from sluice_sidecar.ledger.decision import Decision
from sluice_sidecar.ledger.ledger import Ledger
from sluice_sidecar.telemetry import Snapshot, Telemetry

SMALL = Price.model_validate({"input": "0.02", "cached_input": "0.01", "output": "0.06"})
LARGE = Price.model_validate({"input": "2", "cached_input": "0.5", "output": "8"})
NOON = 1_750_000_000.0
"""A moment, Unix time."""

_ids = count(1)


@dataclass(frozen=True)
class Call:
    """One upstream call."""

    backend: str
    seconds: float = 1.0
    usage: Usage | None = field(default_factory=lambda: Usage(100, 0, 50))
    outcome: int | str = 200
    first_token: float | None = None
    estimated: bool = False
    verdict: str | None = None


def route(
    name: str = "support", *, small: Price | None = SMALL, large: Price | None = LARGE, reference: str = "large"
) -> Route:
    """Two backends, `small` and `large`; the latter is the reference."""
    return Route(
        name=name,
        models=("auto",),
        backends={
            "small": Backend(name="small", managed="smollm2", price=small),
            "large": Backend(
                name="large", url="https://user:pass@api.example.com/v1?key=hush", model="big", price=large
            ),
        },
        strategy=Single(backend="small"),
        reference=reference,
    )


def decision(**given: Any) -> Decision:
    """A miss that `large` answered, unless told otherwise."""
    plain: dict[str, Any] = {
        "id": f"r{next(_ids)}",
        "at": NOON,
        "route": "support",
        "model": "auto",
        "tenant": "acme",
        "dialect": "openai_chat",
        "cache": "miss",
        "backend": "large",
        "usage": Usage(100, 0, 50),
        "latency": 1.0,
    }
    return Decision(**{**plain, **given})


def hit(**given: Any) -> Decision:
    """An identical hit on an answer of `large`."""
    return decision(**{"cache": "identical", "latency": 0.0004, "took": 1.2, **given})


@dataclass
class Gateway:
    """What the admin port reads, with a real ledger and real telemetry."""

    ledger: Ledger = field(default_factory=Ledger)
    counts: Telemetry = field(default_factory=Telemetry)
    served: Config | None = None
    not_served: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    purged: list[Mapping[str, str | None]] = field(default_factory=list)
    proven: Mapping[str, Any] = field(default_factory=lambda: {"keep": {"label": {"open": True, "bound": 0.009}}})
    reused: list[Mapping[str, Any]] = field(default_factory=lambda: [{"request": "r2"}, {"request": "r1"}])
    queue: Mapping[str, Any] = field(default_factory=lambda: {"reason": None, "windows": [], "batches": []})
    brought: list[tuple[str, bytes]] = field(default_factory=list)

    def config(self) -> Config | None:
        return self.served

    def refused(self) -> Mapping[str, str]:
        return self.not_served

    def ready(self) -> tuple[bool, Sequence[str]]:
        return not self.missing, self.missing

    def evidence(self) -> Mapping[str, Any]:
        return self.proven

    def hits(self, n: int) -> Sequence[Mapping[str, Any]]:
        return self.reused[:n]

    async def prompts(self) -> Mapping[str, Any]:
        return {"prompts": [], "drift": [], "rewrites": [], "not_looked_at": 0}

    async def batches(self) -> Mapping[str, Any]:
        return self.queue

    async def webhooks(self) -> Mapping[str, Any]:
        return {"endpoints": [], "at_once": 32}

    async def telemetry(self) -> Snapshot:
        return self.counts.snapshot()

    async def purge(self, *, policy: str | None, tenant: str | None, entry: str | None) -> int:
        self.purged.append({"policy": policy, "tenant": tenant, "entry": entry})
        return 3

    async def import_entries(self, policy: str, lines: bytes) -> Mapping[str, Any]:
        self.brought.append((policy, lines))
        return {"stored": lines.count(b"\n"), "known": 0, "expired": 0, "refused": [], "store": "open"}

    async def export_entries(self, policy: str) -> AsyncIterator[bytes]:
        if policy == "elsewhere":
            raise StoreError("this store cannot list its entries")
        for number in range(3):
            if policy == "breaks" and number == 2:
                raise StoreError("the server went away")
            yield b'{"key": "%d"}\n' % number
