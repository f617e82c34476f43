"""Several gateway processes in one container: one port, one set of books, and a dead one is started again."""

import asyncio
import os
import re
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from doubles.behaviours import stall, text
from doubles.certificates import Authority, write_pair
from doubles.running import PATIENCE, ROOT, until
from doubles.scripted import Gate, Scripted
from doubles.serve import backend, config, route
from sluice_sidecar.config import Config

HELLO: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}


@dataclass
class Fleet:
    process: asyncio.subprocess.Process
    url: str
    admin: str

    @property
    def children(self) -> list[int]:
        """Process numbers, those of the first process first."""
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return sorted(map(int, found))


def free() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@asynccontextmanager
async def fleet(folder: Path, served: Config, *more: str, workers: int = 2) -> AsyncIterator[Fleet]:
    """`sluice-gateway --workers`, when all of its processes serve."""
    (folder / "config.json").write_bytes(served.to_json())
    port, admin = free(), free()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sluice_sidecar.main", "--config", str(folder / "config.json"), "--report"),
        *("--port", str(port), "--admin-port", str(admin), "--workers", str(workers), "--data", str(folder / "data")),
        *("--allow-loopback", *more),
        env={**os.environ, "PYTHONPATH": str(ROOT / "sidecar")},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE):
            for _ in range(workers):
                await ready(process)
        yield Fleet(process, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{admin}")
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), PATIENCE)


def alive(pid: int) -> bool:
    """Whether it runs, and is no zombie."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


async def ready(process: asyncio.subprocess.Process) -> None:
    """Waits until one more of the processes serves."""
    assert process.stdout is not None
    while not re.match(rb"READY ", line := await process.stdout.readline()):
        assert line, "the gateway ended"


async def ask(url: str, verify: ssl.SSLContext | bool = True) -> int:
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE, verify=verify) as client:
        return (await client.post(f"{url}/v1/chat/completions", json=HELLO)).status_code


async def test_all_serve_one_port_and_count_in_one_book(tmp_path: Path) -> None:
    authority = Authority()
    write_pair(tmp_path / "tls", authority.sign("localhost"))
    tls = ("--tls", str(tmp_path / "tls"), "--tls-port", str(free()))
    async with Scripted() as up:
        up.otherwise(text("Hello"))
        async with fleet(tmp_path, config(route([backend(up.url)])), *tls, workers=3) as running:
            assert len(running.children) == 3
            trusting = ssl.create_default_context(cadata=authority.pem.decode())
            for url in (running.url, f"https://localhost:{tls[3]}"):
                assert {await ask(url, trusting) for _ in range(8)} == {200}
            async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as admin:

                async def counted() -> bool:
                    found = (await admin.get(running.admin + "/-/savings")).json()
                    return bool(found["requests"] == 16)

                async with asyncio.timeout(PATIENCE):
                    while not await counted():
                        await asyncio.sleep(0.05)
            running.process.send_signal(signal.SIGTERM)
            assert await running.process.wait() == 0


async def test_one_that_dies_is_started_again_while_the_others_serve(tmp_path: Path) -> None:
    async with Scripted() as up:
        up.otherwise(text("Hello"))
        async with fleet(tmp_path, config(route([backend(up.url)]))) as running:
            victim = running.children[0]  # the one with the admin port
            os.kill(victim, signal.SIGKILL)
            async with asyncio.timeout(PATIENCE):
                await ready(running.process)
            assert victim not in running.children
            assert len(running.children) == 2
            assert {await ask(running.url) for _ in range(4)} == {200}
            async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as admin:
                assert (await admin.get(running.admin + "/readyz")).status_code == 200


async def test_open_requests_end_before_the_processes_do(tmp_path: Path) -> None:
    gate = Gate()
    async with Scripted() as up:
        up.otherwise(stall(gate))
        async with fleet(tmp_path, config(route([backend(up.url)]))) as running:
            call = asyncio.create_task(ask(running.url))
            await up.arrived(1)
            running.process.send_signal(signal.SIGTERM)
            await until(lambda: len(running.children) == 1, "the idle one has ended")
            gate.open()
            assert await call == 200
            assert await running.process.wait() == 0


async def test_a_second_signal_cuts_open_requests_off(tmp_path: Path) -> None:
    async with Scripted() as up:
        up.otherwise(stall())
        async with fleet(tmp_path, config(route([backend(up.url)]))) as running:
            call = asyncio.create_task(ask(running.url))
            await up.arrived(1)
            running.process.send_signal(signal.SIGTERM)
            await until(lambda: len(running.children) == 1, "the idle one has ended")
            running.process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(PATIENCE):
                await running.process.wait()
                await up.requests[0].gone.wait()
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)


async def test_none_outlives_the_first(tmp_path: Path) -> None:
    async with Scripted() as up, fleet(tmp_path, config(route([backend(up.url)]))) as running:
        children = running.children
        running.process.kill()
        await running.process.wait()
        await until(lambda: not any(alive(child) for child in children), "all are gone")


async def test_what_cannot_start_is_not_started_for_ever(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sluice_sidecar.main", "--config", str(tmp_path / "config.json"), "--workers", "2"),
        *("--port", "0", "--admin-port", "0", "--tls", str(tmp_path / "none"), "--tls-port", "0"),
        env={**os.environ, "PYTHONPATH": str(ROOT / "sidecar")},
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE):
        _, said = await process.communicate()
    assert process.returncode == 1
    assert b"cannot speak TLS" in said
