"""Who asks: API keys to tenants. Keys are held as SHA-256 digests only; no header but the key names a tenant."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time

from sluice_sidecar.ask import Caller, Problem

ANYONE = "default"
"""The one tenant of a gateway without keys."""


def pods_of(account: str) -> str:
    """The tenant that a service account's pods are."""
    return f"sa:{account or 'default'}"


@dataclass(frozen=True, slots=True)
class Key:
    """One API key's rights. `expires` is unix seconds; `models` None means all."""

    tenant: str
    expires: float | None = None
    models: frozenset[str] | None = None


class Callers:
    """Authenticates by `Authorization: Bearer`, `x-api-key` or `api-key`."""

    def __init__(self, keys: Mapping[bytes, Key] | None, *, tenant: str = ANYONE) -> None:
        """`keys` by the SHA-256 of the API key; None: no keys are asked for and all callers are the one `tenant`."""
        self._keys, self._tenant = keys, tenant

    @property
    def tenants(self) -> frozenset[str]:
        """Everyone who can ask."""
        return frozenset({self._tenant} if self._keys is None else (key.tenant for key in self._keys.values()))

    def authenticate(self, headers: Mapping[bytes, bytes], now: float) -> tuple[Caller, Key | None]:
        """The caller of a request; raises Problem(401) for a missing, unknown or expired key."""
        if self._keys is None:
            return Caller(self._tenant, headers), None
        given = presented(headers)
        if given is None:
            raise Problem(401, "missing_api_key", "No API key: send Authorization: Bearer KEY, x-api-key or api-key.")
        key = self._keys.get(hashlib.sha256(given).digest())
        if key is None:
            raise Problem(401, "invalid_api_key", "This API key is not known to this gateway.")
        if key.expires is not None and now >= key.expires:
            raise Problem(401, "expired_api_key", "This API key has expired.")
        return Caller(key.tenant, headers), key


def presented(headers: Mapping[bytes, bytes]) -> bytes | None:
    """The API key that a request carries, if any."""
    authorization = headers.get(b"authorization")
    if authorization is not None and authorization[:7].lower() == b"bearer ":
        return authorization[7:].strip() or None
    return headers.get(b"x-api-key") or headers.get(b"api-key") or None


def read_keys(entries: Mapping[str, str]) -> dict[bytes, Key]:
    """Keys of a secret whose entries are tenants.

    A value holds keys, one a line or separated by commas: `KEY` or `sha256:HEX`, then optional `expires=2027-01-31` and
    `models=a|b`. Raises ValueError naming the tenant, never the key.
    """
    keys: dict[bytes, Key] = {}
    for tenant, value in entries.items():
        for line in value.replace(",", "\n").split("\n"):
            words = line.split()
            if not words:
                continue
            digest = _digest(words[0], tenant)
            key = _key(tenant, words[1:])
            if keys.setdefault(digest, key).tenant != tenant:
                raise ValueError(f"tenants {keys[digest].tenant} and {tenant} have the same API key: give each its own")
    return keys


def _digest(word: str, tenant: str) -> bytes:
    if not word.startswith("sha256:"):
        return hashlib.sha256(word.encode()).digest()
    try:
        digest = bytes.fromhex(word[7:])
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise ValueError(f"tenant {tenant}: sha256: wants 64 hexadecimal digits")
    return digest


def _key(tenant: str, rights: list[str]) -> Key:
    expires: float | None = None
    models: frozenset[str] | None = None
    for word in rights:
        name, _, value = word.partition("=")
        if name == "models" and value:
            models = frozenset(value.split("|"))
        elif name == "expires":
            expires = _moment(value, tenant)
        else:
            raise ValueError(f"tenant {tenant}: after a key only expires=DATE and models=a|b may stand, not {name}")
    return Key(tenant, expires, models)


def _moment(text: str, tenant: str) -> float:
    """Unix seconds of an ISO date (its start, UTC) or time."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"tenant {tenant}: expires wants a date such as 2027-01-31, not {text!r}") from None
    if len(text) == 10:
        when = datetime.combine(when.date(), time(), UTC)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
