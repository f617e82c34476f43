"""Windows that never open, overlap or come after the deadline are told with field and cure."""

from typing import Any

import pytest

from doubles.objects import parsed, route, written
from sluice_operator.compile import compile  # noqa: A004
from sluice_operator.kinds import BatchWindow
from sluice_operator.problem import Problem
from sluice_operator.window_section import window_section
from sluice_sidecar.batch.windows import Schedule

NIGHT = {"start": "22:00", "end": "06:00"}


def window(**spec: Any) -> dict[str, Any]:
    return written("BatchWindow", "night", {"routes": ["support"], **spec})


def told(**spec: Any) -> list[Problem]:
    """What compile says of a window, but that this release does not run it."""
    problems = compile(parsed(route("support"), window(**spec))).problems
    return [each for each in problems if each.kind == "BatchWindow" and each.reason != "NotInThisRelease"]


@pytest.mark.parametrize(
    "spec", [{"windows": [NIGHT]}, {"always": True}, {"exceptions": [{"date": "2026-12-24", "windows": [NIGHT]}]}]
)
def test_nothing_is_said_of_a_sound_one(spec: dict[str, Any]) -> None:
    assert told(**spec) == []


@pytest.mark.parametrize(
    ("spec", "field"),
    [({"always": False}, "spec.always"), ({"exceptions": [{"date": "2026-12-24"}]}, "spec.exceptions")],
)
def test_one_that_never_opens_is_an_error(spec: dict[str, Any], field: str) -> None:
    (found,) = told(**spec)
    assert (found.severity, found.field, found.reason) == ("error", field, "NeverOpens")
    assert found.message.endswith("give windows, or always: true")


def test_an_unknown_zone_is_an_error_with_names_like_it() -> None:
    (found,) = told(windows=[NIGHT], timeZone="berlin")
    assert (found.severity, found.field) == ("error", "spec.timeZone")
    assert "Europe/Berlin" in found.message


def test_overlapping_windows_are_a_warning_at_the_later_one() -> None:
    early = {"days": ["Sat"], "start": "05:00", "end": "12:00"}
    (found,) = told(windows=[NIGHT, {"days": ["Wed"], "start": "12:00", "end": "13:00"}, early])
    assert (found.severity, found.field) == ("warning", "spec.windows[2]")
    assert found.message == "overlaps spec.windows[0]; they are open as one"


@pytest.mark.parametrize(
    ("policy", "says"),
    [("RunAnyway", "run outside of a window"), ("Fail", "are refused"), ("Warn", "are late")],
)
def test_a_deadline_before_the_next_opening_is_a_warning_that_says_what_becomes_of_requests(
    policy: str, says: str
) -> None:
    (found,) = told(windows=[{"days": ["Sat"], **NIGHT}], deadline="1d", deadlinePolicy=policy)
    assert (found.severity, found.field) == ("warning", "spec.deadline")
    assert "closed for up to 160h, and the deadline is 1d" in found.message
    assert says in found.message


def test_the_section_is_what_a_schedule_is_made_of() -> None:
    (resource,) = parsed(
        window(always=True, timeZone="Asia/Kolkata", exceptions=[{"date": "2026-12-25"}], deadlinePolicy="Fail")
    )
    assert isinstance(resource.value, BatchWindow)
    section = window_section(resource.value)
    assert (section.name, section.routes, section.deadline, section.missed) == ("night", ("support",), 86_400.0, "Fail")
    christmas = 1_798_137_000.0  # 2026-12-25T00:00 in India
    schedule = Schedule.of(section)
    assert schedule.closes(christmas - 3600) == christmas
    assert schedule.next(christmas) == christmas + 86_400
