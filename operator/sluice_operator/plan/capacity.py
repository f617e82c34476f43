"""Capacity handover: how many replicas of a model its windows and everybody else ask for, now. Pure.

A window asks from a little before it opens, so that the replicas are ready then, until what ran when it closed has
ended. Nothing is written into the model's spec: its workload has the most that anybody asks for.
"""

import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from sluice_operator.conditions import seconds
from sluice_operator.kinds import BatchWindow, Kind, QuantisedModel
from sluice_operator.plan.plan import Manifest
from sluice_operator.plan.view import GRACE, View
from sluice_operator.plan.workloads import has_queue
from sluice_sidecar.batch.windows import Schedule
from sluice_sidecar.config import BatchWindow as Section

STARTUP = 120.0
"""Seconds that a model is taken to need until its replicas are ready, before that was measured."""
LONGEST_STARTUP = 1800.0
MARGIN = 1.25
DRAIN = 600.0
"""Seconds after its closing for which a window keeps its capacity at most, while its requests run."""
LOOK = 15.0
"""Seconds between looks at what still runs."""


class Hold(NamedTuple):
    """Whether a window asks for its capacity, and the seconds after which that may change by time alone."""

    held: bool
    wake: float | None


@lru_cache(maxsize=1024)
def schedule_of(section: Section) -> Schedule:
    """The section's schedule; it keeps what it found last, so each look at an unchanged window is quick."""
    return Schedule.of(section)


def wanted_of(window: BatchWindow | None, view: View) -> tuple[str, int] | None:
    """The model of the window's own namespace that it raises, and to how many replicas; None: none."""
    capacity = window.spec.capacity if window else None
    if capacity is None or not has_queue(view.compiled.config):
        return None
    model = capacity.quantised_model
    return (model.name, capacity.replicas) if model.namespace in (None, view.seen.namespace) else None


def hold(section: Section, status: Mapping[str, Any], view: View) -> Hold:
    """Whether a window with this `status` asks for its capacity now."""
    schedule, now = schedule_of(section), view.now
    if schedule.open(now):
        return Hold(True, None)
    lead = lead_of(status)
    opens = schedule.next_opening(now) - now
    if opens <= lead:
        return Hold(True, None)
    ended = _last_closing(schedule, now)
    if ended is not None and _still_runs(section.name, view):
        return Hold(True, min(LOOK, ended + DRAIN - now))
    return Hold(False, None if math.isinf(opens) else opens - lead)


def lead_of(status: Mapping[str, Any]) -> float:
    """Seconds before an opening at which capacity is asked for: the measured start and a quarter of it."""
    found = (status.get("capacity") or {}).get("startupSeconds")
    return STARTUP if found is None else min(found, LONGEST_STARTUP) * MARGIN


def replicas(models: Iterable[QuantisedModel], objects: Iterable[Kind], view: View) -> dict[str, int]:
    """Replicas of each model's workload: the most that /scale or a window asks for."""
    found = {model.metadata.name: _others(model) for model in models}
    statuses = {data["metadata"]["name"]: data for data in view.seen.objects if data["kind"] == "BatchWindow"}
    for window in objects:
        section = view.compiled.config.windows.get(window.metadata.name)
        if not isinstance(window, BatchWindow) or section is None:
            continue
        wanted = wanted_of(window, view)
        before = statuses[window.metadata.name].get("status") or {}
        if wanted and wanted[0] in found and hold(section, before, view).held:
            found[wanted[0]] = max(found[wanted[0]], wanted[1])
    return found


def held_status(
    wanted: tuple[str, int] | None, held: bool, before: object, workload: Manifest | None, stamp: str
) -> dict[str, Any] | None:
    """`status.capacity`; `workload` is the model's Deployment, `stamp` the time of now. None: there is no capacity.

    The start is measured from when the window began to ask until as many were ready, where they were not there anyway.
    """
    if wanted is None:
        return None
    old = before if isinstance(before, Mapping) and before.get("model") == wanted[0] else {}
    measured = old.get("startupSeconds")
    status: dict[str, Any] = {"model": wanted[0], "replicas": wanted[1] if held else 0}
    if held:
        kept = old.get("replicas") == wanted[1] and bool(old.get("since"))
        since, reached = (old["since"], old.get("reached")) if kept else (stamp, None)
        if reached is None and _ready(workload) >= wanted[1]:
            reached = stamp
            if kept:
                measured = max(0, round((seconds(stamp) or 0.0) - (seconds(since) or 0.0)))
        status |= {"since": since, **({"reached": reached} if reached else {})}
    return status if measured is None else {**status, "startupSeconds": measured}


def _others(model: QuantisedModel) -> int:
    """What is asked for outside of windows: what /scale says where others decide, else one."""
    spec = model.spec
    external = spec.scaling.mode == "External" and spec.replicas is not None
    return spec.replicas if external and spec.replicas is not None else 1


def _last_closing(schedule: Schedule, now: float) -> float | None:
    """When it closed last, where that is less than DRAIN ago."""
    start = now - DRAIN
    at = start if schedule.open(start) else schedule.next_opening(start)
    ended = None
    while at <= now:
        closes = schedule.closes(at)
        if start < closes <= now:
            ended = closes
        at = schedule.next_opening(at)
    return ended


def _still_runs(name: str, view: View) -> bool:
    """Whether requests of the window run, or may: a replica that leads too shortly has not heard of them yet."""
    told = view.queue(name)
    return told.running > 0 if told else view.seen.listening < GRACE


def _ready(workload: Manifest | None) -> int:
    return int(((workload or {}).get("status") or {}).get("readyReplicas") or 0)
