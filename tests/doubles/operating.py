"""The operator as a process of its own against a real API server: `async with operating(api) as operator`."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx

from doubles.kube import Api
from doubles.running import PATIENCE, ROOT, until


class Operator:
    """A running `python -m sluice_operator`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.log = ""

    async def follow(self) -> None:
        """Collects what it logs."""
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.log += line.decode()

    async def logged(self, pattern: str) -> "re.Match[str]":
        """Waits for a line; fails with the whole log."""
        found: list[re.Match[str]] = []

        def there() -> bool:
            found[:] = re.finditer(pattern, self.log)
            assert self.process.returncode is None, f"it ended with {self.process.returncode}:\n{self.log}"
            return bool(found)

        await until(there, f"{pattern!r} in the log")
        return found[-1]

    async def url(self) -> str:
        """Of its health port."""
        return f"http://127.0.0.1:{(await self.logged(r'metrics on port ([0-9]+)'))[1]}"

    async def figure(self, name: str) -> float:
        """A metric by its name and labels, 0 where it is not there yet. A name alone: the sum over all labels."""
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
            page = (await client.get(f"{await self.url()}/metrics")).text
        lines = [line for line in page.splitlines() if line.startswith((f"{name} ", f"{name}{{"))]
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    async def leads(self) -> None:
        """Waits until it works."""
        await self.logged(" leads$|leads\n")

    async def stop(self) -> int:
        """SIGTERM; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), PATIENCE)

    async def crash(self) -> None:
        """SIGKILL: it hands nothing on."""
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def operating(
    api: Api, namespace: str, *flags: str, program: Sequence[str] = ("-m", "sluice_operator")
) -> AsyncIterator[Operator]:
    """Runs it for one namespace, which is also its own, and stops it. `program`: what Python runs."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *program, "--namespace", namespace, "--kubeconfig", str(api.kubeconfig)),
        *("--health-host", "127.0.0.1", "--health-port", "0", "--webhook-host", "127.0.0.1", "--webhook-port", "0"),
        *("--watch-namespaces", namespace, "--injection", "false", *flags),
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'operator'}:{ROOT / 'sidecar'}"},
    )
    operator = Operator(process)
    follower = asyncio.create_task(operator.follow())
    try:
        yield operator
    finally:
        try:
            if process.returncode is None:
                await operator.stop()  # it hands its lease on: whoever comes next need not wait for its end
        finally:
            if process.returncode is None:
                await operator.crash()
            await follower
