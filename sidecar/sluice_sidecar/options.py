"""What a gateway process is told by whoever starts it, beside its Config."""

from dataclasses import dataclass
from pathlib import Path

from sluice_sidecar.credentials import Credentials


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """What does not come by Config. `data` None: nothing outlives the process."""

    credentials: Credentials
    data: Path | None = None
    allow_loopback: bool = False
    worker: int = 0
    workers: int = 1
    access_log: bool = True
