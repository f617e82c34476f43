"""`sluice run` as a user has it: real processes, in a folder of their own. `async with running(folder) as sluice`."""

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

PATIENCE = 60.0
"""Seconds for whatever a test waits for, on a busy machine."""

ROOT = Path(__file__).parents[2]

ASK = {"model": "auto", "messages": [{"role": "user", "content": "What is a sluice?"}]}


def route(url: str, name: str = "house", *, model: str = "auto", more: str = "") -> str:
    """A ModelRoute to one upstream, as YAML."""
    return f"""\
apiVersion: sluice.dev/v1alpha1
kind: ModelRoute
metadata: {{name: {name}}}
spec:
  models: [{model}]
  backends:
  - name: house
    custom: {{url: "{url}", dialect: OpenAI, model: upstream{more}}}
---
"""


async def until(state: Callable[[], object], what: str) -> None:
    """Waits for a state of the world; fails with `what` when it does not come."""
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                asked = time.monotonic()
                if state():
                    return
                # A question that is dear to answer leaves half of the time to those who are to bring the state about.
                await asyncio.sleep(max(0.01, time.monotonic() - asked))
    except TimeoutError:
        raise AssertionError(f"never: {what}") from None


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Sluice:
    """A running `sluice run`."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self.process, self.folder = process, folder
        self.banner = ""
        self.client = httpx.AsyncClient(timeout=PATIENCE, trust_env=False)

    @property
    def url(self) -> str:
        return self._found(r"serves (http://\S+)")

    @property
    def admin(self) -> str:
        return self._found(r"admin +(http://\S+)")

    def _found(self, pattern: str) -> str:
        found = re.search(pattern, self.banner)
        assert found is not None, f"{self.banner!r} lacks {pattern}; {self.said}"
        return found[1]

    @property
    def said(self) -> str:
        """Standard error so far: the supervisor's and the gateways'."""
        return (self.folder / "stderr").read_text()

    def children(self, of: str = "") -> list[int]:
        """Processes of the supervisor whose command line holds `of`."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                command = (entry / "cmdline").read_text()
            except OSError:
                continue
            if parent == self.process.pid and of in command:
                found.append(int(entry.name))
        return sorted(found)

    async def read_banner(self) -> None:
        """Waits until it says that it serves."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while "ANTHROPIC_BASE_URL" not in self.banner:
                line = await self.process.stdout.readline()
                assert line, f"it ended: {self.said}"
                self.banner += line.decode()

    async def ask(self, **more: Any) -> httpx.Response:
        """One chat completion."""
        return await self.client.post(self.url + "/v1/chat/completions", json=ASK | more)

    async def hears(self, pattern: str) -> None:
        """Waits until standard error matches."""
        try:
            await until(lambda: re.search(pattern, self.said), pattern)
        except AssertionError as problem:
            raise AssertionError(f"{problem}; it said: {self.said}") from None

    async def ends(self) -> int:
        """Waits for its end; the exit status."""
        async with asyncio.timeout(PATIENCE):
            return await self.process.wait()


async def start(
    folder: Path, *arguments: str, files: tuple[str, ...] = ("kinds.yaml",), environ: Mapping[str, str] | None = None
) -> Sluice:
    """Starts it in `folder`, on free ports; returns at once."""
    paths = os.pathsep.join(str(ROOT / part) for part in ("operator", "sidecar", "cli"))
    own = {name: value for name, value in os.environ.items() if not name.startswith("SLUICE_SECRET_")}
    with (folder / "stderr").open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sluice_cli.main", "run", *files, "--port", "0", "--admin-port", "0", *arguments),
            cwd=folder,
            env={**own, "PYTHONPATH": paths, **(environ or {})},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
    return Sluice(process, folder)


@asynccontextmanager
async def running(
    folder: Path, *arguments: str, files: tuple[str, ...] = ("kinds.yaml",), environ: Mapping[str, str] | None = None
) -> AsyncIterator[Sluice]:
    """It, serving; afterwards it is stopped, and must leave no process behind."""
    sluice = await start(folder, *arguments, files=files, environ=environ)
    children: list[int] = []
    try:
        await sluice.read_banner()
        yield sluice
        children = sluice.children()
    finally:
        await sluice.client.aclose()
        if sluice.process.returncode is None:
            sluice.process.send_signal(signal.SIGTERM)
            try:
                await sluice.ends()
            except TimeoutError:
                sluice.process.kill()
                await sluice.process.wait()
                raise
    await until(lambda: not any(map(alive, children)), f"its processes are gone: {children}")
