"""The folder of an edge store on disk: who holds it, whether it is sound, how full the disk is."""

import asyncio
import fcntl
import logging
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from sluice_sidecar.cache.stores import trial
from sluice_sidecar.cache.stores.store import StoreError, StoreLocked

log = logging.getLogger("sluice.cache")

SLOWEST = 20.0
"""Megabytes a second that opening a large store reads at least: a healthy one is not taken for a damaged one."""

PATIENCE = 30.0
"""Seconds that a trial opening may take; a damaged file can make the engine loop for ever."""

RESERVE = 67_108_864
"""Bytes that must stay free on the disk. The engine writes through memory maps of sparse files: a page that the full
disk cannot hold kills the process (SIGBUS), so nothing is written below this."""


class Folder:
    """One store's folder, with a lock beside it."""

    def __init__(self, path: Path, *, reserve: int = RESERVE, patience: float = PATIENCE) -> None:
        self.path = path
        self._reserve, self._patience = reserve, patience
        self._lock: IO[str] | None = None

    @property
    def holds_data(self) -> bool:
        """Whether there is a store in it."""
        return self.path.exists() and any(self.path.iterdir())

    def lock(self) -> None:
        """Takes the folder for this process, until `unlock` or the process's end. Raises StoreLocked, StoreError."""
        if self._lock is not None:
            return
        beside = self.path.with_name(self.path.name + ".lock")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = beside.open("a+")
        except OSError as error:
            raise StoreError(f"the cache store's folder {self.path} cannot be used: {error}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise StoreLocked(
                f"the cache store {self.path} is in use by another process (pid {holder}); "
                "stop it, or give this one another data folder"
            ) from None
        try:
            file.seek(0)
            file.truncate()
            file.write(str(os.getpid()))
            file.flush()
        except OSError:
            pass  # a full disk: the lock holds, only the holder's number is missing
        self._lock = file

    def unlock(self) -> None:
        """Gives the folder back."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def room(self) -> bool:
        """Whether the disk has the reserve free; about 1 us."""
        try:
            disk = os.statvfs(self.path if self.path.exists() else self.path.parent)
        except OSError:
            return False
        return disk.f_bavail * disk.f_frsize >= self._reserve

    async def sound(self) -> str | None:
        """None if the store opens in a child process, else what is wrong with it."""
        child = await asyncio.create_subprocess_exec(
            sys.executable, trial.__file__, str(self.path),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        patience = self._patience + await asyncio.to_thread(self._megabytes) / SLOWEST
        try:
            _, said = await asyncio.wait_for(child.communicate(), patience)
        except TimeoutError:
            return f"opening it took longer than {patience:g} s"
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        if child.returncode == trial.OK:
            return None
        lines = said.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"opening it ended with status {child.returncode}"

    def _megabytes(self) -> float:
        """What lies in the folder; a file that goes meanwhile does not count."""
        total = 0
        for where, _, files in os.walk(self.path):
            for name in files:
                with suppress(OSError):
                    total += os.stat(os.path.join(where, name)).st_blocks * 512  # noqa: PTH116, PTH118  (a few thousand)
        return total / 1e6

    def set_aside(self, reason: str) -> Path:
        """Moves a damaged store out of the way, for whoever wants to look at it; says so. Where it went."""
        to = self.path.with_name(f"{self.path.name}.damaged-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
        while to.exists():
            to = to.with_name(to.name + "x")
        try:
            self.path.rename(to)
        except OSError as error:
            raise StoreError(f"the damaged cache store {self.path} cannot be moved aside: {error}") from error
        log.warning(
            "the cache store is damaged; it was moved aside and the cache starts empty",
            extra={"store": str(self.path), "moved_to": str(to), "reason": reason},
        )
        return to
