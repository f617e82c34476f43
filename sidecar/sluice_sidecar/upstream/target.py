"""One backend seen through one dialect: all of an upstream call that does not change from request to request."""

from collections.abc import Mapping
from typing import Protocol

from sluice_sidecar.ask import Problem
from sluice_sidecar.config import Backend, Credential, Family, Resilience
from sluice_sidecar.dialects.dialect import Dialect
from sluice_sidecar.route.breaker import Breaker
from sluice_sidecar.route.budget import RetryBudget
from sluice_sidecar.upstream.headers import Header, forwarded
from sluice_sidecar.upstream.request import Origin, Timeouts, parse_url

PATHS: dict[Family, str] = {"openai": "/v1/chat/completions and /v1/embeddings", "anthropic": "/v1/messages"}
"""What a backend of a family answers, for messages."""

_ALWAYS: tuple[Header, ...] = ((b"content-type", b"application/json"), (b"accept-encoding", b"identity"))
_ANTHROPIC_VERSION: Header = (b"anthropic-version", b"2023-06-01")


class Values(Protocol):
    """Secret values by reference."""

    def get(self, secret: str, key: str) -> str | None:
        """The value of a reference, if there is one."""

    def where(self, secret: str, key: str) -> str:
        """Where it is looked for."""


class Secrets(Values, Protocol):
    """What of Credentials an upstream call needs."""

    @property
    def version(self) -> int:
        """Grows when a value changed."""


class Target:
    """Addresses, headers, timeouts, breaker and retry budget of a backend in a dialect."""

    __slots__ = (
        "_addresses",
        "_anthropic",
        "_headers",
        "_resilience",
        "_timeouts",
        "_version",
        "backend",
        "breaker",
        "budget",
        "dialect",
    )

    def __init__(self, backend: Backend, dialect: Dialect, breaker: Breaker, budget: RetryBudget) -> None:
        self.backend, self.dialect, self.breaker, self.budget = backend, dialect, breaker, budget
        self._addresses: dict[str, tuple[Origin, bytes]] = {}
        self._anthropic = dialect.family == "anthropic"
        self._version = -1
        self._headers: tuple[Header, ...] = ()
        self._resilience: Resilience | None = None
        self._timeouts: tuple[Timeouts, Timeouts] | None = None

    def address(self, url: str) -> tuple[Origin, bytes]:
        """Where to connect and what to ask for, under a base URL."""
        address = self._addresses.get(url)
        if address is None:
            try:
                origin, base = parse_url(url)
            except ValueError as error:
                raise Problem(500, "bad_backend_url", f"Backend {self.backend.name}: {error}") from None
            if len(self._addresses) > 64:  # replicas come and go; forget the gone
                self._addresses.clear()
            address = self._addresses[url] = origin, base + self.dialect.path.encode()
        return address

    def headers(self, secrets: Secrets, caller: Mapping[bytes, bytes]) -> list[Header]:
        """The headers to send: those of the caller that may pass, and our own, the credential among them.

        Raises Problem(500) when the credential's value is missing.
        """
        if secrets.version != self._version:
            self._headers = self._build(secrets)
            self._version = secrets.version
        headers = forwarded(caller, self._headers)
        if self._anthropic and b"anthropic-version" not in caller:
            headers.append(_ANTHROPIC_VERSION)
        return headers

    def _build(self, secrets: Secrets) -> tuple[Header, ...]:
        headers = list(_ALWAYS)
        credential = self.backend.credential
        if credential is not None:
            value = secret_value(secrets, credential, f"Backend {self.backend.name}")
            headers.append((b"x-api-key", value) if self._anthropic else (b"authorization", b"Bearer " + value))
        return tuple(headers)

    def timeouts(self, resilience: Resilience, *, live: bool) -> Timeouts:
        """Those of a call that has the whole time before it."""
        if self._resilience is not resilience or self._timeouts is None:
            self._resilience = resilience
            total = resilience.total
            # The head of a whole answer comes when the model is done, so only a stream's has a time of its own.
            self._timeouts = (
                Timeouts(resilience.connect, total, total),
                Timeouts(resilience.connect, min(resilience.first_token, total), total),
            )
        return self._timeouts[live]


def secret_value(secrets: Values, credential: Credential, who: str) -> bytes:
    """A credential's value for a header. Raises Problem(500) that says where to put it; never shows the value."""
    value = secrets.get(credential.secret, credential.key)
    reference = f"{credential.secret}/{credential.key}"
    if not value or not value.strip():
        where = secrets.where(credential.secret, credential.key)
        raise Problem(500, "credential_missing", f"{who}: the credential {reference} has no value: set {where}.")
    text = value.strip()
    if not (text.isascii() and text.isprintable()):
        raise Problem(
            500, "credential_invalid", f"{who}: the credential {reference} has characters no header may hold."
        )
    return text.encode()


def json_headers(secrets: Values, credential: Credential | None, who: str) -> list[Header]:
    """Headers of a call with JSON, and with a credential where one is wanted. Raises Problem(500), see secret_value."""
    headers = list(_ALWAYS)
    if credential is not None:
        headers.append((b"authorization", b"Bearer " + secret_value(secrets, credential, who)))
    return headers
