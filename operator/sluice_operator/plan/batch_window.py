"""The status of a BatchWindow: when it opens and closes, what waits and what was done, and what is missing. Pure."""

import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from sluice_operator import names
from sluice_operator.conditions import Verdict, conditions, seconds, stalled, timestamp
from sluice_operator.kinds import BatchWindow
from sluice_operator.plan import capacity
from sluice_operator.plan.model_route import money_text
from sluice_operator.plan.plan import Event, Manifest, Ref
from sluice_operator.plan.view import View, Waking, notes, slowly
from sluice_operator.plan.workloads import claim_there, has_queue, is_bound
from sluice_operator.render.llama_cpp import workload_name
from sluice_sidecar.batch.windows import Schedule
from sluice_sidecar.config import BatchWindow as Section

SETTLED = 45.0
"""Seconds after an opening or a closing by which every gateway has reported what came before it."""
LATE = 0.1
"""Seconds after a moment at which it is surely past."""
FIGURES = ("queued", "running", "done", "failed", "missed", "oldest", "saved", "measured")


def window_status(data: Manifest, window: BatchWindow | None, view: View) -> Waking:
    """The whole status; `window` None: it cannot be read."""
    name, generation = data["metadata"]["name"], data["metadata"].get("generation")
    before: Mapping[str, Any] = data.get("status") or {}
    section = view.compiled.config.windows.get(name)
    verdict = _verdict(name, window, section, view)
    status: dict[str, Any] = {
        **({} if generation is None else {"observedGeneration": generation}),
        "conditions": conditions(verdict, before.get("conditions"), generation, view.now),
    }
    if section is None:
        return status, None
    schedule = capacity.schedule_of(section)
    hours, wake = _hours(schedule, before, view.now, runs=has_queue(view.compiled.config))
    figures, later = _figures(name, before, hours["changed"], view)
    wakes = [wake, later]
    wanted, held = capacity.wanted_of(window, view), False
    if wanted:
        hold = capacity.hold(section, before, view)
        held = hold.held
        wakes.append(hold.wake)
    workload = view.child("apps/v1", "Deployment", workload_name(wanted[0])) if wanted else None
    kept = capacity.held_status(wanted, held, before.get("capacity"), workload, timestamp(view.now))
    status |= {**hours, **figures, **({"capacity": kept} if kept else {})}
    return status, min((each + LATE for each in wakes if each is not None), default=None)


def window_events(data: Manifest, status: Mapping[str, Any]) -> Iterator[Event]:
    """Events of what differs between the status that stands there and the new one."""
    before: Mapping[str, Any] = data.get("status") or {}
    ref, uid = Ref.of(data), data["metadata"].get("uid", "")
    if status.get("open") is True and not before.get("open"):
        until = status.get("nextClosing")
        message = f"deferred requests run until {until}" if until else "deferred requests run from now on"
        yield Event(ref, uid, "Normal", "WindowOpened", message)
    if status.get("open") is False and before.get("open"):
        opens = status.get("nextOpening")
        rest = f", and opens at {opens}" if opens else ", and never opens again"
        message = f"closed{rest}; what runs comes to its end, {status.get('queued', 0)} requests wait"
        yield Event(ref, uid, "Normal", "WindowClosed", message)
    more = (status.get("missed") or 0) - (before.get("missed") or 0)
    if more > 0:
        message = (
            f"{more} requests were not done by their deadline; write a longer deadline, longer windows, more "
            "concurrency or capacity"
        )
        yield Event(ref, uid, "Warning", "DeadlineMissed", message)


def _hours(schedule: Schedule, before: Mapping[str, Any], now: float, *, runs: bool) -> Waking:
    """Whether it is open, since when, and when that changes. Without a queue that `runs` it is never open."""
    is_open, opens = schedule.open(now) and runs, schedule.next_opening(now)
    closes = schedule.closes(now if is_open else opens) if is_open or math.isfinite(opens) else math.inf
    kept = before.get("changed") if before.get("open") is is_open else None
    hours: dict[str, Any] = {"open": is_open, "changed": kept or timestamp(now)}
    if math.isfinite(opens):
        hours["nextOpening"] = timestamp(opens)
    if math.isfinite(closes):
        hours["nextClosing"] = timestamp(closes)
    change = schedule.closes(now) if schedule.open(now) else opens
    return hours, (change - now if math.isfinite(change) else None)


def _figures(name: str, before: Mapping[str, Any], changed: str, view: View) -> Waking:
    """The newest word on the queue, which all gateways share, and the sums of what each counted.

    Every ten minutes at most; besides when the window opened or closed, and once the last reports of then are there.
    """
    counted = [report.windows[name] for report in view.reports.values() if name in report.windows]
    queue = view.queue(name)
    figures: dict[str, Any] = {}
    if queue:
        currency = max(counted, key=lambda one: abs(one.saved)).currency
        saved = sum((one.saved for one in counted if one.currency == currency), Decimal(0))
        figures = {
            "queued": queue.queued,
            "running": queue.running,
            "done": sum(one.done for one in counted),
            "failed": sum(one.failed for one in counted),
            "missed": sum(one.missed for one in counted),
            "oldest": None if queue.oldest is None else timestamp(queue.oldest),
            "saved": f"{money_text(saved)} {currency}",
        }
    measured, at = seconds(before.get("measured")), seconds(changed) or view.now
    due = [moment for moment in (at, at + SETTLED) if moment <= view.now]
    fresh = measured is not None and due and measured < max(due)
    found, wake = slowly({} if fresh and figures else before, figures, FIGURES, view)
    settles = at + SETTLED - view.now
    return found, min((each for each in (wake, settles) if each is not None and each > 0), default=None)


def _verdict(name: str, window: BatchWindow | None, section: Section | None, view: View) -> Verdict:
    errors = view.errors("BatchWindow", name)
    if errors:
        return stalled(errors, "what was published before still holds" if section else "")
    if section is None or window is None:
        return Verdict("False", "NotPublished", "it is not published yet", reconciling=True)
    if view.compiled.config.gateway.state is None:
        message = (
            "there is no queue that outlives a gateway, so deferred requests are refused: SluiceGateway default has no "
            "spec.state.redis; write state: {redis: {managed: {}}} there"
        )
        return Verdict("False", "NoDurableQueue", message, stalled=True)
    if not (window.spec.files or _keeps_files(view)):
        message = "no volume keeps batch files, so files are refused; write files: {pvc: {storage: 10Gi}}"
        return Verdict("False", "NoFiles", message, stalled=True)
    return _running(name, section, view)


def _keeps_files(view: View) -> bool:
    """Whether there is a volume already, or another window asks for one: all share it."""
    specs = (data.get("spec") or {} for data in view.seen.objects if data["kind"] == "BatchWindow")
    return claim_there(view.seen) is not None or any((spec.get("files") or {}).get("pvc") for spec in specs)


def _running(name: str, section: Section, view: View) -> Verdict:
    if not is_bound(claim_there(view.seen)):
        message = (
            f"PersistentVolumeClaim {names.FILES_CLAIM} has no volume yet: see its events. More than one gateway needs "
            "a class that gives ReadWriteMany; where SluiceGateway says replicas: 1 when the claim is made, "
            "ReadWriteOnce is enough. A claim is never changed: delete it to have it made anew"
        )
        return Verdict("False", "FilesPending", message, reconciling=True)
    workload = view.child("apps/v1", "Deployment", names.BATCH_NAME)
    if not ((workload or {}).get("status") or {}).get("readyReplicas"):
        message = f"the worker is starting: see Deployment {names.BATCH_NAME} and its pods; what was taken in waits"
        return Verdict("False", "WorkerStarting", message, reconciling=True)
    is_open = capacity.schedule_of(section).open(view.now)
    told = "open: deferred requests run" if is_open else "closed: deferred requests wait"
    return Verdict("True", "Running", "; ".join([told, *notes(view.warnings("BatchWindow", name))]))
