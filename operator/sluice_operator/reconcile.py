"""One look at one namespace: observe, plan, execute. Level-triggered: what woke it does not matter."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Protocol

from sluice_operator.cluster import Cluster
from sluice_operator.engine import Observer, execute
from sluice_operator.plan.namespace import plan
from sluice_operator.plan.plan import Duty, Plan
from sluice_operator.plan.seen import Seen

SETTLE = 0.5
"""Seconds after the writing of objects in which gateways are expected to tell what came of it."""


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
        want: Callable[[str, Sequence[Duty]], None] = lambda namespace, duties: None,
    ) -> None:
        """`now` tells unix seconds; `want` takes what the namespace's managed stores are to hold."""
        self._observe, self._cluster, self._observer, self._now = observe, cluster, observer, now
        self._want = want
        self._held: set[str] = set()
        """Namespaces whose statuses wait since the last look."""

    async def __call__(self, namespace: str) -> float | None:
        """Seconds after which it wants to be called again; None: on a change. Raises ClusterError and PlanError."""
        started, success = time.perf_counter(), False
        try:
            seen = await self._observe(namespace)
            planned = self._settling(namespace, plan(seen, self._now()))
            result = await execute(planned, self._cluster, self._observer)
            # Once the keys that they are told with are in the cluster.
            self._want(namespace, planned.duties)
            success = True
            return result.requeue_after
        finally:
            self._observer.reconciled(time.perf_counter() - started, success=success)

    def _settling(self, namespace: str, planned: Plan) -> Plan:
        """The plan without statuses where objects are written first: within moments gateways tell what came of it.

        Never twice in a row, so that whoever fights over an object keeps no status from being written.
        """
        if not planned.apply or not planned.statuses or namespace in self._held:
            self._held.discard(namespace)
            return planned
        self._held.add(namespace)
        # An Event that comes with a status comes again with it; any other one would be lost.
        waiting = {update.ref for update in planned.statuses}
        alone = tuple(event for event in planned.events if event.ref not in waiting)
        return replace(planned, statuses=(), events=alone, requeue_after=SETTLE)
