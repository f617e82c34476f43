"""When a deferred request has to start at the latest, and what becomes of one that no window lets be in time. Pure."""

import math
from typing import Literal, NamedTuple

from sluice_sidecar.batch.gate import Gate

Policy = Literal["RunAnyway", "Fail", "Warn"]
"""RunAnyway: it starts outside of a window, as late as is safe. Fail: it is refused at once. Warn: it waits for the
window and is late."""

Verdict = Literal["in window", "outside", "late", "refused"]


class Start(NamedTuple):
    """When a request may begin, unix seconds, infinity where it never may; and what to say of it."""

    at: float
    verdict: Verdict


def latest_start(deadline: float, queued: int, throughput: float, margin: float = 0.25) -> float:
    """The last moment, unix seconds, at which a queue can begin and have its last request done by `deadline`.

    `queued`: requests that must be done by then, the request itself included. `throughput`: requests a second, as
    measured. `margin`: share by which the run may take longer. With t = queued / throughput it is
    deadline - (1 + margin) t. ValueError for a throughput of 0 or less, a negative margin or queue.
    """
    if not (throughput > 0 and math.isfinite(throughput)):
        raise ValueError(f"a throughput of {throughput:g} requests a second tells nothing; give what was measured")
    if queued < 0 or not margin >= 0:
        raise ValueError(f"{queued} queued requests and a margin of {margin:g}: neither may be negative")
    return deadline - (1 + margin) * queued / throughput


def start_by(windows: Gate, now: float, latest: float, policy: Policy) -> Start:
    """When a request begins whose `latest_start` is `latest`. To be asked again as time and queue go on."""
    opens = windows.next(now)
    if opens <= latest:
        return Start(opens, "in window")
    if policy == "Fail":
        return Start(math.inf, "refused")
    if policy == "Warn" or opens <= now:
        return Start(opens, "late")
    return Start(max(now, latest), "outside")
