"""The latest report of each pod is kept while it is young; a change of what is served is told at once."""

from dataclasses import replace
from typing import Any

import pytest

from sluice_operator.plan.seen import PolicyReport, Report, RouteSavings
from sluice_operator.reports import LIFE, PODS, SETTLING, Reports


class Heard:
    """A registry at a time that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.changed: list[str] = []
        self.reports = Reports(self.changed.append, lambda: self.now)

    def says(self, uid: str = "u1", namespace: str = "team", **more: Any) -> Report:
        report = replace(Report(namespace, f"pod-{uid}", uid, self.now), **more)
        self.reports.accept(report)
        return report

    def uids(self, namespace: str = "team") -> list[str]:
        return [report.pod_uid for report in self.reports.of(namespace)]


@pytest.fixture
def heard() -> Heard:
    return Heard()


def test_the_latest_report_of_each_pod_is_kept_in_its_namespace(heard: Heard) -> None:
    heard.says(digest="old")
    latest, second, other = heard.says(digest="new"), heard.says("u2"), heard.says("u3", "other")
    assert heard.reports.of("team") == (latest, second)
    assert heard.reports.of("other") == (other,)
    assert heard.reports.of("nobody") == ()


@pytest.mark.parametrize(
    "more",
    [
        {"digest": "d"},
        {"routes": {"house": "r"}},
        {"refused": {"house": "why"}},
        {"problem": "why"},
        {"version": "2"},
        {"schemas": (1, 2)},
        {"policies": {"p": PolicyReport(store="away")}},
    ],
)
def test_what_is_served_differently_is_told(heard: Heard, more: dict[str, Any]) -> None:
    heard.says()
    heard.says(**more)
    assert heard.changed == ["team", "team"]
    heard.says(**more)
    assert heard.changed == ["team", "team"]


def test_figures_alone_are_not_told(heard: Heard) -> None:
    heard.says(policies={"p": PolicyReport(entries=1)})
    heard.now += 30
    heard.says(savings={"house": RouteSavings(5)}, policies={"p": PolicyReport(entries=2)}, started=3.0)
    assert heard.changed == ["team"]
    assert heard.reports.of("team")[0].savings == {"house": RouteSavings(5)}


def test_a_report_without_another_is_dropped_and_its_return_is_told(heard: Heard) -> None:
    heard.says()
    heard.now += LIFE - 1
    assert heard.uids() == ["u1"]
    heard.now += 1
    assert heard.uids() == []
    heard.says()
    assert heard.changed == ["team", "team"]


def test_pods_that_are_gone_are_forgotten_and_new_ones_are_not(heard: Heard) -> None:
    heard.says("gone")
    heard.says("lives")
    heard.says("gone", "other")
    heard.now += SETTLING + 1
    heard.says("new")
    heard.reports.forget({"lives"})
    assert heard.uids() == ["lives", "new"]
    assert heard.uids("other") == []


def test_a_namespace_cannot_fill_the_memory(heard: Heard) -> None:
    for number in range(PODS):
        heard.reports._reports.setdefault("team", {})[f"p{number}"] = Report("team", "p", f"p{number}", heard.now)
    heard.says("p0")
    heard.says("one more")
    assert len(heard.uids()) == PODS
    assert "p0" in heard.uids()
    assert "p1" not in heard.uids()


def test_it_listens_from_when_it_leads(heard: Heard) -> None:
    states = [heard.reports.open]
    assert heard.reports.listening(5000.0) == 0
    heard.reports.listen()
    heard.now += 10
    heard.reports.listen()
    assert [*states, heard.reports.open] == [False, True]
    assert heard.reports.listening(heard.now) == 10
    assert heard.reports.listening(0.0) == 0
