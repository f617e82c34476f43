"""The operator as a process: started, asked for its figures, stopped or killed."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

import aiohttp

from bench.operator_api import Api, BenchError
from bench.processes import free_port

PATIENCE = 60.0
HOME = "sluice-system"


class Operator:
    """A running `python -m sluice_operator`, all namespaces its own."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path, health_port: int, webhook_port: int) -> None:
        self.process, self.health_port, self.webhook_port = process, health_port, webhook_port
        self._log = log

    @property
    def log(self) -> str:
        """What it logged so far."""
        return self._log.read_text()

    async def logged(self, pattern: str, times: int = 1) -> None:
        """Waits until a line was logged so many times, raises BenchError with the log where it ends before."""
        async with asyncio.timeout(PATIENCE):
            while len(re.findall(pattern, self.log)) < times:
                if self.process.returncode is not None:
                    raise BenchError(f"the operator ended with {self.process.returncode}:\n{self.log[-4000:]}")
                await asyncio.sleep(0.02)

    async def serves(self) -> None:
        """Waits until it leads, and takes webhooks and reports."""
        await self.logged(r"webhook and reports on port")
        await self.logged(r" leads$|leads\n")

    async def figures(self) -> dict[str, float]:
        """Its metrics, by name and labels."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{self.health_port}/metrics") as page,
        ):
            text = await page.text()
        rows = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in rows}

    async def writes(self) -> float:
        """Writes that it made."""
        return sum(v for name, v in (await self.figures()).items() if name.startswith("sluice_operator_writes_total"))

    def rss(self, field: str = "VmRSS") -> float:
        """Resident memory, MB; VmHWM: the most there was."""
        found = re.search(rf"{field}:\s+(\d+) kB", Path(f"/proc/{self.process.pid}/status").read_text())
        assert found is not None
        return int(found[1]) / 1024

    def processor_seconds(self) -> float:
        """Time that it spent on processors."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    async def end(self, how: signal.Signals) -> None:
        """Sends a signal and waits for its end."""
        if self.process.returncode is None:
            self.process.send_signal(how)
        await asyncio.wait_for(self.process.wait(), PATIENCE)


@asynccontextmanager
async def operator(api: Api, folder: Path, *flags: str, webhook_port: int = 0) -> AsyncIterator[Operator]:
    """Runs it; stopped at the end. `folder` gets its log."""
    health, webhook = free_port(), webhook_port or free_port()
    log = folder / f"operator-{health}.log"
    with log.open("wb") as told:
        process = await _start(api, told, health, webhook, *flags)
    running = Operator(process, log, health, webhook)
    try:
        yield running
    finally:
        await running.end(signal.SIGTERM)


async def _start(api: Api, log: IO[bytes], health: int, webhook: int, *flags: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sluice_operator", "--namespace", HOME, "--kubeconfig", api.layout.kubeconfig),
        *("--health-host", "127.0.0.1", "--health-port", str(health)),
        *("--webhook-host", "127.0.0.1", "--webhook-port", str(webhook)),
        *flags,
        stderr=log,
        env={**os.environ, "POD_NAME": ""},
    )
