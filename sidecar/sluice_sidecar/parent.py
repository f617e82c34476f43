"""A child that never outlives its parent, however the parent died."""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int) -> None:
    """Asks the kernel for a SIGTERM when process `parent` dies; ends at once if it is gone already.

    Call it from the main thread, at the start. Where the kernel refuses (a sandbox), nothing is asked for.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit(f"parent process {parent} is gone")
