"""The gateway processes of a run: all accept on the supervisor's socket, and one that dies is started again."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

from sluice_cli.supervisor.data_dir import DataDir
from sluice_cli.supervisor.processes import Backoff, Child, Command, Exit

HOPELESS = 3
"""A gateway that ends so often before it was ever ready will not be."""


class Worker:
    """One gateway process and what it last told."""

    def __init__(self, number: int, command: Command, workers: "Workers") -> None:
        self.number = number
        self.ready = False
        self.serving: str | None = None
        self.failures = 0
        self._workers = workers
        self.child = Child(command, on_line=self._line, on_exit=self._exit, backoff=Backoff(first=0.05, most=10.0))

    def _line(self, line: str) -> None:
        word, _, detail = line.partition(" ")
        if word == "READY":
            self.ready, self.failures = True, 0
        elif word == "SERVING":
            self.serving = detail
        elif word == "REFUSED":
            self._workers.refused(self.number, detail)
        self._workers.told()

    def _exit(self, end: Exit) -> None:
        self.ready, self.serving = False, None
        self.failures += 1
        self._workers.ended(self, end)


class Workers:
    """All gateway processes."""

    def __init__(
        self,
        data: DataDir,
        sockets: tuple[int, int],
        count: int,
        env_file: Path,
        say: Callable[[str], None],
    ) -> None:
        """`sockets` are the listening data and admin sockets; the admin port is worker 0's."""
        self._say = say
        self._told = asyncio.Event()
        self._ever_ready = False
        self.hopeless = False
        self._refused: set[str] = set()
        self.workers = [Worker(i, _command(data, sockets, i, count, env_file), self) for i in range(count)]
        self._tasks = [asyncio.create_task(worker.child.run()) for worker in self.workers]

    @property
    def pids(self) -> tuple[int | None, ...]:
        """The workers' processes, in the order of their numbers."""
        return tuple(worker.child.pid for worker in self.workers)

    async def ready(self) -> bool:
        """Waits until all accept requests; False when they never will."""
        await self._until(lambda: self.hopeless or all(worker.ready for worker in self.workers))
        self._ever_ready = not self.hopeless
        return self._ever_ready

    async def serving(self, digest: str, seconds: float) -> bool:
        """Waits until all serve the Config of this digest; False when they do not within `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._until(lambda: all(worker.serving == digest for worker in self.workers))
        except TimeoutError:
            return False
        return True

    async def stop(self, grace: float) -> None:
        """Asks all to drain and end, and ends those that have not after `grace` seconds."""
        await asyncio.gather(*(worker.child.stop(grace) for worker in self.workers))
        await asyncio.gather(*self._tasks)

    def hurry(self) -> None:
        """Asks draining workers to cut off what is open."""
        for worker in self.workers:
            worker.child.terminate()

    def kill(self) -> None:
        """Ends all now."""
        for worker in self.workers:
            worker.child.kill()

    def told(self) -> None:
        """A worker's state is another: whoever waits looks again."""
        self._told.set()
        self._told = asyncio.Event()

    def refused(self, number: int, why: str) -> None:
        """A worker does not serve a part of the Config."""
        if why not in self._refused:  # once, not once a worker
            self._refused.add(why)
            self._say(f"gateway {number} refuses: {why}")

    def forget_refusals(self) -> None:
        """A new Config comes: what is refused of it is news again."""
        self._refused.clear()

    def ended(self, worker: Worker, end: Exit) -> None:
        """A worker's process died."""
        if not self._ever_ready and worker.failures >= HOPELESS:
            self.hopeless = True
        else:
            self._say(f"gateway {worker.number}: {end}, starting again in {end.wait:.2f} s")
        self.told()

    async def _until(self, state: Callable[[], bool]) -> None:
        while not state():
            await self._told.wait()


def _command(data: DataDir, sockets: tuple[int, int], number: int, count: int, env_file: Path) -> Command:
    fd, admin = sockets
    argv = [
        *(sys.executable, "-m", "sluice_sidecar.main", "--report", "--allow-loopback", "--parent", str(os.getpid())),
        *("--config", str(data.config), "--endpoints", str(data.endpoints), "--data", str(data.path)),
        *("--worker", str(number), "--workers", str(count), "--fd", str(fd), "--env-file", str(env_file)),
    ]
    if number == 0:
        argv += ["--admin-fd", str(admin)]
    fds = (fd, admin, data.lock) if number == 0 else (fd, data.lock)
    return Command(f"gateway {number}", tuple(argv), fds)
