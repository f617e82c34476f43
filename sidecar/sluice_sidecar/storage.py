"""Where a worker's cache keeps its entries."""

from collections.abc import Callable, Iterable, Mapping

from sluice_sidecar.cache.stores.edge import EdgeStore
from sluice_sidecar.cache.stores.store import Store
from sluice_sidecar.config import Config, Egress, FaissStore, SharedStore
from sluice_sidecar.options import GatewayOptions
from sluice_sidecar.peers import PeerHost, RemoteStore
from sluice_sidecar.telemetry import Snapshot
from sluice_sidecar.upstream.guard import Guard


class Storage:
    """One worker's store: none without a data folder, else the embedded one; with several workers worker 0 has that
    and serves it to the others; Faiss's is held so too. Policies that name a shared store have that instead, each
    worker by itself.

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
        self._options, self._purged, self._counts = options, purged, counts
        self._shared: dict[SharedStore, Store] = {}
        self._egress = Egress()
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

    def shared(self, config: Config, guard: Guard) -> Mapping[SharedStore, Store]:
        """The shared stores that a Config's policies name, not opened; those of the Config before are kept.

        `guard` belongs to the Config: where its egress differs from the one before, every store on a network is made
        anew.
        """
        egress = config.gateway.egress
        kept = {one: store for one, store in self._shared.items() if egress == self._egress or one.type == "faiss"}
        wanted = {policy.store for policy in config.policies.values() if policy.store is not None}
        if wanted - kept.keys():
            from sluice_sidecar.cache.stores.shared import shared_store

            kept |= {
                one: self._faiss()
                if isinstance(one, FaissStore)
                else shared_store(one, self._options.credentials, guard, self._purged)
                for one in wanted - kept.keys()
            }
        self._shared, self._egress = {one: kept[one] for one in wanted}, egress
        return self._shared

    def _faiss(self) -> Store:
        from sluice_sidecar.cache.stores import faiss

        options = self._options
        if options.data is None:
            return faiss.FaissStore(None)
        socket = options.data / "run" / "faiss.sock"
        if options.workers > 1 and options.worker > 0:
            return RemoteStore(socket, options.worker, purged=self._purged, counts=self._counts)
        store = faiss.FaissStore(options.data / "faiss")
        return PeerHost(socket, store) if options.workers > 1 else store
