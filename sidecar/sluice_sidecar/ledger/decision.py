"""What became of one request, as the ledger, the metrics, the log and the console read it.

Money is an integer here: 1e-12 of a currency unit ("pico"), exact to add and a hundred times cheaper than Decimal.
It becomes a Decimal or a string only at the rim (`decimal`, `text`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, NamedTuple, Protocol

from sluice_sidecar.ask import Usage

PICO = 10**12
"""Pico units in one unit of a currency."""

CacheKind = Literal["identical", "paraphrase", "label", "template", "miss", "bypass", "flight", "stale", "none"]
"""What the cache did: `flight` shared another caller's running call, `none` is a route without a policy."""

HITS: frozenset[str] = frozenset({"identical", "paraphrase", "label", "template", "flight", "stale"})
"""Kinds that were answered without an upstream call of their own."""

Basis = Literal["measured", "original", "estimate", "unknown"]
"""Where a reference latency comes from: this request's own call to the reference, the call that made the cached answer,
a fit over other calls to the reference, or nowhere yet."""


class Attempt(Protocol):
    """One upstream call made for a request, as `sluice_sidecar.route.reply.Attempt` has it.

    `outcome` is the upstream's status or the name of what went wrong. `usage` is final when the call is over;
    `estimated` says that it is not the upstream's own. `verdict` is a cascade's judgement of the answer.
    """

    @property
    def backend(self) -> str: ...  # noqa: D102
    @property
    def outcome(self) -> int | str: ...  # noqa: D102
    @property
    def seconds(self) -> float: ...  # noqa: D102
    @property
    def first_token(self) -> float | None: ...  # noqa: D102
    @property
    def usage(self) -> Usage | None: ...  # noqa: D102
    @property
    def estimated(self) -> bool: ...  # noqa: D102
    @property
    def verdict(self) -> str | None: ...  # noqa: D102


class Spent(NamedTuple):
    """What one upstream call cost: `cost` in pico of `currency`, `usage` what it was charged for."""

    backend: str
    currency: str
    cost: int
    usage: Usage


@dataclass(slots=True)
class Reference:
    """What the route's reference backend would have cost (pico of `currency`) and taken (seconds, 90 % interval).

    `latency` None: nothing was seen of that backend yet. `low` and `high` None: too little to tell the spread.
    """

    backend: str
    currency: str
    cost: int
    priced: bool
    latency: float | None = None
    low: float | None = None
    high: float | None = None
    basis: Basis = "unknown"
    noise: float = 0.0
    """Standard deviation of one call around `latency`, seconds."""
    doubt: float = 0.0
    """Standard error of `latency` itself, shared by every estimate of one fit, seconds."""


@dataclass(slots=True)
class Decision:
    """One request, answered. The caller fills the first part; `Ledger.record` fills the second.

    `at` is Unix time of arrival; `latency` and `first_token` count from then, in seconds, to the answer's last and
    first byte. `took` is what the original call of a reused answer took, `backend` then names who made it.
    `usage` None, or all zero on a success: the ledger estimates from the character counts and says `estimated`.
    """

    id: str
    at: float
    route: str
    model: str
    tenant: str
    dialect: str
    stream: bool = False
    cache: CacheKind = "none"
    similarity: float | None = None
    backend: str = ""
    status: int = 200
    usage: Usage | None = None
    prompt_chars: int = 0
    answer_chars: int = 0
    latency: float = 0.0
    first_token: float | None = None
    took: float | None = None
    attempts: Sequence[Attempt] = ()
    error: str | None = None
    estimated: bool = False
    currency: str = ""
    cost: int = 0
    """In pico of `currency`; calls priced in another currency are in `spent` alone."""
    spent: Sequence[Spent] = ()
    reference: Reference | None = None
    saved: int = 0
    """The reference's cost minus `cost`, in pico of `currency`; negative where Sluice cost more."""

    @property
    def ok(self) -> bool:
        """Whether the caller got a whole answer: only then anything is compared with the reference."""
        return self.error is None and 200 <= self.status < 300


def decimal(pico: int) -> Decimal:
    """Amount in currency units, exact to 28 digits."""
    return Decimal(pico).scaleb(-12)


def text(pico: int) -> str:
    """Exact amount as plain digits, without an exponent: 1500000 -> "0.0000015"."""
    sign, (whole, part) = "-" if pico < 0 else "", divmod(abs(pico), PICO)
    return f"{sign}{whole}.{part:012d}".rstrip("0").rstrip(".")


def plain(decision: Decision) -> dict[str, Any]:
    """A decision as JSON-able data: money as strings, time in seconds."""
    usage, reference = decision.usage or Usage(), decision.reference
    return {
        "id": decision.id,
        "at": decision.at,
        "route": decision.route,
        "model": decision.model,
        "tenant": decision.tenant,
        "dialect": decision.dialect,
        "stream": decision.stream,
        "cache": decision.cache,
        "similarity": decision.similarity,
        "backend": decision.backend,
        "status": decision.status,
        "error": decision.error,
        "prompt_tokens": usage.prompt,
        "cached_tokens": usage.cached,
        "completion_tokens": usage.completion,
        "estimated": decision.estimated,
        "latency": decision.latency,
        "first_token": decision.first_token,
        "currency": decision.currency,
        "cost": text(decision.cost),
        "saved": text(decision.saved),
        "attempts": [
            {
                "backend": attempt.backend,
                "outcome": attempt.outcome,
                "seconds": attempt.seconds,
                "first_token": attempt.first_token,
                "verdict": attempt.verdict,
            }
            for attempt in decision.attempts
        ],
        "reference": None
        if reference is None
        else {
            "backend": reference.backend,
            "cost": text(reference.cost) if reference.priced else None,
            "latency": reference.latency,
            "low": reference.low,
            "high": reference.high,
            "basis": reference.basis,
        },
    }
