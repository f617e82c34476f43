"""A gateway's life in a cluster: what main.py does for files, by the API server."""

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from sluice_sidecar.callers import ANYONE, pods_of
from sluice_sidecar.cluster.api import Api
from sluice_sidecar.cluster.credentials import ClusterCredentials
from sluice_sidecar.cluster.places import GATEWAY_NAME, Places
from sluice_sidecar.cluster.relayed import relayed
from sluice_sidecar.cluster.report import Reporter
from sluice_sidecar.cluster.source import Source
from sluice_sidecar.options import GatewayOptions
from sluice_sidecar.upstream.request import Origin, parse_url

if TYPE_CHECKING:
    from sluice_sidecar.app import Gateway
    from sluice_sidecar.config import Config

START_SECONDS = 10.0
"""After this long the data port opens without a Config too: a pod must not hang in its start for one broken route."""
FINISH_SECONDS = 115.0
"""How long a worker that is stopped may finish what runs: less than a lease, and than its pod's grace."""


class Cluster:
    """The parts of a gateway that know the cluster. Raises ValueError for options or an environment without which
    there is none."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._role: str = options.cluster
        if not options.namespace:
            raise ValueError("--cluster needs --namespace, or POD_NAMESPACE in the environment")
        if options.cluster == "sidecar" and not options.relay:
            raise ValueError("--cluster sidecar needs --relay, the URL of the shared gateway")
        if options.cluster == "batch" and options.workers > 1:
            raise ValueError("--cluster batch is one process, so that a window's concurrency is what it says")
        host = os.environ.get("KUBERNETES_SERVICE_HOST")
        if not host:
            raise ValueError("--cluster needs KUBERNETES_SERVICE_HOST, which every pod has")
        self.works = options.cluster == "batch"
        """Whether nobody calls it: it runs deferred requests."""
        self.finish = FINISH_SECONDS
        self._relay: str | None = options.relay if options.cluster == "sidecar" else None
        self._namespace: str = options.namespace
        relay = None if self._relay is None else parse_url(self._relay)[0]
        places = Places(options.run)
        self.credentials = ClusterCredentials(places, relay=None if relay is None else str(relay).partition("//")[2])
        self.options = _gateway_options(options, self.credentials, relay, places)
        port = int(os.environ.get("KUBERNETES_SERVICE_PORT", "443"))
        self._api = Api(host.strip("[]"), port, places.api_token, places.api_ca)
        self._places = places
        self._report_to: str | None = options.report_to

    async def live(self, gateway: "Gateway", open_port: Callable[[], Awaitable[None]]) -> None:
        """Serves until cancelled; opens the data port with the first Config, or after START_SECONDS."""
        reporter = Reporter(gateway, self._places.token, role=self._role, only=self._report_to)

        async def adopt(config: "Config") -> None:
            await gateway.swap(config if self._relay is None else relayed(config, self._relay))
            reporter.serves()

        source = Source(
            self._api,
            self._places,
            self._namespace,
            self.credentials,
            shared=self._relay is None,
            adopt=adopt,
            on_endpoints=gateway.set_endpoints,
            on_refused=reporter.refuses,
        )
        if self._relay is not None:
            from sluice_sidecar.cluster.passed_on import PassOn

            gateway.pass_on = PassOn(gateway, self._relay)
        elif not self.works:
            from sluice_sidecar.cluster.passed_on import Taking
            from sluice_sidecar.cluster.relay import Relay
            from sluice_sidecar.cluster.tokens import Tokens

            tokens = Tokens(self._api, self._namespace)
            gateway.relay, gateway.taking = Relay(gateway, tokens), Taking(gateway.deferring, tokens)
        try:
            async with asyncio.TaskGroup() as group:
                for follower in source.followers():
                    group.create_task(follower)
                group.create_task(source.run())
                await source.first(START_SECONDS)
                await open_port()
                if self.options.worker == 0:  # the books that it reads are those of all
                    await reporter.run()
        finally:
            await self._api.close()
            await reporter.close()


def _gateway_options(
    options: argparse.Namespace, credentials: ClusterCredentials, relay: Origin | None, places: Places
) -> GatewayOptions:
    names = [f"{GATEWAY_NAME}{tail}" for tail in _tails(options.namespace)]
    if relay is not None:
        names.append(relay.host)
    account = os.environ.get("POD_SERVICE_ACCOUNT", "")
    return GatewayOptions(
        credentials=credentials,
        data=options.data,
        batches=places.files if relay is None else None,
        batches_shared=relay is None,
        batches_run=options.cluster == "batch",
        allow_loopback=options.allow_loopback,
        worker=options.worker,
        workers=options.workers,
        access_log=not options.no_access_log,
        ca_bundle=places.ca_bundle,
        trusted=() if relay is None else ((relay.host, relay.port),),
        admin_hosts=tuple(names),
        tenant=ANYONE if relay is None else pods_of(account),
    )


def _tails(namespace: str) -> tuple[str, ...]:
    """What may follow a Service's name in its namespace."""
    return "", f".{namespace}", f".{namespace}.svc", f".{namespace}.svc.cluster.local"
