"""When a deferred request has to start at the latest. Pure."""

import math


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
