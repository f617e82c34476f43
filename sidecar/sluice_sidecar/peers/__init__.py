"""Several workers, one store: worker 0 owns it and serves it to the others over a Unix socket in the data folder.

The others keep their own memory of recent answers in front of it. When worker 0 dies they serve on without the store,
and find the next worker 0 by themselves. What is purged is purged in every worker's memory; a worker that may have
missed a purge forgets all that it remembers.
"""

from sluice_sidecar.peers.host import PeerHost
from sluice_sidecar.peers.remote import RemoteStore

__all__ = ["PeerHost", "RemoteStore"]
