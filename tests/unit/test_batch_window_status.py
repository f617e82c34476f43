"""The status of a BatchWindow: its hours, its figures, its Events, and what is missing with the cure."""

import dataclasses
from decimal import Decimal
from typing import Any

import pytest

from doubles.nights import CLAIM, WORKER, at, look, namespace, observed, reported, running
from doubles.objects import gateway, route, window
from doubles.planning import pod, published, ready, report, seen, status
from sluice_operator.conditions import condition
from sluice_operator.plan.namespace import plan
from sluice_operator.plan.seen import Seen, WindowReport

DAY = running(namespace(), at("12:00"))


def told(of: Seen) -> str:
    found = condition(status(of, "BatchWindow", "night"), "Ready")
    assert found is not None
    return str(found["message"])


def test_it_says_when_it_opens_and_closes_next() -> None:
    found = status(DAY, "BatchWindow", "night")
    assert (found["open"], found["nextOpening"], found["nextClosing"]) == (
        False,
        "2027-01-15T22:00:00Z",
        "2027-01-16T06:00:00Z",
    )
    night = status(look(DAY, at("22:00"))[0], "BatchWindow", "night")
    assert (night["open"], night["nextOpening"], night["nextClosing"]) == (
        True,
        "2027-01-16T22:00:00Z",
        "2027-01-16T06:00:00Z",
    )
    assert night["changed"] == "2027-01-15T22:00:00Z"


def test_a_window_that_never_closes_says_so() -> None:
    always = window("r", files={"pvc": {"storage": "1Gi"}}, always=True)
    del always["spec"]["windows"]
    now = running(seen(route("r"), always, gateway(state={"redis": {"managed": {}}})), at("12:00"))
    found = status(now, "BatchWindow", "night")
    assert found["open"] is True
    assert not {"nextOpening", "nextClosing"} & found.keys()
    assert ready(now, "BatchWindow", "night") == ("True", "Running")


def test_it_wakes_at_the_opening_and_tells_it_once() -> None:
    early = at("21:59")
    quiet = look(DAY, early)[0]
    wake = plan(quiet, early).requeue_after
    assert wake is not None
    assert 60 < wake < 61
    night, done = look(quiet, early + wake)
    assert [event.reason for event in done.events] == ["WindowOpened"]
    assert "2027-01-16T06:00:00Z" in done.events[0].message
    assert plan(night, early + wake + 1).empty
    _, done = look(night, at("06:00:01", 16))
    assert [event.reason for event in done.events] == ["WindowClosed"]


def test_at_rest_nothing_is_written() -> None:
    for clock in ("12:00", "12:09", "15:00", "21:57"):
        assert plan(DAY, at(clock)).empty, clock


def test_the_queue_is_told_by_the_newest_report_and_what_was_done_is_added_up() -> None:
    config = published(DAY)
    one, two = pod("one"), pod("two", "batch")
    said = [
        (one, 5, WindowReport(queued=9, running=1, done=4, missed=1, saved=Decimal("0.25"))),
        (two, 0, WindowReport(queued=8, running=2, done=3, failed=2, oldest=at("11:30"), saved=Decimal("0.5"))),
    ]
    reports = tuple(report(p, config, received=at("13:00") - age, windows={"night": of}) for p, age, of in said)
    now, done = look(dataclasses.replace(DAY, pods=(one, two), reports=reports), at("13:00"))
    found = status(now, "BatchWindow", "night")
    assert (found["queued"], found["running"], found["oldest"]) == (8, 2, "2027-01-15T11:30:00Z")
    assert (found["done"], found["failed"], found["missed"], found["saved"]) == (7, 2, 1, "0.75 USD")
    (missed,) = [event for event in done.events if event.reason == "DeadlineMissed"]
    assert missed.type == "Warning"


def test_figures_change_every_ten_minutes_at_most_but_for_an_opening() -> None:
    now, _ = look(reported(DAY, at("21:55"), queued=5), at("21:55"))
    assert plan(reported(now, at("21:59"), queued=50), at("21:59")).empty
    night, _ = look(reported(now, at("22:00"), queued=50), at("22:00"))
    assert status(night, "BatchWindow", "night")["queued"] == 50
    assert plan(reported(night, at("22:00:20"), queued=45), at("22:00:20")).empty
    # what gateways reported just after the opening
    later, _ = look(reported(night, at("22:00:46"), queued=40), at("22:00:46"))
    assert status(later, "BatchWindow", "night")["queued"] == 40
    assert plan(reported(later, at("22:05"), queued=10), at("22:05")).empty
    last, _ = look(reported(later, at("22:10:47"), queued=1), at("22:10:47"))
    assert status(last, "BatchWindow", "night")["queued"] == 1


def test_without_a_redis_for_state_it_is_stalled_with_the_cure() -> None:
    now, done = look(namespace(state=False), at("12:00"))
    found = condition(status(now, "BatchWindow", "night"), "Stalled")
    assert found is not None
    assert found["reason"] == "NoDurableQueue"
    assert "state: {redis: {managed: {}}}" in found["message"]
    assert [event.reason for event in done.events if event.ref.kind == "BatchWindow"] == ["NoDurableQueue"]
    assert WORKER not in now.children
    night, done = look(now, at("23:00"))
    assert status(night, "BatchWindow", "night")["open"] is False
    assert not [event for event in done.events if event.reason == "WindowOpened"]


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"files": {"s3": {"bucket": "b"}}}, "NotInThisRelease"),
        ({"routes": ["gone"]}, "RouteNotFound"),
        ({"capacity": {"quantisedModel": {"name": "gone"}, "replicas": 2}}, "ModelNotFound"),
        (
            {"webhooks": {"signingKey": {"secret": "gone", "key": "k"}, "allow": ["https://a.example.com"]}},
            "SecretNotFound",
        ),
        ({"unknown": 1}, "UnknownField"),
    ],
)
def test_what_is_wrong_stalls_it(spec: dict[str, Any], reason: str) -> None:
    now, _ = look(namespace(**spec), at("12:00"))
    assert ready(now, "BatchWindow", "night") == ("False", reason)
    assert condition(status(now, "BatchWindow", "night"), "Stalled") is not None


def test_it_waits_for_its_volume_and_its_worker() -> None:
    first, _ = look(namespace(), at("12:00"))
    assert ready(first, "BatchWindow", "night") == ("False", "FilesPending")
    assert "ReadWriteMany" in told(first)
    bound, _ = look(observed(first, CLAIM, phase="Bound"), at("12:00"))
    assert ready(bound, "BatchWindow", "night") == ("False", "WorkerStarting")
    up, _ = look(observed(bound, WORKER, readyReplicas=1), at("12:00"))
    assert ready(up, "BatchWindow", "night") == ("True", "Running")


def test_without_files_it_says_what_to_write() -> None:
    bare = window("r")
    now, _ = look(seen(route("r"), bare, gateway(state={"redis": {"managed": {}}})), at("12:00"))
    assert ready(now, "BatchWindow", "night") == ("False", "NoFiles")
    assert "files: {pvc: {storage: 10Gi}}" in told(now)
