"""The processes that a benchmark needs: nginx as the model, the gateway on one core, wrk as the load on the other."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sluice_sidecar.config import Config

GATEWAY_CORE, LOAD_CORE = "0", "1"

NGINX = """
worker_processes 1; daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 300s;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port};
    location /stream/ {{ default_type text/event-stream; alias {folder}/stream; error_page 405 =200 $uri; }}
    location / {{ default_type application/json; return 200 '{answer}'; }}
  }}
}}
"""
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextlib.contextmanager
def process(command: list[str], port: int, core: str | None, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process, pinned to a core, from its port's listening to the end of the block."""
    pinned = ["taskset", "-c", core, *command] if core is not None else command
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(pinned, env={**os.environ, **environ}, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 30
            while not _listening(port):
                if child.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise SystemExit(f"bench: did not start: {' '.join(command)}\n{log.read()[-2000:].decode()}")
                time.sleep(0.02)
            yield child
        finally:
            child.terminate()
            child.wait(30)


def _listening(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def model(answer: dict[str, Any]) -> Iterator[str]:
    """nginx that gives `answer` to every POST; its base URL (without /v1)."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "nginx.conf"
        file.write_text(NGINX.format(folder=folder, port=port, answer=json.dumps(answer).replace("'", "’")))
        with process(["nginx", "-c", str(file)], port, LOAD_CORE):
            yield f"http://127.0.0.1:{port}"


@dataclass(frozen=True)
class Running:
    """A gateway process."""

    url: str
    admin: str
    pid: int
    config: Path

    def rss(self) -> float:
        """Resident memory, MB."""
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text())
        assert found is not None
        return int(found[1]) / 1024

    def write(self, config: Config) -> None:
        """Swaps the Config file."""
        new = self.config.with_suffix(".new")
        new.write_bytes(config.to_json())
        new.replace(self.config)

    def savings(self) -> dict[str, Any]:
        """The ledger's report."""
        with urllib.request.urlopen(self.admin + "/-/savings") as answer:
            report: dict[str, Any] = json.load(answer)
            return report


@contextlib.contextmanager
def gateway(config: Config, *options: str, core: str | None = GATEWAY_CORE) -> Iterator[Running]:
    """The gateway, with a data folder of its own, ready."""
    port, admin = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.json"
        file.write_bytes(config.to_json())
        command = [sys.executable, "-m", "sluice_sidecar.main", "--config", str(file), "--data", folder,
                   "--port", str(port), "--admin-port", str(admin), "--allow-loopback", *options]  # fmt: skip
        with process(command, port, core) as child:
            yield Running(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{admin}", child.pid, file)


@dataclass(frozen=True)
class Load:
    """What wrk saw; milliseconds."""

    requests: int
    rate: float
    p50: float
    p99: float
    failed: int


def wrk(url: str, body: dict[str, Any], *, connections: int, seconds: int) -> Load:
    """POSTs `body` for some seconds from the load core."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(
            'wrk.method = "POST"\nwrk.headers["content-type"] = "application/json"\n'
            f'wrk.headers["authorization"] = "Bearer bench-key"\nwrk.body = [==[{json.dumps(body)}]==]\n'
        )
        script.flush()
        said = subprocess.run(
            ["taskset", "-c", LOAD_CORE, "wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency",
             "-s", script.name, url],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    return Load(
        int(_find(said, r"(\d+) requests in")),
        float(_find(said, r"Requests/sec:\s+([\d.]+)")),
        _milliseconds(said, "50%"),
        _milliseconds(said, "99%"),
        sum(int(n) for n in re.findall(r"Non-2xx or 3xx responses: (\d+)", said))
        + sum(int(n) for line in re.findall(r"Socket errors: (.+)", said) for n in re.findall(r"\d+", line)),
    )


def _milliseconds(said: str, row: str) -> float:
    number, unit = re.findall(rf"{row}\s+([\d.]+)(us|ms|s)", said)[0]
    return float(number) * UNITS[unit]


def _find(said: str, pattern: str) -> str:
    found = re.search(pattern, said)
    if found is None:
        raise SystemExit(f"bench: wrk said something unforeseen:\n{said}")
    return found[1]
