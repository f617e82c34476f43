"""Several gateway processes on the same sockets: started, started again when one dies, and stopped together.

For a container, where nobody else does it; `sluice run` looks after its processes itself.
"""

import argparse
import asyncio
import os
import signal
import socket
import sys
from collections.abc import Sequence

from sluice_sidecar.process import Signals, bind

YOUNG = 10.0
"""Seconds; a process that ends by itself sooner failed to start."""
HOPELESS = 3
"""Failures to start, one after the other, after which all end: whoever started this one must see to it."""
FIRST_WAIT, LONGEST_WAIT = 0.1, 5.0
"""Seconds before a process is started again; they double with every failure to start."""


async def serve_all(options: argparse.Namespace, argv: Sequence[str]) -> int:
    """Runs `options.workers` processes with the command line `argv`, the first of them with the admin port, until
    SIGTERM or SIGINT; a second one has them cut open requests off. Returns the worst exit status."""
    try:
        sockets = {"--fd": bind(options.host, options.port)}
        if options.tls is not None:
            sockets["--tls-fd"] = bind(options.host, options.tls_port)
        admin = {"--admin-fd": bind(options.admin_host or options.host, options.admin_port)}
    except OSError as problem:
        sys.stderr.write(f"sluice-gateway: cannot listen on {options.host}: {problem.strerror}\n")
        return 1
    signals = Signals()
    workers = [Worker(number, argv, sockets if number else {**sockets, **admin}) for number in range(options.workers)]
    lives = [asyncio.create_task(worker.live()) for worker in workers]
    stopped, forced = (asyncio.create_task(one.wait()) for one in (signals.stop, signals.force))
    # A life ends by itself only where there is no hope for it.
    await asyncio.wait([*lives, stopped], return_when=asyncio.FIRST_COMPLETED)
    for worker in workers:
        worker.stop()
    ended = asyncio.create_task(_ended(lives))
    await asyncio.wait({ended, forced}, return_when=asyncio.FIRST_COMPLETED)
    if not ended.done():
        for worker in workers:
            worker.stop()
    stopped.cancel()
    forced.cancel()
    return await ended


async def _ended(lives: Sequence[asyncio.Task[int]]) -> int:
    return max(await asyncio.gather(*lives))


class Worker:
    """One of the processes. `sockets`: option -> the inherited socket that it names."""

    def __init__(self, number: int, argv: Sequence[str], sockets: dict[str, socket.socket]) -> None:
        self._number = number
        self._fds = [sock.fileno() for sock in sockets.values()]
        inherited = [part for option, sock in sockets.items() for part in (option, str(sock.fileno()))]
        self._command = (
            *(sys.executable, "-m", "sluice_sidecar.main", *argv),
            *("--worker", str(number), *inherited, "--parent", str(os.getpid())),
        )
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()

    async def live(self) -> int:
        """Runs it, and again when it ends unasked; returns its last exit status when it was stopped, or is hopeless."""
        clock = asyncio.get_running_loop().time
        failures = 0
        while True:
            began = clock()
            process = self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.DEVNULL, pass_fds=self._fds
            )
            if self._stopping.is_set():  # stopped while it was being made
                process.send_signal(signal.SIGTERM)
            status = await process.wait()
            self._process = None
            if self._stopping.is_set():
                return 0 if status == -signal.SIGTERM else abs(status)  # it may have been too young to take the signal
            failures = failures + 1 if clock() - began < YOUNG else 0
            sys.stderr.write(f"sluice-gateway: process {self._number} ended with status {status}\n")
            if failures >= HOPELESS:
                return abs(status) or 1
            try:
                async with asyncio.timeout(min(LONGEST_WAIT, FIRST_WAIT * 2.0**failures)):
                    await self._stopping.wait()
                    return 0
            except TimeoutError:
                continue

    def stop(self) -> None:
        """Asks it to drain and end; the second time, to end now."""
        self._stopping.set()
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
