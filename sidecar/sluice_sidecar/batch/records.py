"""What the queue keeps, as plain data. Times are unix seconds, sizes bytes."""

import math
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal

Kind = Literal["openai", "anthropic", "single"]
"""By whose wire a batch came; single: one deferred request."""
Status = Literal[
    "validating", "failed", "in_progress", "finalizing", "completed", "expired", "cancelling", "cancelled"
]  # fmt: skip
"""OpenAI's words; the other wires translate them."""

LINE_BITS = 20
"""A request's id is its batch's sequence number and its line, which has this many bits: at most 1,048,576 lines."""


class State(IntEnum):
    """Where a request is. Those from DONE on are final."""

    QUEUED = 0
    RUNNING = 1
    WAITING = 2
    """Tried and failed; queued again when its time comes."""
    DONE = 3
    """Answered well."""
    FAILED = 4
    """Answered with an error, or tried too often."""
    CANCELLED = 5
    EXPIRED = 6


@dataclass(frozen=True, slots=True)
class File:
    """One file of a tenant."""

    id: str
    tenant: str
    purpose: str
    filename: str
    bytes: int
    created: float
    expires: float


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch. `note` holds what the wire shows and the queue does not read (metadata, errors)."""

    seq: int
    id: str
    tenant: str
    kind: Kind
    path: str
    input: str
    status: Status
    created: float
    expires: float
    urgency: int
    total: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    expired: int = 0
    begun: float | None = None
    finalizing: float | None = None
    cancelling: float | None = None
    ended: float | None = None
    output: str | None = None
    errors: str | None = None
    note: dict[str, Any] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Whether every request of it has come to its end."""
        return self.completed + self.failed + self.cancelled + self.expired >= self.total


@dataclass(frozen=True, slots=True)
class Entry:
    """One request on its way into the queue: where its line lies in the batch's input, and how it is grouped."""

    line: int
    custom_id: str
    offset: int
    length: int
    route: str
    prefix: bytes


@dataclass(frozen=True, slots=True)
class Task:
    """A claimed request. Whoever holds its `token` may write its result, until the lease ends and another claims it."""

    id: int
    token: int
    attempt: int
    """From 1."""
    batch: int
    tenant: str
    route: str
    path: str
    input: str
    offset: int
    length: int
    kind: Kind
    headers: tuple[tuple[bytes, bytes], ...] = ()
    """Of the caller's, those that can change the answer."""
    models: frozenset[str] | None = None
    """Names that the caller may use; None: all."""
    made: float = math.inf
    """When it came in, unix seconds."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a request: its answer as it would have gone over the wire. `request` names it in the ledger."""

    status: int
    request: str
    body: bytes

    @property
    def good(self) -> bool:
        """Whether it is the answer that was asked for."""
        return self.status == 200


@dataclass(frozen=True, slots=True)
class Finished:
    """A request at its end: `result` None where none came."""

    line: int
    custom_id: str
    state: State
    result: Result | None


@dataclass(frozen=True, slots=True)
class Sight:
    """A batch as it was seen. `place`: state and route of its first request, and how many go before the batch; None:
    its input is not read yet, or it has ended."""

    batch: Batch
    place: tuple[State, str, int] | None


@dataclass(frozen=True, slots=True)
class Lane:
    """What one tenant has waiting for one route."""

    id: int
    route: str
    tenant: str
    queued: int
    running: int
