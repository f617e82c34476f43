"""One process of the operator: settings, logs, signals, ports, and the work between them."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress

from sluice_operator import certificates, health
from sluice_operator.admission import tls
from sluice_operator.admission.server import AdmissionServer
from sluice_operator.cluster import KubeCluster
from sluice_operator.cluster_error import ClusterError
from sluice_operator.metrics import Metrics
from sluice_operator.names import TOKEN_AUDIENCE
from sluice_operator.replica import Replica
from sluice_operator.settings import Settings, SettingsError, read
from sluice_operator.token_identity import TokenIdentity
from sluice_sidecar.version import __version__

WRONG = 2
"""Exit status for settings that are wrong."""
RENEW = 300.0
"""Seconds between two looks at the certificate."""
FIRST = 10.0
"""Seconds for which the work waits for the first certificate; it goes on without."""
AGAIN = 2.0
"""Seconds until such a look that failed is repeated."""

log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs until SIGTERM or SIGINT: 0. 1: it cannot go on, and the log says why; 2: wrong settings."""
    try:
        settings = read(sys.argv[1:] if arguments is None else arguments, os.environ)
    except SettingsError as wrong:
        print(wrong, file=sys.stderr)  # noqa: T201  (logs are not set up yet)
        return WRONG
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if settings.kubeconfig:
        os.environ["KUBECONFIG"] = settings.kubeconfig  # kopf reads it there
    try:
        asyncio.run(_until_told(settings))
    except Exception as failed:
        for error in _leaves(failed):
            log.error("%s: %s", type(error).__name__, error, exc_info=error)
        return 1
    return 0


async def _until_told(settings: Settings) -> None:
    """Operates until a signal."""
    stop = asyncio.Event()
    for told in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(told, stop.set)
    work, stopping = asyncio.ensure_future(operate(settings)), asyncio.ensure_future(stop.wait())
    await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not work.done():
        log.info("stopping")
        work.cancel()
    with suppress(asyncio.CancelledError):
        await work


async def operate(settings: Settings) -> None:
    """Operates until it is cancelled. Raises what ends the process: no way to the API server, a lost lease, a port."""
    metrics = Metrics()
    kubeconfig = os.environ.get("KUBECONFIG") or None
    async with KubeCluster.connect(kubeconfig, identity=settings.identity) as cluster:
        replica = Replica(settings, cluster, metrics, __version__)
        serves = asyncio.Event()

        def unready() -> str:
            closed = settings.webhook and not serves.is_set()
            return "the webhook has no certificate to serve yet" if closed else replica.unready()

        probes = health.application(replica.dead, unready, metrics.page)
        async with health.serving(probes, settings.health_host, settings.health_port) as port:
            log.info("health and metrics on port %d", port)
            async with asyncio.TaskGroup() as group:
                if settings.webhook:
                    group.create_task(_admit(settings, cluster, replica, serves))
                    # Gateways are told of the report server once, with the authority that it is trusted by.
                    with suppress(TimeoutError):
                        await asyncio.wait_for(serves.wait(), FIRST)
                await replica.run()


async def _admit(settings: Settings, cluster: KubeCluster, replica: Replica, serves: asyncio.Event) -> None:
    """Serves the webhook and reports, with a certificate that is kept good; sets `serves` once it does."""

    async def review(token: str) -> TokenIdentity | None:
        return await cluster.review_token(token, TOKEN_AUDIENCE)

    dns = tls.dns_names(settings.namespace, settings.cluster_domain)
    server = AdmissionServer(replica.inject, replica.reports, review)
    try:
        while True:
            try:
                kept = await certificates.keep(cluster, settings.namespace, dns, injection=settings.injection)
                replica.use(settings.installation(tls.ca_bundle(kept)))
                # Before it is served, so that the API server trusts it from its first call.
                trusted = not settings.injection or await _trusted(cluster, kept)
                server.use(kept.leaf)
                if not serves.is_set():
                    port = await server.start(settings.webhook_host, settings.webhook_port)
                    serves.set()
                    log.info("webhook and reports on port %d", port)
            except ClusterError as failed:
                log.warning("the certificate cannot be kept; again in %g s: %s", AGAIN, failed)
                trusted = False
            await asyncio.sleep(RENEW if trusted else AGAIN)
    finally:
        await server.stop()


async def _trusted(cluster: KubeCluster, kept: tls.Certificates) -> bool:
    """Whether the webhook trusts the certificates; reports are served all the same."""
    try:
        await certificates.trust(cluster, kept)
    except ClusterError as failed:
        log.warning("the webhook cannot be given its authority; again in %g s: %s", AGAIN, failed)
        return False
    return True


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _leaves(part)
    else:
        yield error
