"""A reference to what is not there, and what contradicts itself, is an error with the nearest correct name."""

from typing import Any

import pytest

from doubles.objects import cascade, custom, managed, model, parsed, policy, provider, route, written
from sluice_operator.compile import compile  # noqa: A004
from sluice_operator.problem import Problem

AB = (custom("alpha"), custom("beta"))


def errors(*objects: dict[str, Any]) -> list[Problem]:
    return list(compile(parsed(*objects)).errors)


@pytest.mark.parametrize(
    ("objects", "field", "reason", "nearest"),
    [
        (
            [route("r", *AB, strategy={"single": {"backend": "alpa"}})],
            "spec.strategy.single.backend",
            "BackendNotFound",
            "alpha",
        ),
        (
            [route("r", *AB, strategy={"single": {"backend": "alpha"}}, fallbacks=["betta"])],
            "spec.fallbacks[0]",
            "BackendNotFound",
            "beta",
        ),
        ([route("r", mirror={"backend": "hause", "percent": 1})], "spec.mirror.backend", "BackendNotFound", "house"),
        ([route("r", reference="huose")], "spec.reference", "BackendNotFound", "house"),
        (
            [route("r", *AB, strategy=cascade("alpha", "bete", checks=[{"regex": "x"}]))],
            "spec.strategy.cascade.stages[1]",
            "BackendNotFound",
            "beta",
        ),
        (
            [
                route(
                    "r",
                    *AB,
                    strategy={
                        "weighted": {"weights": [{"backend": "alpha", "weight": 1}, {"backend": "bta", "weight": 1}]}
                    },
                )
            ],
            "spec.strategy.weighted.weights[1].backend",
            "BackendNotFound",
            "beta",
        ),
        (
            [
                route(
                    "r", *AB, strategy={"task": {"tasks": [{"task": "Reasoning", "backend": "zzz"}], "default": "beta"}}
                )
            ],
            "spec.strategy.task.tasks[0].backend",
            "BackendNotFound",
            None,
        ),
        (
            [route("r", cachePolicy={"name": "supprt"}), policy("support")],
            "spec.cachePolicy.name",
            "CachePolicyNotFound",
            "support",
        ),
        (
            [route("r", managed("b", "smolm2")), model()],
            "spec.backends[0].quantisedModel.name",
            "ModelNotFound",
            "smollm2",
        ),
        (
            [route("r", managed("b", "smollm2", namespace="other")), model()],
            "spec.backends[0].quantisedModel.name",
            "ModelNotFound",
            None,
        ),
    ],
)
def test_a_dangling_reference_names_the_nearest(
    objects: list[dict[str, Any]], field: str, reason: str, nearest: str | None
) -> None:
    (problem,) = errors(*objects)
    assert (problem.field, problem.reason, problem.nearest) == (field, reason, nearest)


def test_another_namespaces_model_must_be_open_to_this_one() -> None:
    shared = model("big", allowedNamespaces=["friends"])
    shared["metadata"]["namespace"] = "models"
    (problem,) = errors(route("r", managed("b", "big", namespace="models")), shared)
    assert problem.reason == "ModelNotAllowed"
    assert "allowedNamespaces" in problem.message


def test_a_route_whose_model_or_policy_is_invalid_says_so_and_does_not_call_it_missing() -> None:
    found = errors(route("r", managed("b"), cachePolicy={"name": "p"}), model(source={}), policy("p", ttl="x"))
    assert {problem.reason for problem in found if problem.kind == "ModelRoute"} == {
        "ModelInvalid",
        "CachePolicyInvalid",
    }


@pytest.mark.parametrize(
    ("spec", "field", "reason"),
    [
        (
            {
                "strategy": {
                    "weighted": {"weights": [{"backend": "alpha", "weight": 0}, {"backend": "beta", "weight": 0}]}
                }
            },
            "spec.strategy.weighted.weights",
            "WeightsAllZero",
        ),
        (
            {"strategy": {"task": {"tasks": [{"task": "customs", "backend": "alpha"}], "default": "beta"}}},
            "spec.strategy.task.tasks[0].task",
            "TaskWithoutExamples",
        ),
        (
            {"strategy": cascade("alpha", "beta", confidence={"threshold": "0.8"})},
            "spec.strategy.cascade.stages[0]",
            "NoLogProbs",
        ),
        (
            {"strategy": cascade("alpha", "beta", checks=[{"regex": "(a"}])},
            "spec.strategy.cascade.accept.checks[0].regex",
            "InvalidRegex",
        ),
        (
            {"strategy": cascade("alpha", "beta", checks=[{"jsonSchema": {"properties": {"a": {"type": "strnig"}}}}])},
            "spec.strategy.cascade.accept.checks[0].jsonSchema.properties.a.type",
            "InvalidJsonSchema",
        ),
    ],
)
def test_a_strategy_that_cannot_work_is_refused(spec: dict[str, Any], field: str, reason: str) -> None:
    (problem,) = errors(route("r", *AB, **spec))
    assert (problem.field, problem.reason) == (field, reason)


def test_the_last_stage_of_a_cascade_needs_no_log_probs() -> None:
    strategy = cascade("o", "alpha", confidence={"threshold": "0.8"})
    assert errors(route("r", provider("o"), custom("alpha"), strategy=strategy)) == []


def test_prices_of_one_route_are_in_one_currency() -> None:
    euro, dollar = custom("a", price={"currency": "EUR"}), custom("b", price={"currency": "USD"})
    (problem,) = errors(route("r", euro, dollar, strategy={"single": {"backend": "a"}}, fallbacks=["b"]))
    assert problem.reason == "CurrencyMismatch"


def test_a_policys_regular_expression_is_compiled() -> None:
    (problem,) = errors(route("r"), policy("p", fingerprint={"ignore": [{"regex": "ok"}, {"regex": "["}]}))
    assert (problem.field, problem.reason) == ("spec.fingerprint.ignore[1].regex", "InvalidRegex")


def test_a_backend_that_nothing_uses_is_a_warning() -> None:
    result = compile(parsed(route("r", *AB, strategy={"single": {"backend": "alpha"}})))
    assert [(problem.reason, problem.severity) for problem in result.problems] == [("BackendUnused", "warning")]
    assert list(result.config.routes["r"].backends) == ["alpha"]


def test_backends_without_a_common_dialect_are_a_warning() -> None:
    other = {"name": "b", "custom": {"url": "http://10.0.0.1", "dialect": "Anthropic"}}
    result = compile(parsed(route("r", custom("a"), other, strategy={"single": {"backend": "a"}}, fallbacks=["b"])))
    assert [problem.reason for problem in result.problems] == ["NoSharedDialect"]


def test_a_batch_window_names_routes_and_models_that_are_there() -> None:
    spec = {
        "windows": [{"start": "22:00", "end": "06:00"}],
        "routes": ["suport"],
        "capacity": {"quantisedModel": {"name": "none"}, "replicas": 2},
    }
    found = errors(route("support"), written("BatchWindow", "night", spec))
    assert [(p.field, p.reason, p.nearest) for p in found] == [
        ("spec.capacity.quantisedModel.name", "ModelNotFound", None),
        ("spec.routes[0]", "RouteNotFound", "support"),
    ]


def test_an_audit_names_a_route_and_two_of_its_backends() -> None:
    spec = {"route": "r", "ablation": {"against": "house", "judge": "judge"}}
    (problem,) = errors(route("r"), written("PromptAudit", "a", spec))
    assert (problem.field, problem.reason, problem.allowed) == ("spec.ablation.judge", "BackendNotFound", ("house",))


def test_objects_of_a_second_namespace_are_refused() -> None:
    (problem,) = compile(parsed(route("a"), route("b") | {"metadata": {"name": "b", "namespace": "other"}})).errors
    assert (problem.name, problem.reason) == ("b", "OtherNamespace")
