"""What is wrong with one object is told by field, with what is allowed and the nearest correct name."""

from typing import Any

import pytest

from doubles.objects import custom, gateway, model, policy, route, written
from sluice_operator.problem import Problem
from sluice_operator.resource import parse

SECRET = {"secret": "s", "key": "k"}


def problems(data: dict[str, Any]) -> dict[str, Problem]:
    return {problem.field: problem for problem in parse(data).problems}


def only(data: dict[str, Any]) -> Problem:
    (problem,) = parse(data).problems
    return problem


def test_a_valid_object_has_no_problem() -> None:
    resource = parse(route("support"))
    assert resource.sound
    assert resource.value is not None


def test_an_unknown_field_is_answered_with_the_nearest_and_all_that_are_allowed() -> None:
    problem = only(route("a", custom("b") | {"prise": {}}))
    assert (problem.field, problem.reason, problem.nearest) == ("spec.backends[0].prise", "UnknownField", "price")
    assert "openAI" in problem.allowed


def test_every_problem_is_found_at_once() -> None:
    found = problems(
        route("a", custom("B!"), affinity="prefix", fallbacks=None, limits={"tokensPerMinute": "9"}, extra=1)
    )
    assert set(found) == {
        "spec.backends[0].name", "spec.affinity", "spec.fallbacks", "spec.limits.tokensPerMinute", "spec.extra",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "data", "text"),
    [
        ("spec.affinity", route("a", affinity="prefix"), "did you mean Prefix?"),
        ("spec.fallbacks", route("a", fallbacks=None), "has no value"),
        ("spec.fallbacks", route("a", fallbacks="b"), "is not a list"),
        ("spec.mirror.percent", route("a", mirror={"backend": "b", "percent": "5"}), "write it without quotes"),
        ("spec.mirror.percent", route("a", mirror={"backend": "b", "percent": 5.0}), "is not a whole number"),
        ("spec.mirror.percent", route("a", mirror={"backend": "b", "percent": 101}), "100 is the most"),
        ("spec.mirror.backend", route("a", mirror={"percent": 5}), "required, and missing"),
        ("spec.models", route("a", models=[]), "1 entries at least"),
        ("spec.models[0]", route("a", models=[5]), 'write "5"'),
        ("spec.models[0]", route("a", models=[True]), "YAML takes yes, no"),
        ("spec.models[1]", route("a", models=["x", "x"]), '"x" is given twice'),
        ("spec.resilience.hold", route("a", resilience={"hold": 60}), 'write "60" with quotes'),
        ("spec.backends[1].name", route("a", custom("b"), custom("b"), strategy={"single": {"backend": "b"}}), "twice"),
        ("spec.strategy", route("a", custom("b"), custom("c")), "more than one backend needs a strategy"),
        ("spec.ttl", policy("p", workload="Custom"), "needs a ttl"),
        ("spec.quantisation.method", model(quantisation={"method": "W8A8"}), "does not read W8A8, VLLM does"),
        ("spec.scaling.min", model(scaling={"min": 3, "max": 2}), "more than max"),
        ("spec.egress.allow[0]", gateway(egress={"allow": ["10.0.0.1"]}), "not a network"),
        ("metadata.name", written("SluiceGateway", "mine", {}), "its name is default"),
        ("metadata.name", route("Bad_Name"), "does not have the form"),
        ("spec.cron", written("PromptAudit", "p", {"route": "r", "ablation": {"against": "a", "judge": "b"},
                                                   "schedule": "Daily", "cron": "0 3 * * *"}), "at most one"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_told_where_and_how_to_mend_it(field: str, data: dict[str, Any], text: str) -> None:
    found = problems(data)
    assert field in found
    assert text in str(found[field])


@pytest.mark.parametrize(
    ("field", "data", "choices"),
    [
        ("spec.backends[0]", route("a", {"name": "b"}), "quantisedModel, openAI, anthropic, custom; found none"),
        (
            "spec.backends[0]",
            route("a", custom("b") | {"quantisedModel": {"name": "m"}}),
            "found quantisedModel, custom",
        ),
        ("spec.strategy", route("a", strategy={}), "single, weighted, task, cascade; found none"),
        ("spec.store", policy("p", store={"embedded": {}, "faiss": {}}), "found embedded, faiss"),
        ("spec.embedding", policy("p", embedding={}), "builtin, onnx, openAI"),
        ("spec.source", model(source={}), "huggingFace, pvc, image, hostPath, package"),
        ("spec.state.redis", gateway(state={"redis": {}}), "managed, address"),
    ],
)
def test_exactly_one_of_several_is_asked_for(field: str, data: dict[str, Any], choices: str) -> None:
    found = problems(data)
    assert set(found) == {field}
    assert found[field].message.startswith("give exactly one of")
    assert choices in found[field].message


def test_a_cascade_without_any_acceptance_is_refused() -> None:
    strategy = {"cascade": {"stages": ["b", "c"], "accept": {}}}
    assert (
        "at least one of confidence, quality, checks"
        in only(route("a", custom("b"), custom("c"), strategy=strategy)).message
    )


def test_a_list_that_is_wrong_inside_is_not_called_too_short() -> None:
    assert set(problems(route("a", {"name": 3}))) == {"spec.backends[0].name"}


@pytest.mark.parametrize(
    ("data", "field", "nearest"),
    [
        ({"apiVersion": "sluice.dev/v1alpha1", "kind": "Modelroute"}, "kind", "ModelRoute"),
        ({"apiVersion": "sluice.dev/v1", "kind": "ModelRoute"}, "apiVersion", None),
        ({"kind": "ModelRoute"}, "apiVersion", None),
        ({}, "kind", None),
    ],
)
def test_an_unknown_kind_or_version_is_refused(data: dict[str, Any], field: str, nearest: str | None) -> None:
    problem = only(data)
    assert (problem.field, problem.nearest) == (field, nearest)
    assert problem.allowed


def test_what_an_api_server_adds_is_taken() -> None:
    data = route("a")
    data["metadata"] |= {
        "uid": "1", "resourceVersion": "2", "generation": 3, "creationTimestamp": "2026-01-02T03:04:05Z",
        "managedFields": [{"manager": "kubectl"}], "labels": {"team": "x"}, "deletionTimestamp": None,
    }  # fmt: skip
    data["status"] = {"digest": "sha256:1", "addedByANewerRelease": 1, "conditions": []}
    resource = parse(data)
    assert resource.sound
    assert resource.created == "2026-01-02T03:04:05Z"
