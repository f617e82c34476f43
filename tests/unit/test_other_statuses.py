"""Statuses of policies, models, the gateway, and of a kind that is checked and not run."""

import dataclasses
from typing import Any

from doubles.objects import gateway, managed, model, policy, route, written
from doubles.planning import NOW, pod, published, ready, report, seen, settled, status
from sluice_operator.conditions import condition
from sluice_operator.plan.namespace import plan
from sluice_operator.plan.plan import Ref
from sluice_operator.plan.seen import PolicyReport, Seen

USED = route("r", cachePolicy={"name": "p"})
ONE, TWO = pod("one"), pod("two")
REDIS: dict[str, Any] = {"redis": {"managed": {}}}


def policies(*told: PolicyReport, spec: dict[str, Any] | None = None, **more: Any) -> Seen:
    """A used policy, one gateway a report."""
    first = settled(seen(USED, policy("p", **(spec or {}))))
    pods = (ONE, TWO)[: len(told)]
    reports = tuple(report(p, published(first), policies={"p": of}) for p, of in zip(pods, told, strict=True))
    return settled(dataclasses.replace(first, pods=pods, reports=reports, **more))


def test_a_policy_says_who_uses_it_and_how_useful_it_is() -> None:
    found = status(policies(PolicyReport(10, 100, 30), PolicyReport(5, 100, 60)), "CachePolicy", "p")
    assert (found["routes"], found["entries"], found["hitRatio"]) == (["r"], 15, "0.45")


def test_a_policys_worst_bound_is_told_rounded_up_and_goes_with_what_is_open() -> None:
    first = policies(PolicyReport(10, 100, 30, bound=0.00712), PolicyReport(5, 100, 60, bound=0.0031))
    assert status(first, "CachePolicy", "p")["falsePerHit"] == "0.008"
    exact = policies(PolicyReport(10, 100, 30, bound=0.009))
    assert status(exact, "CachePolicy", "p")["falsePerHit"] == "0.009"
    closed = tuple(report(pod_, published(first), policies={"p": PolicyReport(10, 200, 30)}) for pod_ in (ONE, TWO))
    closed = tuple(dataclasses.replace(one, received=NOW + 601) for one in closed)
    assert "falsePerHit" not in status(
        settled(dataclasses.replace(first, reports=closed), NOW + 601), "CachePolicy", "p"
    )


def test_a_shared_stores_entries_are_counted_once() -> None:
    now = policies(PolicyReport(10, 1, 0), PolicyReport(10, 1, 0), spec={"store": REDIS})
    assert status(now, "CachePolicy", "p")["entries"] == 10


def test_figures_change_every_ten_minutes_at_most() -> None:
    now = policies(PolicyReport(10, 100, 30))
    grown = report(ONE, published(now), policies={"p": PolicyReport(90, 200, 99)})
    assert plan(dataclasses.replace(now, reports=(grown,)), NOW + 60).empty
    later = settled(dataclasses.replace(now, reports=(dataclasses.replace(grown, received=NOW + 601),)), NOW + 601)
    assert status(later, "CachePolicy", "p")["entries"] == 90


def test_an_embedded_store_in_more_than_one_gateway_is_told() -> None:
    alone, two = policies(PolicyReport()), policies(PolicyReport(), PolicyReport())
    assert condition(status(alone, "CachePolicy", "p"), "StoreNotShared") is None
    assert condition(status(two, "CachePolicy", "p"), "StoreNotShared") is not None
    assert ready(two, "CachePolicy", "p") == ("True", "Valid")
    shared = policies(PolicyReport(), PolicyReport(), spec={"store": REDIS})
    assert condition(status(shared, "CachePolicy", "p"), "StoreNotShared") is None


def test_a_store_that_is_away_is_told_by_gateways_or_by_the_operator() -> None:
    away = policies(PolicyReport(store="connection refused"), spec={"store": REDIS})
    assert ready(away, "CachePolicy", "p") == ("False", "StoreUnavailable")
    found = condition(status(away, "CachePolicy", "p"), "Ready")
    assert found is not None
    assert "one: connection refused" in found["message"]
    assert "serve without a cache" in found["message"]
    lost = policies(PolicyReport(), spec={"store": REDIS}, stores={"redis": "no pod is ready"})
    assert ready(lost, "CachePolicy", "p") == ("False", "StoreUnavailable")


def test_a_policy_that_nothing_uses_and_one_that_is_wrong() -> None:
    now = settled(seen(route("r"), policy("p"), policy("bad", embedding={"onnx": {"path": "/m", "dimensions": 8}})))
    assert ready(now, "CachePolicy", "p") == ("True", "Unused")
    assert ready(now, "CachePolicy", "bad") == ("False", "NotInThisRelease")


def test_a_model_is_ready_where_it_answers() -> None:
    first = settled(seen(route("r", managed("m")), model()))
    assert ready(first, "QuantisedModel", "smollm2") == ("False", "Starting")
    url = "http://10.1.1.1:8080/v1"
    now = settled(dataclasses.replace(first, addresses={"smollm2": (url,)}))
    assert ready(now, "QuantisedModel", "smollm2") == ("True", "Answering")
    found = status(now, "QuantisedModel", "smollm2")
    assert (found["address"], found["replicas"], found["readyReplicas"]) == (url, 0, 0)
    assert "smollm2" in found["selector"]


def test_a_model_that_cannot_run_here_is_stalled() -> None:
    now = settled(seen(model(engine="VLLM", source={"pvc": {"claim": "m"}})))
    assert ready(now, "QuantisedModel", "smollm2") == ("False", "NotInThisRelease")


def test_a_models_failing_deployment_is_told() -> None:
    first = settled(seen(model()))
    ref = Ref("apps/v1", "Deployment", "team", "sluice-model-smollm2")
    failing = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "quota exceeded"}
    children = {**first.children, ref: {**first.children[ref], "status": {"conditions": [failing]}}}
    now = settled(dataclasses.replace(first, children=children))
    found = condition(status(now, "QuantisedModel", "smollm2"), "Ready")
    assert found is not None
    assert (found["reason"], found["message"]) == ("Failing", "FailedCreate: quota exceeded")


def test_the_gateway_says_how_many_run_and_where_they_answer() -> None:
    first = settled(seen(route("r"), gateway(replicas=2)))
    assert ready(first, "SluiceGateway", "default") == ("False", "Starting")
    ref = Ref("apps/v1", "Deployment", "team", "sluice-gateway")
    running = {"replicas": 2, "readyReplicas": 2, "updatedReplicas": 2}
    now = settled(
        dataclasses.replace(first, children={**first.children, ref: {**first.children[ref], "status": running}})
    )
    assert ready(now, "SluiceGateway", "default") == ("True", "Running")
    found = status(now, "SluiceGateway", "default")
    assert (found["replicas"], found["readyReplicas"]) == (2, 2)
    assert found["address"] == "http://sluice-gateway.team.svc.cluster.local/v1"
    assert found["digest"] == published(now).digest


def test_without_a_route_no_gateway_runs() -> None:
    now = settled(seen(gateway()))
    assert ready(now, "SluiceGateway", "default") == ("False", "NoRoutes")
    assert now.children == {}


def test_audits_are_checked_and_not_run() -> None:
    ablation = {"against": "house", "judge": "house"}
    fine, wrong = ({"route": name, "ablation": ablation} for name in ("r", "gone"))
    now = settled(seen(route("r"), written("PromptAudit", "a", fine), written("PromptAudit", "b", wrong)))
    assert ready(now, "PromptAudit", "a") == ("False", "NotInThisRelease")
    assert condition(status(now, "PromptAudit", "a"), "Stalled") is None
    assert ready(now, "PromptAudit", "b") == ("False", "RouteNotFound")


def test_an_object_that_cannot_be_read_says_why() -> None:
    now = settled(seen(policy("p", nonsense=1), model(nonsense=1), gateway(nonsense=1), route("r", nonsense=1)))
    for kind, name in (
        ("CachePolicy", "p"),
        ("QuantisedModel", "smollm2"),
        ("SluiceGateway", "default"),
        ("ModelRoute", "r"),
    ):
        assert ready(now, kind, name) == ("False", "UnknownField")
