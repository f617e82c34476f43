"""`sluice run` as a child of the demo: started on free ports, waited for, stopped."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from sluice_cli.demo.setting import STAND_IN

START_SECONDS = 180.0
"""Longest wait for the gateway and its models: the first start of all rewrites weights."""

STOP_SECONDS = 40.0
LOG_LINES = 12


class ServiceError(Exception):
    """`sluice run` did not start or went away; carries the end of its log."""


@dataclass(frozen=True, slots=True)
class Service:
    """A running Sluice: base URL for applications (ends in /v1), base URL of the admin port, its data folder."""

    base_url: str
    admin_url: str
    data: Path
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> Path:
        """Everything that it printed."""
        return self.data.parent / "sluice-run.log"

    def stand_in(self) -> str | None:
        """The address at which the large stand-in answers directly (ends in /v1), None while it starts."""
        try:
            models = json.loads((self.data / "run" / "endpoints.json").read_bytes())["models"]
        except FileNotFoundError:
            return None
        urls = models.get(STAND_IN) or ()
        return f"{urls[0].rstrip('/').removesuffix('/v1')}/v1" if urls else None


@contextmanager
def served(
    file: Path, folder: Path, secrets: Mapping[str, str], python: Path = Path(sys.executable)
) -> Iterator[Service]:
    """Runs `sluice run FILE` with its data and log under `folder`; ready inside the block, stopped after it.

    `secrets` are added to its environment. Raises ServiceError when it ends or is not ready in time.
    """
    port, admin_port = _free_ports(2)
    command = [str(python), "-m", "sluice_cli.main", "run", str(file), "--data", str(folder / "data")]
    command += ["--port", str(port), "--admin-port", str(admin_port)]
    with (folder / "sluice-run.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command line
            command, stdout=log, stderr=subprocess.STDOUT, env=os.environ | dict(secrets), start_new_session=True
        )
    admin = f"http://127.0.0.1:{admin_port}"
    service = Service(f"http://127.0.0.1:{port}/v1", admin, folder / "data", process)
    try:
        _wait(service)
        yield service
    finally:
        _stop(process)


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now; all are held until all are found, so they differ."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports


def _wait(service: Service) -> None:
    deadline = time.monotonic() + START_SECONDS
    with httpx.Client(timeout=2.0, trust_env=False) as client:
        while time.monotonic() < deadline:
            if service.process.poll() is not None:
                raise ServiceError(f"sluice run ended with code {service.process.returncode}:\n{_tail(service.log)}")
            try:
                if client.get(f"{service.admin_url}/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
    raise ServiceError(f"sluice run was not ready after {START_SECONDS:.0f} s:\n{_tail(service.log)}")


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES:])


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
