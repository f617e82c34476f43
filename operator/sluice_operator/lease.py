"""Leadership by a coordination Lease: one replica writes, resourceVersion decides races, a clean stop hands it on.

The client library's own election lets the leading task run on while the API server refuses connections: not this one.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from sluice_operator.plan.plan import Manifest, Ref

API_VERSION = "coordination.k8s.io/v1"


class LeaseError(Exception):
    """Leadership was lost: what led has been cancelled, and the process must end before another one writes."""


class Leases(Protocol):
    """The calls that leadership needs; KubeCluster has them."""

    async def get(self, ref: Ref) -> dict[str, Any] | None:
        """The Lease; None when there is none."""

    async def create(self, manifest: Manifest) -> dict[str, Any]:
        """Creates it; raises where there is one."""

    async def replace(self, manifest: Manifest) -> dict[str, Any]:
        """Writes it; raises where its resourceVersion is not the newest."""


@dataclass(frozen=True, slots=True)
class Times:
    """In seconds. A holder gives up `deadline` after its last good renewal, and nobody takes over before `duration`."""

    duration: float = 8.0
    deadline: float = 5.0
    retry: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.retry < self.deadline < self.duration:
            raise ValueError(f"a lease needs 0 < retry < deadline < duration, not {self}")


class Lease:
    """One replica's part in the election for one Lease."""

    def __init__(self, leases: Leases, namespace: str, name: str, identity: str, times: Times | None = None) -> None:
        """`identity` names this replica among all: its pod's name."""
        self._leases = leases
        self._ref = Ref(API_VERSION, "Lease", namespace, name)
        self._identity = identity
        self._times = times or Times()
        self._seen: tuple[tuple[Any, ...], float] | None = None
        """What its holder last wrote and when this replica saw that, by its own clock: no clocks are compared."""
        self._mine: dict[str, Any] | None = None
        """The Lease as this replica wrote it last: while nobody else writes it, a renewal is one call."""
        self._until = -math.inf

    @property
    def held(self) -> bool:
        """Whether this replica may write now."""
        return _now() < self._until

    async def lead(self, work: Callable[[], Awaitable[None]]) -> None:
        """Waits for leadership, then runs `work()` while it lasts; returns or raises with it, and hands leadership on.

        Raises LeaseError when the lease is lost: `work` is cancelled then and has until the lease runs out to end.
        """
        await self._acquire()
        task = asyncio.ensure_future(work())
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=min(self._times.retry, self._left()))
                if not task.done():
                    await self._renew(task)
            await task
        finally:
            await self._end(task)

    async def _acquire(self) -> None:
        while True:
            if await self._attempt(self._times.deadline):
                return
            await asyncio.sleep(self._times.retry)

    async def _renew(self, task: "asyncio.Future[None]") -> None:
        """Renews once; raises LeaseError where the lease is another's, or no renewal was good for too long."""
        # one answer that never comes leaves time for a second attempt
        renewal = asyncio.ensure_future(self._attempt(min(self._times.deadline / 2, self._left())))
        either: set[asyncio.Future[Any]] = {renewal, task}
        try:
            # work that ends meanwhile is not kept waiting for a slow server
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            renewal.cancel()
            await asyncio.wait({renewal})
        if not task.done() and not self.held:
            raise LeaseError(
                f"{self._identity} lost {self._ref}: no renewal within {self._times.deadline:g} s, or another took it; "
                "this process must end and start again. See whether the API server can be reached"
            )

    async def _attempt(self, seconds: float) -> bool:
        """Takes or renews the lease; whatever goes wrong is only a failed attempt: the deadline decides."""
        started = _now()
        try:
            async with asyncio.timeout(seconds):
                taken = await self._take()
        except Exception:
            return False
        # counted from before the request: others count from when they saw it, which is later
        self._until = started + self._times.deadline if taken else -math.inf
        return taken

    async def _take(self) -> bool:
        """Whether the lease is ours now; False where another holds it. Raises where that could not be found out."""
        stamp = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        claim = {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": math.ceil(self._times.duration),
            "renewTime": stamp,
        }
        mine, self._mine = self._mine, None
        if mine is not None:
            with suppress(Exception):  # somebody else wrote it: what stands there decides
                self._mine = await self._leases.replace({**mine, "spec": {**mine["spec"], **claim}})
                return True
        lease = await self._leases.get(self._ref)
        if lease is None:
            metadata = {"namespace": self._ref.namespace, "name": self._ref.name}
            spec = {**claim, "acquireTime": stamp, "leaseTransitions": 0}
            made = {"apiVersion": API_VERSION, "kind": "Lease", "metadata": metadata, "spec": spec}
            self._mine = await self._leases.create(made)
            return True
        old = lease.get("spec") or {}
        if old.get("holderIdentity") == self._identity:
            self._mine = await self._leases.replace({**lease, "spec": {**old, **claim}})
            return True
        if self._alive(old):
            return False
        spec = {**old, **claim, "acquireTime": stamp, "leaseTransitions": (old.get("leaseTransitions") or 0) + 1}
        self._mine = await self._leases.replace({**lease, "spec": spec})
        return True

    def _alive(self, spec: Mapping[str, Any]) -> bool:
        """Whether its holder is to be believed alive: it wrote within the time that it promised to."""
        if not spec.get("holderIdentity"):
            return False
        mark = (spec["holderIdentity"], spec.get("renewTime"), spec.get("leaseTransitions"))
        if self._seen is None or self._seen[0] != mark:
            self._seen = (mark, _now())
        return _now() < self._seen[1] + (spec.get("leaseDurationSeconds") or self._times.duration)

    async def _end(self, task: "asyncio.Future[None]") -> None:
        """Ends the work and then, only when it has ended, hands the lease on."""
        task.cancel()
        spare = self._times.duration - self._times.deadline - self._times.retry / 2
        await asyncio.wait({task}, timeout=max(self._left(), spare, 0.0))
        if not task.done():
            return  # it may still write: the lease runs out by itself
        if not task.cancelled():
            task.exception()
        held, self._until = self.held, -math.inf
        if held:
            with suppress(Exception):
                async with asyncio.timeout(self._times.retry * 2):
                    await self._release()

    def _left(self) -> float:
        """Seconds for which the lease is still held."""
        return max(self._until - _now(), 0.0)

    async def _release(self) -> None:
        lease = await self._leases.get(self._ref)
        spec = (lease or {}).get("spec") or {}
        if lease is not None and spec.get("holderIdentity") == self._identity:
            await self._leases.replace({**lease, "spec": {**spec, "holderIdentity": "", "leaseDurationSeconds": 1}})


def _now() -> float:
    return asyncio.get_running_loop().time()
