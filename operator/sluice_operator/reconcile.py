"""One look at one namespace: observe, plan, execute. Level-triggered: what woke it does not matter."""

import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from sluice_operator.cluster import Cluster
from sluice_operator.engine import Observer, execute
from sluice_operator.plan.namespace import plan
from sluice_operator.plan.seen import Seen


class Counting(Observer, Protocol):
    """Told of writes, and of how each look went."""

    def reconciled(self, seconds: float, *, success: bool) -> None:
        """One namespace was looked at, for so long."""


class Reconcile:
    """`await reconcile(namespace)` makes it what its objects say; safe to be stopped anywhere."""

    def __init__(
        self,
        observe: Callable[[str], Awaitable[Seen]],
        cluster: Cluster,
        observer: Counting,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`now` tells unix seconds."""
        self._observe, self._cluster, self._observer, self._now = observe, cluster, observer, now

    async def __call__(self, namespace: str) -> float | None:
        """Seconds after which it wants to be called again; None: on a change. Raises ClusterError and PlanError."""
        started, success = time.perf_counter(), False
        try:
            seen = await self._observe(namespace)
            result = await execute(plan(seen, self._now()), self._cluster, self._observer)
            success = True
            return result.requeue_after
        finally:
            self._observer.reconciled(time.perf_counter() - started, success=success)
