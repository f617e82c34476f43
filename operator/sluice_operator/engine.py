"""Executes a plan: the only place where a namespace is written to."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, Protocol

from sluice_operator.cluster import Cluster
from sluice_operator.cluster_error import NAMESPACE_TERMINATING, NOT_FOUND, ClusterError
from sluice_operator.plan.plan import Plan, Ref

Verb = Literal["apply", "delete", "status", "event"]


class Observer(Protocol):
    """Told of every write, for metrics and logs."""

    def wrote(self, verb: Verb, ref: Ref) -> None:
        """A write was accepted."""

    def failed(self, verb: Verb, error: ClusterError) -> None:
        """A write failed; `error.ref` is the object."""


@dataclass(frozen=True, slots=True)
class Result:
    """What was written, and when the key wants to be looked at again."""

    written: Mapping[tuple[Verb, str], int] = field(default_factory=dict)
    """(verb, kind) -> how many."""
    requeue_after: float | None = None


class PlanError(Exception):
    """Some of a plan's writes failed: the key is to be planned anew and tried again."""

    def __init__(self, errors: tuple[ClusterError, ...], result: Result) -> None:
        more = len(errors) - 1
        super().__init__(f"{errors[0]}" + (f"; and {more} more" if more else ""))
        self.errors = errors
        self.result = result

    @property
    def retryable(self) -> bool:
        """Whether every failure may pass with nothing changed by a person."""
        return all(error.retryable for error in self.errors)


async def execute(plan: Plan, cluster: Cluster, observer: Observer) -> Result:
    """Applies in order, deletes, writes statuses, then Events. Safe to stop between any two writes and to plan anew.

    An apply that fails ends the applies, and nothing is deleted: later objects need earlier ones, and what is deleted
    may be what the failed ones replace. Deletes, statuses and Events do not need each other, so that all are tried; a
    status says what was observed, which a failed apply does not change. Only an Event whose object's status failed is
    held back: the retry brings it again. When the server gives no answer at all, all the rest is left; so it is in a
    namespace that is being deleted, which is no failure: nothing can be made there, and all that is there goes with it.

    Raises PlanError at the end where anything failed.
    """
    run = _Run(observer)
    for manifest in plan.apply:
        if not await run.write("apply", Ref.of(manifest), partial(cluster.apply, manifest)):
            break
    else:
        for ref in plan.delete:
            await run.write("delete", ref, partial(cluster.delete, ref))
    silent: set[Ref] = set()
    for update in plan.statuses:
        if not await run.write("status", update.ref, partial(cluster.apply_status, update.ref, update.status)):
            silent.add(update.ref)
    for event in plan.events:
        if event.ref not in silent:
            await run.write("event", event.ref, partial(cluster.event, event))
    result = Result(dict(run.written), plan.requeue_after)
    if run.errors:
        raise PlanError(tuple(run.errors), result)
    return result


class _Run:
    """One execution: counts, and keeps what failed."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self.written: Counter[tuple[Verb, str]] = Counter()
        self.errors: list[ClusterError] = []
        self._ends = False

    async def write(self, verb: Verb, ref: Ref, call: Callable[[], Awaitable[object]]) -> bool:
        """Whether it is done; False without a try once the server gave no answer, or the namespace is being deleted."""
        if self._ends or (self.errors and self.errors[-1].away):
            return False
        try:
            await call()
        except ClusterError as error:
            if verb == "status" and error.reason == NOT_FOUND:
                return False  # the object went meanwhile, and that wakes the key
            if error.reason == NAMESPACE_TERMINATING:
                self._ends = True
                return False
            self.errors.append(error)
            self._observer.failed(verb, error)
            return False
        self.written[verb, ref.kind] += 1
        self._observer.wrote(verb, ref)
        return True
