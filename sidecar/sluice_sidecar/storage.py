"""Where a worker's cache keeps its entries."""

from collections.abc import Callable, Iterable

from sluice_sidecar.cache.stores.edge import EdgeStore
from sluice_sidecar.cache.stores.store import Store
from sluice_sidecar.options import GatewayOptions
from sluice_sidecar.peers import PeerHost, RemoteStore
from sluice_sidecar.telemetry import Snapshot


class Storage:
    """One worker's store: none without a data folder, else the embedded one; with several workers worker 0 has that
    and serves it to the others.

    `purged` is told what another worker purged (policy, tenant, entry), `counts` gives this one's numbers.
    """

    def __init__(
        self,
        options: GatewayOptions,
        *,
        purged: Callable[[str | None, str | None, str | None], None],
        counts: Callable[[], Snapshot],
    ) -> None:
        self.store: Store | None = None
        self._host: PeerHost | None = None
        if options.data is None:
            return
        socket = options.data / "run" / "peers.sock"
        if options.workers > 1 and options.worker > 0:
            self.store = RemoteStore(socket, options.worker, purged=purged, counts=counts)
            return
        self.store = EdgeStore(options.data / "cache")
        if options.workers > 1:
            self.store = self._host = PeerHost(socket, self.store)

    def others(self) -> Iterable[Snapshot]:
        """What the other workers counted, as far as they told."""
        return () if self._host is None else self._host.counts.values()
