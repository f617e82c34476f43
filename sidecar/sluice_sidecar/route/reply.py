"""What came back from a backend, and every call that was made for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sluice_sidecar.ask import Problem, Usage
from sluice_sidecar.config import Backend
from sluice_sidecar.dialects.dialect import Assembler
from sluice_sidecar.upstream.sse import Event

Headers = list[tuple[bytes, bytes]]


class Events(Protocol):
    """A live stream of events. Iterating raises Problem when the upstream breaks before the stream's own end."""

    def __aiter__(self) -> "Events": ...

    async def __anext__(self) -> Event: ...

    async def aclose(self) -> None:
        """Aborts the upstream at once; harmless when the stream is over."""


@dataclass(slots=True)
class Attempt:
    """One upstream call. A stream's figures are filled in as it goes on, and final when it is over or closed."""

    backend: str
    outcome: int | str
    """The upstream's status, or what went wrong: a Problem's code, or "cancelled"."""
    seconds: float
    first_token: float | None = None
    """Seconds until the first event of a stream."""
    usage: Usage | None = None
    estimated: bool = False
    """Whether `usage` is our estimate: the call was left before the upstream told."""
    verdict: str | None = None
    """A cascade's judgement: "accepted", or why it went on to the next stage."""


@dataclass(slots=True)
class Reply:
    """One backend's answer, good or bad: a whole one (`body`) or a live stream (`events`), never both."""

    backend: Backend
    status: int
    headers: Headers
    """The upstream's, without hop-by-hop ones, content-length, content-encoding and set-cookie."""
    body: bytes | None = None
    """The whole answer, errors too, as it came. None for a stream, and for a whole that was assembled from one."""
    whole: dict[str, Any] | None = None
    """The parsed answer, where it is a JSON object."""
    events: Events | None = None
    assembler: Assembler | None = None
    """Of a live stream: fed with every event before it is yielded, so the whole is had without parsing twice."""
    logprobs_added: bool = False
    """Log-probs were asked for that the caller did not ask for."""
    failed: str | None = None
    """Why this is an error although its status is 200; never to be stored. A stream may set it on its way."""
    attempts: tuple[Attempt, ...] = ()
    """Every upstream call made for this answer, in order, those of other backends too."""

    @property
    def retriable(self) -> bool:
        """Whether another backend may do better: throttled, timed out, or failing."""
        return self.failed is not None or self.status >= 500 or self.status in (408, 429)


class NoAnswer(Problem):
    """Nothing came from upstream. `attempts` are the calls that were made, as in Reply; `again` says whether the same
    backend may be asked again."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        retry_after: float | None = None,
        attempts: Sequence[Attempt] = (),
    ) -> None:
        super().__init__(status, code, message, retry_after=retry_after)
        self.attempts = tuple(attempts)
        self.again = False
