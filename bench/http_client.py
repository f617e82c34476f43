"""What the gateway's HTTP client costs, and how soon it lets go, beside other clients and beside no client at all.

    python bench/http_client.py [--seconds 5] [--rounds 3] [--peers PYTHON] [--json FILE]

A raw ASGI proxy (http_client_app.py) under uvicorn, uvloop and httptools on core 0; nginx as upstream and wrk as load
on core 1; 1 kB POST, 1 kB answer. `--peers` is the Python of another environment that has uvicorn, uvloop, httptools
and pyqwest or pyreqwest. The clients take turns in every round, so that a busy machine is busy for all of them.
"""

import argparse
import asyncio
import contextlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
GATEWAY_CORE, LOAD_CORE = 0, 1
BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": "y" * 960}]})
SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
NGINX = """
worker_processes 1; daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 300s; default_type application/json;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "{answer}"; }} }}
}}
"""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextlib.contextmanager
def running(command: list[str], port: int, core: int, **env: str) -> Iterator[int]:
    """A process pinned to a core, from its port's listening to the end of the block; gives its id."""
    process = subprocess.Popen(
        ["taskset", "-c", str(core), *command], env={**os.environ, **env}, stdout=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 20
        while socket.socket().connect_ex(("127.0.0.1", port)):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{command[0]} did not start: {' '.join(command)}")
            time.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)


@contextlib.contextmanager
def proxy(python: str, client: str, upstream: int) -> Iterator[tuple[int, int]]:
    """The proxy with `client`; gives its port and process id."""
    port = free_port()
    command = [python, "-m", "uvicorn", "http_client_app:app", "--port", str(port), "--loop", "uvloop", "--http",
               "httptools", "--no-access-log", "--log-level", "error", "--app-dir", str(HERE)]  # fmt: skip
    env = {"CLIENT": client, "UPSTREAM": f"http://127.0.0.1:{upstream}", "PYTHONPATH": str(HERE.parent / "sidecar")}
    with running(command, port, GATEWAY_CORE, **env) as pid:
        yield port, pid


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(port: int, connections: int, seconds: float, pid: int | None, script: Path) -> dict[str, float]:
    """One run of wrk: requests a second, latencies in seconds, and the process's CPU seconds a request."""
    before = cpu_seconds(pid) if pid else 0.0
    out = subprocess.run(
        ["taskset", "-c", str(LOAD_CORE), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency",
         "-s", str(script), f"http://127.0.0.1:{port}/v1/chat/completions"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    if "Non-2xx" in out or "Socket errors" in out:
        raise SystemExit(f"wrk met errors:\n{out}")

    def latency(percent: int) -> float:
        found = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s)$", out, re.MULTILINE)
        assert found
        return float(found[1]) * SECONDS[found[2]]

    count = re.search(r"(\d+) requests in", out)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", out)
    assert count
    assert rate
    spent = (cpu_seconds(pid) - before) / int(count[1]) if pid else 0.0
    return {"rate": float(rate[1]), "p50": latency(50), "p99": latency(99), "cpu": spent}


class Upstream(asyncio.Protocol):
    """Never ends an answer: how long does it take to learn that the caller has left?"""

    STARTS = {  # noqa: RUF012
        b"before headers": b"",
        b"mid body": b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf",
        b"mid stream": b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        b"9\r\ndata: a\n\n\r\n",
    }
    state = b""
    asked: asyncio.Event
    closed: asyncio.Event

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(self.STARTS[self.state])
        self.asked.set()

    def connection_lost(self, error: Exception | None) -> None:
        self.closed.set()


async def leaving(python: str, client: str) -> dict[str, float | None]:
    """Seconds from a caller's leaving to the upstream's connection closing, a state each; None: not within 2 s."""
    port = free_port()
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port)
    found: dict[str, float | None] = {}
    with proxy(python, client, port) as (proxy_port, _):
        for state in Upstream.STARTS:
            Upstream.state, Upstream.asked, Upstream.closed = state, asyncio.Event(), asyncio.Event()
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy_port)
            writer.write(b"POST /v1/x HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}")
            await Upstream.asked.wait()
            if Upstream.STARTS[state]:
                await reader.readuntil(b"\r\n\r\n")
            start = time.perf_counter()
            writer.close()
            try:
                await asyncio.wait_for(Upstream.closed.wait(), 2)
                found[state.decode()] = time.perf_counter() - start
            except TimeoutError:
                found[state.decode()] = None
    server.close()
    return found


def measure(clients: dict[str, str], seconds: float, rounds: int) -> dict[str, Any]:
    """Everything, by client: rounds of load at 32 connections and at one, then the leavings."""
    runs: dict[str, dict[int, list[dict[str, float]]]] = {name: {32: [], 1: []} for name in ("nginx", *clients)}
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        script = folder / "post.lua"
        script.write_text(f"wrk.method='POST' wrk.headers['content-type']='application/json' wrk.body='{BODY}'")
        upstream = free_port()
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=upstream, answer="x" * 1024))
        nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "nginx"
        stack.enter_context(running([nginx, "-c", str(folder / "nginx.conf")], upstream, LOAD_CORE))
        ports: dict[str, tuple[int, int | None]] = {"nginx": (upstream, None)}
        for client, python in clients.items():
            ports[client] = stack.enter_context(proxy(python, client, upstream))
            load(ports[client][0], 32, 1, None, script)
        for _ in range(rounds):
            for connections in (32, 1):
                for client, (port, pid) in ports.items():
                    runs[client][connections].append(load(port, connections, seconds, pid, script))
    left = {client: asyncio.run(leaving(python, client)) for client, python in clients.items() if client != "none"}
    return {"runs": runs, "leaving": left}


def table(result: dict[str, Any]) -> str:
    """For a terminal, and for a document."""
    names = {"nginx": "upstream itself", "none": "uvicorn alone"}
    lines = [
        "| client | requests/s, 32 connections (least - most) | CPU us | p50 ms | p99 ms | p50 ms, 1 connection |",
        "|---|---|---|---|---|---|",
    ]
    for client, runs in result["runs"].items():
        many, one = runs[32], runs[1]

        def middle(rows: list[dict[str, float]], what: str) -> float:
            return statistics.median(row[what] for row in rows)

        rates = sorted(row["rate"] for row in many)
        lines.append(
            f"| {names.get(client, client)} | {middle(many, 'rate'):,.0f} ({rates[0]:,.0f} - {rates[-1]:,.0f}) "
            f"| {middle(many, 'cpu') * 1e6:.0f} | {middle(many, 'p50') * 1e3:.2f} | {middle(many, 'p99') * 1e3:.2f} "
            f"| {middle(one, 'p50') * 1e3:.3f} |"
        )
    states = [state.decode() for state in Upstream.STARTS]
    lines += ["", f"| caller leaves | {' | '.join(states)} |", "|---|" + "---|" * len(states)]
    for client, times in result["leaving"].items():
        shown = ("not in 2 s" if times[state] is None else f"{times[state] * 1e3:.1f} ms" for state in states)
        lines.append(f"| {client} | {' | '.join(shown)} |")
    return "\n".join(lines)


def versions(python: str, names: list[str]) -> dict[str, str]:
    code = (
        "import importlib.metadata as m, json, sys; found = {}\n"
        "for name in sys.argv[1:]:\n"
        "    try: found[name] = m.version(name)\n"
        "    except m.PackageNotFoundError: pass\n"
        "print(json.dumps(found))"
    )
    out = subprocess.run([python, "-c", code, *names], check=True, capture_output=True, text=True).stdout
    found: dict[str, str] = json.loads(out)
    return found


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--seconds", type=int, default=5, help="length of one run of wrk")
    cli.add_argument("--rounds", type=int, default=3)
    cli.add_argument("--peers", default=sys.executable, help="Python of the environment that has the other clients")
    cli.add_argument("--json", type=Path, help="where to write the result")
    args = cli.parse_args()
    for tool in ("wrk", "nginx", "taskset"):
        if not shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin"):
            raise SystemExit(f"{tool} is missing: apt-get install wrk nginx util-linux")
    if (os.cpu_count() or 1) < 2:
        raise SystemExit("two cores are needed: one for the gateway, one for the load")
    peers = versions(args.peers, ["pyqwest", "pyreqwest"])
    clients = {"none": sys.executable, "sluice": sys.executable} | dict.fromkeys(peers, args.peers)
    result = {
        "machine": {"cores": os.cpu_count(), "system": platform.platform(), "load": os.getloadavg()},
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in ("uvicorn", "uvloop", "httptools")}
        | peers,
        "seconds": args.seconds,
        **measure(clients, args.seconds, args.rounds),
    }
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")
    print(table(result))


if __name__ == "__main__":
    main()
