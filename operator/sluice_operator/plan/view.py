"""What every status is computed from: the namespace as seen, what it compiles to, and which gateways serve what."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sluice_operator.compile import Compiled
from sluice_operator.conditions import seconds, timestamp
from sluice_operator.plan.plan import Manifest, Ref
from sluice_operator.plan.seen import GatewayPod, Report, Seen, WindowReport
from sluice_operator.problem import Problem

STALE = 95.0
"""Seconds after which a gateway that said nothing is unknown; it reports every 30."""
GRACE = 35.0
"""Seconds that a new leader waits for reports before it says that they are missing."""
SLOW = 600.0
"""Least seconds between two writes of figures that change all the time."""


@dataclass(frozen=True)
class View:
    """One namespace at one moment."""

    seen: Seen
    compiled: Compiled
    now: float
    """Unix seconds."""
    has_route: bool
    """Whether there is a ModelRoute, readable or not: without one no gateway runs."""

    @cached_property
    def reports(self) -> Mapping[str, Report]:
        """Pod uid -> what it last said, while its pod is there."""
        alive = {pod.uid for pod in self.seen.pods if not pod.finished}
        return {report.pod_uid: report for report in self.seen.reports if report.pod_uid in alive}

    @cached_property
    def running(self) -> tuple[GatewayPod, ...]:
        """Gateways that must serve what is published."""
        return tuple(p for p in self.seen.pods if p.running and not p.terminating and not p.finished)

    @cached_property
    def _problems(self) -> Mapping[tuple[str, str], tuple[Problem, ...]]:
        found: dict[tuple[str, str], list[Problem]] = {}
        for problem in self.compiled.problems:
            # An object that could not be read names no namespace of its own but its metadata's.
            if problem.namespace == self.seen.namespace:
                found.setdefault((problem.kind, problem.name), []).append(problem)
        return {key: tuple(listed) for key, listed in found.items()}

    def errors(self, kind: str, name: str) -> tuple[Problem, ...]:
        """What keeps an object out of service."""
        return tuple(p for p in self._problems.get((kind, name), ()) if p.severity == "error")

    def warnings(self, kind: str, name: str) -> tuple[Problem, ...]:
        """What an object says and is not done, or what nothing uses."""
        return tuple(p for p in self._problems.get((kind, name), ()) if p.severity == "warning")

    def fresh(self, pod: GatewayPod) -> Report | None:
        """What the pod said lately; None: it is unknown."""
        report = self.reports.get(pod.uid)
        return report if report and self.now - report.received <= STALE else None

    def queue(self, window: str) -> WindowReport | None:
        """What was said last of a window's queue, which is the same for all; None: nothing was."""
        told = [report for report in self.reports.values() if window in report.windows]
        return max(told, key=lambda report: report.received).windows[window] if told else None

    def child(self, api_version: str, kind: str, name: str) -> Manifest | None:
        """An object that the operator made here."""
        return self.seen.children.get(Ref(api_version, kind, self.seen.namespace, name))

    def next_expiry(self) -> float | None:
        """Seconds until the next report of a running gateway gets too old; None: none does."""
        received = [report.received for pod in self.running if (report := self.fresh(pod))]
        return min(received) + STALE + 1 - self.now if received else None


Waking = tuple[dict[str, Any], float | None]
"""A status, and the seconds after which it may change by time alone."""


def slowly(before: object, figures: Mapping[str, Any], fields: tuple[str, ...], view: View) -> Waking:
    """Figures as they may be written now: the old ones while they are younger than SLOW seconds, or no different.

    `fields` are all that there may be; the last one holds the time of the figures. No figures leave the old ones.
    """
    stamp = fields[-1]
    old = {k: v for k, v in before.items() if k in fields} if isinstance(before, Mapping) else {}
    new = {k: v for k, v in figures.items() if v is not None}
    if not new or {k: v for k, v in old.items() if k != stamp} == new:
        return old, None
    since = seconds(old.get(stamp))
    age = SLOW if since is None else view.now - since
    # A time in the future is a clock that was put back: it must not hold the figures for ever.
    if 0 <= age < SLOW:
        return old, SLOW - age
    return {**new, stamp: timestamp(view.now)}, None


def notes(problems: tuple[Problem, ...]) -> Iterator[str]:
    """Warnings as the ends of a message."""
    for problem in problems:
        yield f"{problem.field}: {problem.message}"
