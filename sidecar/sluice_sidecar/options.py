"""What a gateway process is told by whoever starts it, beside its Config."""

from dataclasses import dataclass
from pathlib import Path

from sluice_sidecar.callers import ANYONE
from sluice_sidecar.credentials import SecretSource


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """What does not come by Config. `data` None: nothing outlives the process."""

    credentials: SecretSource
    data: Path | None = None
    batches: Path | None = None
    """Folder of the queue of deferred requests; None: nothing durable is there, and they are refused."""
    batches_shared: bool = False
    """Whether that queue lies in the Redis of the Config's state, and the folder holds the bytes of files alone."""
    batches_run: bool = True
    """Whether this process runs what is in the queue, where it is the first of its workers."""
    allow_loopback: bool = False
    worker: int = 0
    workers: int = 1
    access_log: bool = True
    ca_bundle: Path | None = None
    """PEM of the authorities that egress.caBundle wants trusted beside the system's; may come and change meanwhile."""
    tenant: str = ANYONE
    """Who all callers are where no keys are asked for."""
    trusted: tuple[tuple[str, int], ...] = ()
    """(host, port) pairs that may be called at private addresses without egress.allow."""
    admin_hosts: tuple[str, ...] = ()
    """Names besides localhost by which the admin port may be called."""
