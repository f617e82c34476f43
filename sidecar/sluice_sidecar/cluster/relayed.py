"""What a sidecar serves of a Config: every call that needs a credential goes through the shared gateway. Pure."""

from collections.abc import Iterator
from urllib.parse import quote

from sluice_sidecar.cluster.credentials import RELAY
from sluice_sidecar.cluster.places import STORE_SECRET
from sluice_sidecar.config import Backend, Cascade, Check, Config, Credential, HttpCheck, Route

PREFIX = "/-/relay/"
"""Path under which the shared gateway takes relayed calls: PREFIX + ROUTE/BACKEND or ROUTE/checks/INDEX."""


def relayed(config: Config, base: str) -> Config:
    """`config` with each backend and check that has a credential at `base` (the shared gateway's URL), called with the
    pod's own token. Digests stay: they say what the operator wrote. Callers' keys are not asked for in a sidecar."""
    gateway = config.gateway.model_copy(update={"keys_secret": None, "keys_version": None})
    routes = {
        name: _route(route, base.rstrip("/") + PREFIX + quote(name, safe="")) for name, route in config.routes.items()
    }
    return config.model_copy(update={"routes": routes, "gateway": gateway})


def check_stores(config: Config) -> None:
    """Raises ValueError where a store or the state wants a credential that is not one for stores: whoever can write the
    ConfigMap must not get others sent to an address of his."""
    for credential in _of_stores(config):
        if credential.secret != STORE_SECRET:
            raise ValueError(f"a store may use credentials of Secret {STORE_SECRET} only, not of {credential.secret}")


def _of_stores(config: Config) -> Iterator[Credential]:
    servers = [config.gateway.state, *(policy.store for policy in config.policies.values())]
    for server in servers:
        if server is not None:
            yield from server.credentials()


def _route(route: Route, base: str) -> Route:
    backends = {name: _backend(backend, f"{base}/{quote(name, safe='')}") for name, backend in route.backends.items()}
    strategy = route.strategy
    if isinstance(strategy, Cascade):
        checks = tuple(_check(check, f"{base}/checks/{index}") for index, check in enumerate(strategy.checks))
        strategy = strategy.model_copy(update={"checks": checks})
    return route.model_copy(update={"backends": backends, "strategy": strategy})


def _backend(backend: Backend, url: str) -> Backend:
    if backend.credential is None:
        return backend
    return backend.model_copy(update={"url": url, "managed": None, "credential": RELAY})


def _check(check: Check, url: str) -> Check:
    if not isinstance(check, HttpCheck) or check.credential is None:
        return check
    return check.model_copy(update={"url": url, "credential": RELAY})
