"""Statuses of all objects of a namespace that differ from what stands there, and Events of what changed. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from sluice_operator.conditions import condition
from sluice_operator.kinds import BatchWindow, Kind, SluiceGateway
from sluice_operator.plan.batch_window import window_events, window_status
from sluice_operator.plan.cache_policy import policy_status
from sluice_operator.plan.model_route import route_status
from sluice_operator.plan.plan import Event, Manifest, Ref, StatusUpdate
from sluice_operator.plan.quantised_model import model_status
from sluice_operator.plan.sluice_gateway import checked_status, gateway_status
from sluice_operator.plan.view import View

Told = tuple[tuple[StatusUpdate, ...], tuple[Event, ...], float | None]


def statuses(objects: Iterable[Manifest], values: Iterable[Kind], view: View) -> Told:
    """Updates, Events of what changed, and the seconds after which time alone may change a status."""
    kinds = tuple(values)
    gateway = next((value.spec for value in kinds if isinstance(value, SluiceGateway)), None)
    windows = {value.metadata.name: value for value in kinds if isinstance(value, BatchWindow)}
    updates, events = [], []
    wakes = [view.next_expiry()]
    for data in objects:
        status, wake = _status(data, gateway, windows, view)
        wakes.append(wake)
        before = data.get("status") or {}
        if status == before:
            continue
        updates.append(StatusUpdate(Ref.of(data), status))
        event = _event(data, before, status)
        if event:
            events.append(event)
        if data["kind"] == "BatchWindow":
            events += window_events(data, status)
    return tuple(updates), tuple(events), min((max(wake, 0.1) for wake in wakes if wake is not None), default=None)


def _status(
    data: Manifest, gateway: Any, windows: Mapping[str, BatchWindow], view: View
) -> tuple[dict[str, Any], float | None]:
    kind = data["kind"]
    if kind == "ModelRoute":
        return route_status(data, view)
    if kind == "CachePolicy":
        return policy_status(data, view)
    if kind == "QuantisedModel":
        return model_status(data, view), None
    if kind == "SluiceGateway":
        return gateway_status(data, gateway, view), None
    if kind == "BatchWindow":
        return window_status(data, windows.get(data["metadata"]["name"]), view)
    return checked_status(data, view), None


def _event(data: Manifest, before: Mapping[str, Any], status: Mapping[str, Any]) -> Event | None:
    """An Event where Ready or its reason changed, but none of what is merely under way."""
    old, new = condition(before, "Ready") or {}, condition(status, "Ready") or {}
    if (old.get("status"), old.get("reason")) == (new.get("status"), new.get("reason")):
        return None
    uid, generation = data["metadata"].get("uid", ""), data["metadata"].get("generation")
    # Which of the object's versions it is about: a list of Events has no other sign of that.
    message = new["message"] if generation is None else f"generation {generation}: {new['message']}"
    if new["status"] == "True":
        return Event(Ref.of(data), uid, "Normal", new["reason"], message)
    bad = condition(status, "Stalled") is not None or new["reason"] in {"Refused", "StoreUnavailable", "Failing"}
    return Event(Ref.of(data), uid, "Warning", new["reason"], message) if bad else None
