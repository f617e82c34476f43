"""The folder that one `sluice run` owns: cache and ledger of its gateways, and run/ with what it tells them."""

import fcntl
import os
import time
from pathlib import Path

DEFAULT = Path(".sluice")
"""Beside where `sluice run` is started: a project has its own cache, and deleting the folder forgets it."""

PATIENCE = 5.0
"""Seconds that a new run waits for the gateway of one that was killed to let go."""


class DataDirError(Exception):
    """A folder that cannot be used, why, and what to do."""


class DataDir:
    """DATA, locked. The lock is a file's: workers inherit it, so it holds as long as any process writes there."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path, self.lock = path, lock

    @property
    def config(self) -> Path:
        """What the gateways serve."""
        return self.path / "run" / "config.json"

    @property
    def endpoints(self) -> Path:
        """Where the models answer."""
        return self.path / "run" / "endpoints.json"

    def close(self) -> None:
        """Lets go of the folder, once no worker holds the lock."""
        os.close(self.lock)


def claim(path: Path, patience: float = PATIENCE) -> DataDir:
    """Makes and locks the folder, and clears what an earlier run told its gateways. Raises DataDirError."""
    run = path / "run"
    try:
        run.mkdir(parents=True, exist_ok=True, mode=0o700)
        ignore = path / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
        lock = os.open(run / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as problem:
        raise DataDirError(
            f"cannot use {path} as data folder: {problem.strerror}; choose another with --data"
        ) from None
    _lock(lock, path, patience)
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    data = DataDir(path, lock)
    data.config.unlink(missing_ok=True)
    data.endpoints.unlink(missing_ok=True)
    return data


def _lock(lock: int, path: Path, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 32, 0).decode("ascii", "replace").strip()
            alive = holder.isdigit() and Path("/proc", holder).exists()
            if alive or time.monotonic() > deadline:
                os.close(lock)
                who = f" (pid {holder})" if holder else ""
                raise DataDirError(
                    f"{path} is used by another sluice run{who}: stop it, or give this one its own folder with --data"
                ) from None
            time.sleep(0.05)
        else:
            return


def write(path: Path, content: bytes) -> None:
    """Replaces a file whole: a reader sees the old content or the new, never half of one."""
    fresh = path.with_name(path.name + ".new")
    with open(fresh, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(content)
    fresh.replace(path)
