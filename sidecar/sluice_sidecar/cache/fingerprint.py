"""Which asks are the same: everything that can change an answer, in two digests."""

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

import orjson

from sluice_sidecar.ask import Ask, Caller
from sluice_sidecar.cache.normalise import normalised, pruned, without
from sluice_sidecar.config import Policy, Route

if TYPE_CHECKING:
    from sluice_sidecar.dialects.dialect import Dialect

FORM = b"sluice/fingerprint/1"
"""The hash's key. Raise its number whenever what goes in changes: old entries are then never found, not misread."""

_KEPT = 1024
_prefixes: dict[tuple[str, str, str], blake2b] = {}


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Hex digests of 128 bits. `scope` covers everything but the last user text, `key` covers that too.

    `text` is the last user text, normalised; None where only identical reuse is possible (then key and scope cover
    the whole ask and are equal to no other's). `dialect` is how answers to it are read and written.
    """

    scope: str
    key: str
    text: str | None
    dialect: "Dialect" = field(compare=False, repr=False)
    tenant: str | None = field(default=None, compare=False)
    """Who asks, where tenants share the scope; None: the scope is one tenant's."""

    @property
    def partition(self) -> str:
        """Whose evidence an answer to this ask is: one scope of one tenant, also where tenants share entries."""
        return self.scope if self.tenant is None else f"{self.scope}/{self.tenant}"


def fingerprint(ask: Ask, route: Route, policy: Policy, caller: Caller) -> Fingerprint:
    """The fingerprint of `ask`, as `route` would answer it and `policy` would share it.

    Raises `regex.error` when one of the policy's `ignore` expressions is malformed.
    """
    hasher = _prefix(ask.dialect.name, route, policy).copy()
    who = [caller.tenant if policy.partition == "Tenant" else None]
    for name in policy.partition_headers:
        value = caller.headers.get(name.lower().encode("latin-1"))
        who.append(None if value is None else value.decode("latin-1"))
    skeleton, text = ask.dialect.skeleton(ask), ask.text
    if policy.ignore:
        skeleton = pruned(skeleton, policy.ignore)
        text = None if text is None else without(text, policy.ignore)
    # JSON documents one after the other delimit themselves: no two asks give the same bytes.
    rest = orjson.dumps(skeleton, option=orjson.OPT_SORT_KEYS)
    hasher.update(orjson.dumps(who) + rest + (b"0" if text is None else b"1"))
    scope, shared = hasher.hexdigest(), None if policy.partition == "Tenant" else caller.tenant
    if text is None:
        return Fingerprint(scope, scope, None, ask.dialect, shared)
    text = normalised(text)
    hasher.update(text.encode("utf-8", "surrogatepass"))
    return Fingerprint(scope, hasher.hexdigest(), text, ask.dialect, shared)


def _prefix(dialect: str, route: Route, policy: Policy) -> blake2b:
    """The part that is the same for every ask of one route, dialect and policy; kept for sealed ones."""
    sealed = (dialect, route.digest, policy.digest) if route.digest and policy.digest else None
    if sealed is not None and (known := _prefixes.get(sealed)) is not None:
        return known
    hasher = blake2b(digest_size=16, key=FORM)
    hasher.update(orjson.dumps([dialect, policy.name, policy.partition, policy.partition_headers, policy.ignore]))
    hasher.update(answering(route))
    if sealed is not None:
        if len(_prefixes) >= _KEPT:
            _prefixes.clear()
        _prefixes[sealed] = hasher
    return hasher


def answering(route: Route) -> bytes:
    """What of a route can change an answer, as canonical JSON: who is asked, and by which rule.

    Timeouts, retries, prices, mirrors, credentials and the cache's own settings are left out: changing them keeps
    the cache. `fallbacks` are in, because a fallback's answer is stored like any other.
    """
    backends = {
        name: [backend.url, backend.managed, backend.model, backend.families]
        for name, backend in route.backends.items()
    }
    strategy = route.strategy.model_dump(mode="json", by_alias=True)
    return orjson.dumps([backends, strategy, route.fallbacks], option=orjson.OPT_SORT_KEYS)
