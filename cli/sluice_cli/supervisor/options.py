"""What `sluice run` was asked for."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The command line of `sluice run`, read."""

    files: tuple[Path, ...]
    host: str = "127.0.0.1"
    port: int = 8080
    admin_host: str = "127.0.0.1"
    admin_port: int = 8081
    workers: int = 1
    data: Path = Path(".sluice")
    env_file: Path = Path(".env")
    models: bool = True
