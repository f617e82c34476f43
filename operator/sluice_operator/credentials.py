"""Credentials in a cluster: which {secret, key} may be used, in which version, and where it may be sent. Pure.

A user's Secret is usable only with the label sluice.dev/credential; its values go only to the provider's own host or
to the hosts of its annotation. So nobody can use Sluice to read a Secret that they cannot read themselves.
"""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sluice_operator import names
from sluice_operator.checks import Path, problem_at
from sluice_operator.kinds import BatchWindow, CachePolicy, Kind, ModelRoute, SluiceGateway
from sluice_operator.kinds.references import SecretKey
from sluice_operator.kinds.stores import Redis
from sluice_operator.kinds.upstreams import Anthropic, Backend, OpenAI
from sluice_operator.problem import Problem
from sluice_sidecar import config

PROVIDER_HOSTS = {"openAI": "api.openai.com", "anthropic": "api.anthropic.com"}
"""Where a provider's key may go without an annotation."""

_PROVIDER_ADDRESSES = {OpenAI.model_fields["url"].default, Anthropic.model_fields["url"].default}
"""The providers' own addresses: a path or a port of one's own may lead elsewhere."""

LONGEST_ENTRY = 230
"""Characters of SECRET_KEY that fit, with a prefix, in a Secret's key of 253."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A user's Secret that is usable: the versions of its values, and where they may be sent."""

    versions: Mapping[str, str]
    """Key -> version."""
    hosts: tuple[str, ...] = ()
    """`host` (any port) or `host:port`, from its annotation."""


@dataclass(frozen=True, slots=True)
class ClusterView:
    """What compile knows of a cluster's Secrets: never a value."""

    grants: Mapping[str, Grant] = field(default_factory=dict)
    """Usable Secrets by name."""
    unlabelled: frozenset[str] = frozenset()
    """Secrets that exist and lack the label."""
    held: Mapping[str, str] = field(default_factory=dict)
    """Entry -> version: what gateways hold already, for sections whose Secret has gone."""


@dataclass(frozen=True, slots=True)
class Use:
    """One place of an object that uses a credential."""

    path: Path
    key: SecretKey
    address: str
    """URL or host:port that it is sent to."""
    provider: str = ""
    """openAI or anthropic where the address is the provider's own."""
    store: bool = False
    """Whether every gateway needs it for a store; else it stays in the shared one."""


def version_of(salt: str, value: str) -> str:
    """First 12 hexadecimal digits of HMAC-SHA256(salt, value): tells two values apart and gives neither away."""
    return hmac.new(salt.encode(), value.encode(), hashlib.sha256).hexdigest()[:12]


def keys_version(grant: Grant) -> str:
    """The version of a whole Secret: of its entries' versions, so that a gateway can compute it from the index."""
    text = config.canonical(dict(sorted(grant.versions.items())))
    return hashlib.sha256(text).hexdigest()[:12]


def entry(secret: str, key: str) -> str:
    """A value's key in the aggregated Secret. A Secret's name has no underscore, so no two are equal."""
    return f"{secret}_{key}"


def external_entry(secret: str, key: str) -> str:
    """A value's key in the stores' Secret."""
    return f"external-{entry(secret, key)}"


def may_go(hosts: tuple[str, ...] | list[str], address: str) -> bool:
    """Whether `hosts` (`host` for any port, `host:port` for one) allow an address: a URL, or host:port."""
    wanted, port = host_of(address)
    return any(allowed.strip().lower() in {wanted, f"{wanted}:{port}"} for allowed in hosts)


def host_of(address: str) -> tuple[str, int]:
    """Host in lower case, brackets of IPv6 kept, and port of a URL or of host:port. A wrong port is 0."""
    split = urlsplit(address if "://" in address else f"tcp://{address}")
    host = (split.hostname or "").lower()
    try:
        port = split.port or {"https": 443, "http": 80}.get(split.scheme, 0)
    except ValueError:
        port = 0
    return (f"[{host}]" if ":" in host else host), port


def uses(value: Kind) -> Iterator[Use]:
    """Every credential of a route, a policy or a gateway, but the callers' keys, which are sent nowhere."""
    if isinstance(value, ModelRoute):
        yield from _of_route(value)
    elif isinstance(value, CachePolicy):
        yield from _of_policy(value)
    elif isinstance(value, SluiceGateway) and value.spec.state and value.spec.state.redis:
        yield from _of_redis(value.spec.state.redis, ("spec", "state", "redis"))


def problems(value: Kind, view: ClusterView) -> Iterator[Problem]:
    """What is wrong with the credentials that an object names, at the exact fields."""
    for use in uses(value):
        yield from _problem(value, use, view)
    if isinstance(value, SluiceGateway) and value.spec.auth.keys:
        at: Path = ("spec", "auth", "keys", "secret")
        yield from _secret_problem(value, at, value.spec.auth.keys.secret, view)
    if isinstance(value, BatchWindow) and value.spec.webhooks:  # it signs, and is sent nowhere
        yield from _key_problem(value, ("spec", "webhooks", "signingKey"), value.spec.webhooks.signing_key, view)


def _of_route(route: ModelRoute) -> Iterator[Use]:
    for index, backend in enumerate(route.spec.backends):
        yield from _of_backend(backend, index)
    strategy = route.spec.strategy
    checks = (strategy.cascade.accept.checks if strategy and strategy.cascade else None) or ()
    for index, check in enumerate(checks):
        if check.http and check.http.api_key:
            path = ("spec", "strategy", "cascade", "accept", "checks", index, "http", "apiKey")
            yield Use(path, check.http.api_key, check.http.url)


def _of_backend(backend: Backend, index: int) -> Iterator[Use]:
    for name, upstream in (("openAI", backend.open_ai), ("anthropic", backend.anthropic), ("custom", backend.custom)):
        if upstream is None or upstream.api_key is None:
            continue
        own = isinstance(upstream, OpenAI | Anthropic) and upstream.url == type(upstream).model_fields["url"].default
        path = ("spec", "backends", index, name, "apiKey")
        yield Use(path, upstream.api_key, upstream.url, provider=name if own else "")


def _of_policy(policy: CachePolicy) -> Iterator[Use]:
    store, embedding = policy.spec.store, policy.spec.embedding.open_ai
    at: Path = ("spec", "store")
    if store.qdrant and store.qdrant.url and store.qdrant.api_key:
        yield Use((*at, "qdrant", "apiKey"), store.qdrant.api_key, store.qdrant.url, store=True)
    if store.redis:
        yield from _of_redis(store.redis, (*at, "redis"))
    if store.pinecone:
        yield Use((*at, "pinecone", "apiKey"), store.pinecone.api_key, store.pinecone.url, store=True)
    if embedding and embedding.api_key:
        yield Use(("spec", "embedding", "openAI", "apiKey"), embedding.api_key, embedding.url, store=True)
    verifier = policy.spec.verifier
    if verifier and verifier.endpoint and verifier.endpoint.api_key:
        path = ("spec", "reuse", "paraphrase", "verifier", "endpoint", "apiKey")
        yield Use(path, verifier.endpoint.api_key, verifier.endpoint.url, store=True)


def _of_redis(redis: Redis, at: Path) -> Iterator[Use]:
    if redis.address and redis.password:
        yield Use((*at, "password"), redis.password, redis.address, store=True)


def _problem(value: Kind, use: Use, view: ClusterView) -> Iterator[Problem]:
    missing = list(_key_problem(value, use.path, use.key, view))
    if missing:
        yield from missing
        return
    secret = use.key.secret
    if not may_go(granted_hosts(view.grants[secret], use), use.address):
        host, port = host_of(use.address)
        message = (
            f'Secret "{secret}" may not be sent to {host}; its annotation {names.HOSTS} must name "{host}" '
            f'or "{host}:{port}"'
        )
        yield problem_at(value, use.path, "CredentialNotGranted", message)


def _key_problem(value: Kind, path: Path, wanted: SecretKey, view: ClusterView) -> Iterator[Problem]:
    """What is wrong with a reference itself, wherever its value goes."""
    secret, key = wanted.secret, wanted.key
    missing = list(_secret_problem(value, (*path, "secret"), secret, view))
    if missing:
        yield from missing
    elif key not in view.grants[secret].versions:
        message = f'Secret "{secret}" has no text under the key "{key}"'
        known = view.grants[secret].versions
        yield problem_at(value, (*path, "key"), "SecretKeyNotFound", message, given=key, known=known)
    elif len(entry(secret, key)) > LONGEST_ENTRY:
        message = f"the names of the Secret and its key have more than {LONGEST_ENTRY} characters together"
        yield problem_at(value, path, "CredentialNameTooLong", message)


def granted_hosts(grant: Grant, use: Use) -> tuple[str, ...]:
    """Where a value may go when it is used so."""
    return (*grant.hosts, PROVIDER_HOSTS[use.provider]) if use.provider else grant.hosts


def provider_host(address: str) -> str | None:
    """The host of a provider's own address; None for any other.

    For sections of a Config, which do not say of which kind a backend was. They are the operator's own: it granted the
    address once, by the kind or by the annotation, and one that somebody else wrote is never read (see its signature).
    """
    return host_of(address)[0] if address in _PROVIDER_ADDRESSES else None


def _secret_problem(value: Kind, path: Path, secret: str, view: ClusterView) -> Iterator[Problem]:
    if secret in view.grants:
        return
    if secret in view.unlabelled:
        message = f'Secret "{secret}" is not released for Sluice; its label {names.CREDENTIAL} must be "true"'
        yield problem_at(value, path, "CredentialNotGranted", message)
    else:
        message = f'there is no Secret "{secret}" with the label {names.CREDENTIAL}: "true"'
        yield problem_at(value, path, "SecretNotFound", message, given=secret, known=view.grants)


def section_uses(route: config.Route) -> Iterator[tuple[config.Credential, str]]:
    """Credentials of a section of Config, and the addresses that they are sent to."""
    for backend in route.backends.values():
        if backend.credential and backend.url:
            yield backend.credential, backend.url
    if isinstance(route.strategy, config.Cascade):
        for check in route.strategy.checks:
            if isinstance(check, config.HttpCheck) and check.credential:
                yield check.credential, check.url


def versioned(route: config.Route, view: ClusterView) -> config.Route:
    """The section with the versions that its credentials have now; those whose Secret has gone keep theirs."""

    def renewed(credential: config.Credential | None) -> config.Credential | None:
        if credential is None:
            return None
        grant = view.grants.get(credential.secret)
        version = grant.versions.get(credential.key) if grant else None
        return credential.model_copy(update={"version": version or credential.version})

    backends = {
        name: backend.model_copy(update={"credential": renewed(backend.credential)})
        for name, backend in route.backends.items()
    }
    strategy = route.strategy
    if isinstance(strategy, config.Cascade):
        checks = tuple(
            check.model_copy(update={"credential": renewed(check.credential)})
            if isinstance(check, config.HttpCheck)
            else check
            for check in strategy.checks
        )
        strategy = strategy.model_copy(update={"checks": checks})
    return route.model_copy(update={"backends": backends, "strategy": strategy})


def window_versioned(window: config.BatchWindow, view: ClusterView) -> config.BatchWindow:
    """The section with the version that its signing key has now; one whose Secret has gone keeps its own.

    Without webhooks, where the Secret's owner took it back: what is not released signs nothing.
    """
    if window.webhooks is None:
        return window
    key = window.webhooks.signing_key
    if key.secret in view.unlabelled:
        return window.model_copy(update={"webhooks": None})
    grant = view.grants.get(key.secret)
    version = (grant.versions.get(key.key) if grant else None) or key.version
    signed = window.webhooks.model_copy(update={"signing_key": key.model_copy(update={"version": version})})
    return window.model_copy(update={"webhooks": signed})


def may_be_kept(route: config.Route, view: ClusterView) -> bool:
    """Whether a section that was published before may still be served with its credentials.

    A Secret that vanished leaves the section as it is, with the value that gateways hold; a grant that was withdrawn
    ends it: what its owner took back is not sent any more.
    """
    for credential, address in section_uses(route):
        grant = view.grants.get(credential.secret)
        if credential.secret in view.unlabelled:
            return False
        if grant is not None and not may_go(grant.hosts, address) and provider_host(address) is None:
            return False
        gone = grant is None or credential.key not in grant.versions
        if gone and view.held.get(entry(credential.secret, credential.key)) != credential.version:
            return False
    return True
