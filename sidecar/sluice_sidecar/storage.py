"""Where a worker's cache keeps its entries."""

import re
import shutil
from collections.abc import Callable, Iterable, Mapping

from sluice_sidecar.cache.stores.edge import EdgeStore
from sluice_sidecar.cache.stores.store import Store
from sluice_sidecar.config import WIDTH, Config, Egress, EmbeddedStore, FaissStore, SharedStore
from sluice_sidecar.options import GatewayOptions
from sluice_sidecar.peers import PeerHost, RemoteStore
from sluice_sidecar.telemetry import Snapshot
from sluice_sidecar.upstream.guard import Guard

HERE = (FaissStore, EmbeddedStore)
"""Stores in the gateway's own data folder."""

WIDE = re.compile(r"(cache|faiss)-[0-9]+")
"""Folders of stores of another width than the builtin model's."""


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
        self._looked = False
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
        kept = {one: store for one, store in self._shared.items() if egress == self._egress or isinstance(one, HERE)}
        wanted = {policy.store for policy in config.policies.values() if policy.store is not None}
        self._drop_unused(wanted)
        if wanted - kept.keys():
            from sluice_sidecar.cache.stores.shared import shared_store

            kept |= {
                one: self._here(one)
                if isinstance(one, HERE)
                else shared_store(one, self._options.credentials, guard, self._purged)
                for one in wanted - kept.keys()
            }
        self._shared, self._egress = {one: kept[one] for one in wanted}, egress
        return self._shared

    def _here(self, one: FaissStore | EmbeddedStore) -> Store:
        """A store in the data folder: worker 0 has it and serves it to the others."""
        from sluice_sidecar.cache.stores.faiss import FaissStore as Faiss

        options = self._options
        if options.data is None:
            return Faiss(None)
        name = _folder(one)
        socket = options.data / "run" / f"{name}.sock"
        if options.workers > 1 and options.worker > 0:
            return RemoteStore(socket, options.worker, purged=self._purged, counts=self._counts)
        store: Store = (
            Faiss(options.data / name, width=one.dimensions)
            if isinstance(one, FaissStore)
            else EdgeStore(options.data / name, width=one.dimensions)
        )
        return PeerHost(socket, store) if options.workers > 1 else store

    def _drop_unused(self, wanted: Iterable[SharedStore]) -> None:
        """At the start, removes the folders of widths that no policy has any more: the next store was built beside."""
        options, self._looked = self._options, self._looked or self._options.data is None
        if self._looked or options.data is None or options.worker > 0:
            return
        self._looked = True
        used = {_folder(one) for one in wanted if isinstance(one, HERE)}
        for path in options.data.iterdir():
            if WIDE.fullmatch(path.name) and path.is_dir() and path.name not in used:
                shutil.rmtree(path, ignore_errors=True)


def _folder(one: FaissStore | EmbeddedStore) -> str:
    kind = "faiss" if isinstance(one, FaissStore) else "cache"
    return kind if one.dimensions == WIDTH and kind == "faiss" else f"{kind}-{one.dimensions}"
