"""One Config in its running form: built beside the one that serves, swapped in by one reference, never changed."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice_sidecar.ask import Problem
from sluice_sidecar.cache.normalise import check
from sluice_sidecar.callers import ANYONE, Callers, Key, read_keys
from sluice_sidecar.config import CAPABILITIES, SCHEMA, Cascade, Config, Credential, HttpCheck, Policy, Route
from sluice_sidecar.credentials import SecretSource
from sluice_sidecar.route.router import Router
from sluice_sidecar.upstream.request import parse_url

if TYPE_CHECKING:  # a gateway without prompt rules never loads them
    from sluice_sidecar.audit.governance import Governed


@dataclass(frozen=True, slots=True)
class ServedRoute:
    """A route with what it needs at run time."""

    route: Route
    router: Router
    policy: Policy | None
    governed: "Governed | None" = None


@dataclass(frozen=True, slots=True)
class Serving:
    """What the gateway serves. `refused` says which routes and policies it does not, and why."""

    config: Config
    routes: Mapping[str, ServedRoute]
    by_model: Mapping[str, ServedRoute]
    callers: Callers
    refused: Mapping[str, str]

    def find(self, model: str, key: Key | None) -> ServedRoute:
        """The route of a model name; raises Problem(404) with the nearest name that the caller may use."""
        served = self.by_model.get(model)
        if served is None or (key is not None and key.models is not None and model not in key.models):
            raise self._unknown(model, key)
        return served

    def names(self, key: Key | None) -> list[str]:
        """Model names that a caller may use."""
        return [name for name in self.by_model if key is None or key.models is None or name in key.models]

    def _unknown(self, model: str, key: Key | None) -> Problem:
        names = self.names(key)
        near = difflib.get_close_matches(model, names, 1)
        hint = f" Did you mean {near[0]}?" if near else f" Known: {', '.join(names[:8])}." if names else ""
        return Problem(404, "model_not_found", f"The model {model[:80]!r} does not exist here.{hint}", param="model")


def build(
    config: Config, credentials: SecretSource, router: Callable[[Route], Router], *, tenant: str = ANYONE,
    governed: "Callable[[Route], Governed | None]" = lambda _: None,
) -> Serving:  # fmt: skip
    """The running form of a Config; `tenant` is who all callers are where no keys are asked for, and `governed` makes
    what a route does with prompts.

    Raises ValueError when none of it can be served."""
    if config.schema_version > SCHEMA:
        raise ValueError(
            f"this gateway reads Config schema {SCHEMA}, not {config.schema_version}: upgrade the gateway first"
        )
    refused: dict[str, str] = {}
    routes: dict[str, ServedRoute] = {}
    for route in config.routes.values():
        policy = config.policies.get(route.policy) if route.policy else None
        lacks = _lacks(route) | (_lacks(policy) if policy else set())
        if lacks:
            refused[route.name] = f"needs {', '.join(sorted(lacks))}, which this gateway cannot do: upgrade it"
        elif route.policy and policy is None:
            refused[route.name] = f"its cache policy {route.policy} is missing from the Config"
        else:
            try:
                if policy is not None:
                    check(policy.ignore)
                check_grants(route, credentials)
                routes[route.name] = ServedRoute(route, router(route), policy, governed(route))
            except ValueError as error:
                refused[route.name] = str(error)
    by_model = {model: served for served in routes.values() for model in served.route.models}
    return Serving(config, routes, by_model, _callers(config, credentials, tenant), refused)


def _lacks(part: Route | Policy) -> set[str]:
    return set(part.requires) - CAPABILITIES


def check_grants(route: Route, credentials: SecretSource) -> None:
    """Raises ValueError where a route would send a credential to a host that its grant does not name."""
    for backend in route.backends.values():
        if backend.credential is not None:
            granted(credentials, backend.credential, backend.url, f"backend {backend.name}")
    if isinstance(route.strategy, Cascade):
        for one in route.strategy.checks:
            if isinstance(one, HttpCheck) and one.credential is not None:
                granted(credentials, one.credential, one.url, f"check {one.url}")


def granted(credentials: SecretSource, credential: Credential, url: str | None, who: str) -> None:
    """Raises ValueError where a credential may not be sent to a URL's host; `url` None: a managed model's address."""
    hosts = credentials.hosts(credential.secret, credential.key)
    if hosts is None:
        return
    host, place = "a managed model", ""
    if url is not None:
        origin, _ = parse_url(url)
        host = f"[{origin.host}]" if ":" in origin.host else origin.host
        place = f"{host}:{origin.port}"
    if not {host.lower(), place.lower()} & set(hosts):
        raise ValueError(
            f"{who}: the credential {credential.secret}/{credential.key} may not be sent to {place or host}; "
            f"to allow it, add the host to annotation sluice.dev/hosts of Secret {credential.secret}"
        )


def _callers(config: Config, credentials: SecretSource, tenant: str) -> Callers:
    secret = config.gateway.keys_secret
    return Callers(None if secret is None else read_keys(credentials.entries(secret)), tenant=tenant)
