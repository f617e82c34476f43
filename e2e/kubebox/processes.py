"""Processes of a cluster: started with a log, named by pid and start time, ended for sure."""

import contextlib
import http.client
import os
import signal
import ssl
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from e2e.kubebox.layout import Layout


class ClusterError(Exception):
    """The cluster cannot do it, and why."""


_children: dict[int, "subprocess.Popen[bytes]"] = {}
"""What this process started and did not wait for yet."""


def start_time(pid: int) -> str | None:
    """The kernel's start time of a process: with the pid it names one process for good."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except OSError:
        return None


def spawn(
    layout: Layout, name: str, command: Sequence[str], *, stdin: int | IO[bytes] = subprocess.DEVNULL
) -> "subprocess.Popen[bytes]":
    """Starts a program in a session of its own; its output goes to log/NAME.log."""
    with Path(layout.path("log", f"{name}.log")).open("ab") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, start_new_session=True, cwd=layout.path(), stdin=stdin
        )
    _children[process.pid] = process
    Path(layout.path("pid", name)).write_text(f"{process.pid} {start_time(process.pid)}")
    return process


def running(layout: Layout) -> dict[str, int]:
    """Names and pids of this cluster's processes that live on the host."""
    found = {}
    for file in sorted(Path(layout.path("pid")).glob("*")):
        pid, started = file.read_text().split()
        if start_time(int(pid)) == started:
            found[file.name] = int(pid)
    return found


def all_alive(layout: Layout) -> bool:
    """True; raises ClusterError when one of the processes has ended."""
    names = {file.name for file in Path(layout.path("pid")).glob("*")}
    for process in _children.values():
        process.poll()  # a child that ended stays visible until it is waited for
    dead = names - set(running(layout))
    if dead:
        raise ClusterError(f"ended at once: {', '.join(sorted(dead))}")
    return True


def kill(pid: int, seconds: float = 10) -> None:
    """Ends a process and waits until it is gone; a zombie of another parent counts as gone."""
    started = start_time(pid)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    process = _children.pop(pid, None)
    if process is not None:
        process.wait(seconds)
        return
    deadline = time.monotonic() + seconds
    while start_time(pid) == started and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return
        time.sleep(0.02)


def sh(*command: str, given: bytes | None = None, quiet: bool = False) -> None:
    """Runs a command; raises CalledProcessError when it fails."""
    subprocess.run(command, check=True, input=given, stdout=subprocess.DEVNULL if quiet else None)


def wait_for(what: str, test: Callable[[], object], seconds: float, every: float = 0.1) -> None:
    """Waits until `test` is true; raises ClusterError after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        error: object = "not yet"
        try:
            if test():
                return
        except (OSError, ssl.SSLError, http.client.HTTPException, ValueError) as problem:
            error = problem
        if time.monotonic() > deadline:
            raise ClusterError(f"gave up waiting for {what} after {seconds} s: {error}")
        time.sleep(every)
