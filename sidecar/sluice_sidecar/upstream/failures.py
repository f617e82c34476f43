"""What a broken upstream call means: for the caller, for a retry and for the breaker."""

from dataclasses import dataclass

from sluice_sidecar.config import Backend
from sluice_sidecar.route.reply import NoAnswer
from sluice_sidecar.upstream.errors import (
    BadResponse,
    ConnectFailed,
    ConnectionReset_,
    ConnectTimeout,
    EgressDenied,
    FirstByteTimeout,
    ProxyRefused,
    TooLarge,
    TotalTimeout,
    UpstreamError,
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """Of one kind of failure. `again`: the same backend may be asked again, provided no head had come."""

    status: int
    code: str
    text: str
    again: bool
    blames: bool = True
    """Whether it speaks against the backend's health."""


_UNKNOWN = Meaning(502, "upstream_failed", "the call failed", again=False)

_MEANINGS: dict[type[UpstreamError], Meaning] = {
    ConnectFailed: Meaning(502, "connect_failed", "could not be connected to", again=True),
    ConnectTimeout: Meaning(504, "connect_timeout", "did not accept a connection in time", again=True),
    FirstByteTimeout: Meaning(504, "first_token_timeout", "did not begin to answer in time", again=False),
    TotalTimeout: Meaning(504, "total_timeout", "did not finish in time", again=False),
    ConnectionReset_: Meaning(502, "upstream_reset", "closed the connection", again=True),
    BadResponse: Meaning(502, "bad_upstream_answer", "did not answer in HTTP", again=False),
    TooLarge: Meaning(
        502, "answer_too_large", "gave an answer larger than this gateway takes", again=False, blames=False
    ),
    ProxyRefused: Meaning(502, "proxy_refused", "cannot be reached", again=False, blames=False),
    EgressDenied: Meaning(502, "egress_denied", "is at an address that may not be called", again=False, blames=False),
}


def meaning(error: UpstreamError) -> Meaning:
    """What an error of the client means."""
    return _MEANINGS.get(type(error), _UNKNOWN)


def no_answer(backend: Backend, error: UpstreamError) -> NoAnswer:
    """The Problem to raise for it."""
    what = meaning(error)
    detail = str(error)
    problem = NoAnswer(what.status, what.code, f"Backend {backend.name} {what.text}{': ' + detail if detail else ''}.")
    problem.again = what.again and error.before_head
    return problem


def bad_answer(backend: Backend, text: str, *, code: str = "bad_upstream_answer") -> NoAnswer:
    """A Problem for an answer that makes no sense."""
    return NoAnswer(502, code, f"Backend {backend.name} {text}.")
