"""Where a worker's cache keeps its entries."""

from collections.abc import Callable

from sluice_sidecar.cache.stores.edge import EdgeStore
from sluice_sidecar.cache.stores.store import Store
from sluice_sidecar.options import GatewayOptions
from sluice_sidecar.peers import PeerHost, RemoteStore
from sluice_sidecar.telemetry import Snapshot


def store_for(
    options: GatewayOptions,
    *,
    purged: Callable[[str | None, str | None, str | None], None],
    counts: Callable[[], Snapshot],
) -> Store | None:
    """None without a data folder; the embedded store; with several workers worker 0 has it and serves the others.

    `purged` is told what another worker purged (policy, tenant, entry), `counts` gives this one's numbers.
    """
    if options.data is None:
        return None
    if options.workers > 1 and options.worker > 0:
        return RemoteStore(options.data / "run" / "peers.sock", options.worker, purged=purged, counts=counts)
    edge = EdgeStore(options.data / "cache")
    return PeerHost(options.data / "run" / "peers.sock", edge) if options.workers > 1 else edge
