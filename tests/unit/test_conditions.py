"""Conditions as kstatus reads them: abnormal ones only while they hold, transition times that tell transitions."""

from sluice_operator.conditions import Verdict, condition, conditions, seconds, stalled, timestamp, told
from sluice_operator.problem import Problem

GOOD = Verdict("True", "Serving", "all is well")
BAD = Verdict("False", "BackendNotFound", "no such backend", stalled=True)


def problem(number: int) -> Problem:
    return Problem("error", "ModelRoute", "r", f"spec.f{number}", "Reason", f"cause {number}", (), "cure")


def test_a_good_object_has_one_condition() -> None:
    assert conditions(GOOD, None, 3, 0.0) == [
        {
            "type": "Ready",
            "status": "True",
            "reason": "Serving",
            "message": "all is well",
            "observedGeneration": 3,
            "lastTransitionTime": "1970-01-01T00:00:00Z",
        }
    ]


def test_abnormal_conditions_are_there_only_while_they_hold() -> None:
    bad = conditions(BAD, None, 1, 0.0)
    assert [(entry["type"], entry["status"]) for entry in bad] == [("Ready", "False"), ("Stalled", "True")]
    assert [entry["type"] for entry in conditions(GOOD, bad, 1, 9.0)] == ["Ready"]
    moving = conditions(Verdict("False", "RollingOut", "", reconciling=True), None, 1, 0.0)
    assert [entry["type"] for entry in moving] == ["Ready", "Reconciling"]


def test_the_transition_time_moves_only_with_the_status() -> None:
    first = conditions(BAD, None, 1, 0.0)
    other = conditions(Verdict("False", "Other", "another cause", stalled=True), first, 2, 100.0)
    assert {entry["lastTransitionTime"] for entry in other} == {"1970-01-01T00:00:00Z"}
    good = conditions(GOOD, other, 2, 200.0)
    assert good[0]["lastTransitionTime"] == "1970-01-01T00:03:20Z"


def test_further_conditions_are_told() -> None:
    verdict = Verdict("True", "Valid", "", more=(("StoreNotShared", "EmbeddedStore", "why"),))
    found = condition({"conditions": conditions(verdict, None, None, 0.0)}, "StoreNotShared")
    assert found is not None
    assert (found["status"], found["message"]) == ("True", "why")


def test_a_message_names_field_cause_and_cure_and_not_everything() -> None:
    assert told([problem(1)]) == "spec.f1: cause 1; did you mean cure?"
    assert told([problem(n) for n in range(5)]).endswith("and 2 more")
    assert stalled([problem(1)], "the rest goes on").message.endswith("; the rest goes on")


def test_a_message_fits() -> None:
    (found,) = conditions(Verdict("False", "X", "a" * 9000), None, None, 0.0)
    assert len(found["message"]) <= 4096


def test_what_stands_there_may_be_anything() -> None:
    for before in (None, "x", [1, {"type": 2}], {"a": 1}):
        assert len(conditions(GOOD, before, None, 0.0)) == 1
    assert condition("x", "Ready") is None


def test_times_are_read_back() -> None:
    assert seconds(timestamp(1_800_000_000.7)) == 1_800_000_000
    assert seconds("soon") is None
