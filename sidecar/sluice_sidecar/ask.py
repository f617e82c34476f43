"""What a request asks for and what came of it: the data that travels through one exchange."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from sluice_sidecar.dialects.dialect import Dialect

Finish = Literal["complete", "truncated", "filtered", "tools", "unknown"]
"""Why an answer ended, in one vocabulary for all dialects."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts of one call; `cached` is the part of `prompt` that the upstream had cached."""

    prompt: int = 0
    cached: int = 0
    completion: int = 0


@dataclass(slots=True)
class Ask:
    """One parsed request. `body` is what `raw` says and is never changed in place."""

    dialect: "Dialect"
    raw: bytes
    body: dict[str, Any]
    model: str
    stream: bool = False
    wants_usage: bool = False
    """Whether the caller of a stream asked for the usage chunk."""
    wants_logprobs: bool = False
    text: str | None = None
    """The last message's text when it is the user's and text alone; None: only identical reuse is possible."""
    bypass: str | None = None
    """Why the cache must not be used, if so."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `headers` are the request's, names in lower case, the last of equal names winning."""

    tenant: str
    headers: Mapping[bytes, bytes] = field(default_factory=dict)


class Problem(Exception):  # noqa: N818  (it is what the caller is told, in the dialect's own error shape)
    """An answer that is an error: HTTP status, a stable `code`, a message that says what, where and how to mend it."""

    def __init__(
        self, status: int, code: str, message: str, *, param: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.param, self.retry_after = status, code, message, param, retry_after
