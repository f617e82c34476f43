"""A child process kept running: started again after a crash, later each time, until it is stopped."""

import asyncio
import os
import signal
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

LINE_BYTES = 65_536
"""A longer output line is cut: it cannot fill the memory."""

TAIL = 40
"""Lines of a child's standard error that are kept for the message about its crash."""


@dataclass(slots=True)
class Backoff:
    """Seconds to wait before each new start: doubling, bounded, forgotten after a life of `steady` seconds."""

    first: float = 0.1
    most: float = 30.0
    steady: float = 30.0
    _next: float = field(default=0.0, init=False)

    def after(self, lived: float) -> float:
        """The wait after a life of `lived` seconds."""
        wait = self.first if lived >= self.steady or not self._next else self._next
        self._next = min(wait * 2, self.most)
        return wait


@dataclass(frozen=True, slots=True)
class Command:
    """What is started. `fds` are inherited; with `keep_errors` standard error is kept for `Exit`, else it is ours."""

    name: str
    argv: tuple[str, ...]
    fds: tuple[int, ...] = ()
    environ: Mapping[str, str] | None = None
    keep_errors: bool = False


@dataclass(frozen=True, slots=True)
class Exit:
    """How a child's life ended. `wait` is the seconds until the next start."""

    status: int
    lived: float
    wait: float
    tail: tuple[str, ...]

    def __str__(self) -> str:
        if self.status >= 0:
            return f"exit status {self.status}"
        try:
            return f"killed by {signal.Signals(-self.status).name}"
        except ValueError:
            return f"killed by signal {-self.status}"


class Child:
    """One supervised process, in its own process group: a terminal's Ctrl-C reaches only the supervisor."""

    def __init__(
        self,
        command: Command,
        *,
        on_line: Callable[[str], None],
        on_exit: Callable[[Exit], None],
        backoff: Backoff | None = None,
    ) -> None:
        self.command = command
        self._on_line, self._on_exit = on_line, on_exit
        self._backoff = Backoff() if backoff is None else backoff
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """The running process, if it runs."""
        return None if self._process is None else self._process.pid

    async def run(self) -> None:
        """Starts it, and again whenever it ends, until `stop`. `on_exit` hears of each end that was not asked for."""
        clock = asyncio.get_running_loop().time
        try:
            while not self._stopping.is_set():
                started = clock()
                status, tail = await self._live()
                if self._stopping.is_set():
                    return
                lived = clock() - started
                end = Exit(status, lived, self._backoff.after(lived), tail)
                self._on_exit(end)
                try:
                    await asyncio.wait_for(self._stopping.wait(), end.wait)
                except TimeoutError:
                    continue
        finally:
            self._ended.set()

    async def stop(self, grace: float) -> None:
        """SIGTERM, and after `grace` seconds SIGKILL; returns when the process is gone and `run` has returned."""
        self._stopping.set()
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._ended.wait(), grace)
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self._ended.wait()

    def terminate(self) -> None:
        """One more SIGTERM, for a child that takes the second as an order to hurry."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL; unless it is being stopped it will be started again."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            try:
                self._process.send_signal(number)
            except ProcessLookupError:
                return

    async def _live(self) -> tuple[int, tuple[str, ...]]:
        """One life: exit status and the last lines of standard error."""
        tail: deque[str] = deque(maxlen=TAIL)
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *self.command.argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=pipe,
                stderr=pipe if self.command.keep_errors else None,
                pass_fds=self.command.fds,
                env=dict(os.environ if self.command.environ is None else self.command.environ),
                process_group=0,
                limit=LINE_BYTES,
            )
        except OSError as problem:
            return 127, (f"cannot start {self.command.argv[0]}: {problem.strerror}",)
        self._process = process
        if self._stopping.is_set():  # stopped while it was being made
            self._signal(signal.SIGTERM)
        try:
            await asyncio.gather(_lines(process.stdout, self._on_line), _lines(process.stderr, tail.append))
            status = await process.wait()
        finally:
            if process.returncode is None:  # we are being cancelled
                self._signal(signal.SIGKILL)
            self._process = None
        return status, tuple(tail)


async def once(argv: tuple[str, ...]) -> tuple[int, str, str]:
    """Runs a command to its end: exit status, standard output, standard error. Cancelled, it kills it."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe, process_group=0
    )
    try:
        out, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, out.decode("utf-8", "replace"), errors.decode("utf-8", "replace")


async def _lines(stream: asyncio.StreamReader | None, take: Callable[[str], None]) -> None:
    """Hands on a child's output line by line until its end."""
    while stream is not None:
        try:
            line = await stream.readline()
        except ValueError:  # longer than the limit: readline dropped it
            continue
        if not line:
            return
        if text := line.decode("utf-8", "replace").rstrip():
            take(text)
