"""Capacity handover: when a window raises its model, by how much, and when it hands back."""

import dataclasses
from typing import Any

from doubles.nights import MODEL, RAISED, asked, at, look, namespace, observed, reported, running
from doubles.objects import model, window
from doubles.planning import status
from sluice_operator.plan.capacity import DRAIN, STARTUP
from sluice_operator.plan.seen import Seen


def raised(**spec: Any) -> Seen:
    return running(namespace(capacity=RAISED, **spec), at("12:00"))


def test_by_day_the_model_has_what_everybody_else_asks_for() -> None:
    assert asked(raised()) == 1


def test_it_is_raised_before_the_window_opens_and_the_plan_wakes_for_that() -> None:
    day = raised()
    wake = look(day, at("12:00"))[1].requeue_after
    assert wake is not None
    assert wake <= 600.2  # a report may be written then
    early = at("22:00") - STARTUP
    assert asked(look(day, early - 1)[0]) == 1
    assert asked(look(day, early)[0]) == 3
    quiet, _ = look(day, early - 100)
    wake = look(quiet, early - 100)[1].requeue_after
    assert wake is not None
    assert 99 < wake < 101


def test_nothing_is_written_into_the_models_spec() -> None:
    night, done = look(raised(), at("23:00"))
    assert asked(night) == 3
    assert not [each for each in done.apply if each["kind"] == "QuantisedModel"]


def test_the_start_is_measured_and_the_next_one_is_earlier_or_later_by_it() -> None:
    now, _ = look(raised(), at("21:58"))
    assert status(now, "BatchWindow", "night")["capacity"]["since"] == "2027-01-15T21:58:00Z"
    ready, _ = look(observed(now, MODEL, readyReplicas=3), at("22:02"))
    held = status(ready, "BatchWindow", "night")["capacity"]
    assert (held["reached"], held["startupSeconds"]) == ("2027-01-15T22:02:00Z", 240)
    morning, _ = look(ready, at("12:00", 16))
    assert asked(morning) == 1
    assert status(morning, "BatchWindow", "night")["capacity"] == {
        "model": "smollm2",
        "replicas": 0,
        "startupSeconds": 240,
    }
    assert asked(look(morning, at("21:54:59", 16))[0]) == 1
    assert asked(look(morning, at("21:55", 16))[0]) == 3


def test_replicas_that_were_there_anyway_measure_nothing() -> None:
    now, _ = look(observed(raised(), MODEL, readyReplicas=3), at("22:30"))
    held = status(now, "BatchWindow", "night")["capacity"]
    assert held["reached"] == held["since"]
    assert "startupSeconds" not in held


def test_it_is_handed_back_when_what_ran_at_the_closing_has_ended() -> None:
    night, _ = look(raised(), at("23:00"))
    closed, done = look(reported(night, at("06:00:10", 16), running=4), at("06:00:10", 16))
    assert asked(closed) == 3
    assert done.requeue_after is not None
    assert done.requeue_after < 16
    assert asked(look(reported(closed, at("06:00:25", 16), queued=7), at("06:00:25", 16))[0]) == 1


def test_it_is_handed_back_ten_minutes_after_the_closing_whatever_still_runs() -> None:
    night, _ = look(raised(), at("23:00"))
    late = at("06:00", 16) + DRAIN
    assert asked(look(reported(night, late - 5, running=1), late - 5)[0]) == 3
    assert asked(look(reported(night, late + 1, running=1), late + 1)[0]) == 1


def test_a_new_leader_that_has_not_heard_yet_hands_nothing_back() -> None:
    night, _ = look(raised(), at("23:00"))
    new = dataclasses.replace(night, listening=5.0)
    assert asked(look(new, at("06:00:10", 16))[0]) == 3
    assert asked(look(dataclasses.replace(night, listening=60.0), at("06:00:10", 16))[0]) == 1


def test_two_windows_on_one_model_give_the_most_of_both() -> None:
    spec = {"always": True, "windows": None, "capacity": {**RAISED, "replicas": 2}}
    other = window("r", **{key: value for key, value in spec.items() if value is not None})
    del other["spec"]["windows"]
    other["metadata"] = {"name": "all-day"}
    both = running(namespace(other, capacity=RAISED), at("12:00"))
    assert asked(both) == 2
    assert asked(look(both, at("23:00"))[0]) == 3


def test_what_scale_asks_for_is_a_floor_in_the_window_and_holds_outside() -> None:
    for replicas, night in ((2, 3), (5, 5), (0, 3)):
        base = namespace(capacity=RAISED)
        external = model(replicas=replicas, scaling={"mode": "External"})
        spec = {data["metadata"]["name"]: data for data in (external,)}
        objects = tuple(
            {**data, "spec": spec[data["metadata"]["name"]]["spec"]} if data["kind"] == "QuantisedModel" else data
            for data in base.objects
        )
        day = running(dataclasses.replace(base, objects=objects), at("12:00"))
        assert asked(day) == replicas
        assert asked(look(day, at("23:00"))[0]) == night


def test_without_a_queue_nothing_is_raised() -> None:
    now, _ = look(namespace(state=False, capacity=RAISED), at("23:00"))
    assert asked(now) == 1


def test_a_window_that_cannot_be_read_any_more_hands_back() -> None:
    night, _ = look(raised(), at("23:00"))
    assert asked(night) == 3
    broken = tuple(
        {**data, "spec": {**data["spec"], "unknown": 1}} if data["kind"] == "BatchWindow" else data
        for data in night.objects
    )
    assert asked(look(dataclasses.replace(night, objects=broken), at("23:01"))[0]) == 1
