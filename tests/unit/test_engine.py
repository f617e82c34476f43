"""The engine writes a plan in order, goes on past what stands alone, and tells at the end what failed."""

from typing import Any

import pytest

from doubles.fake_cluster import FakeCluster
from doubles.watched_engine import Told
from sluice_operator.cluster_error import NAMESPACE_TERMINATING
from sluice_operator.engine import PlanError, execute
from sluice_operator.plan.plan import Event, Plan, Ref, StatusUpdate


def config(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "shop"},
        "data": {"k": "v"},
    }


def ref(name: str) -> Ref:
    return Ref("v1", "ConfigMap", "shop", name)


def event(name: str) -> Event:
    return Event(ref(name), f"uid-{name}", "Normal", "Ready", "all is well")


def the_plan() -> Plan:
    return Plan(
        apply=(config("one"), config("two"), config("three")),
        delete=(ref("old"), ref("older")),
        statuses=(StatusUpdate(ref("s"), {"ready": True}), StatusUpdate(ref("t"), {"ready": False})),
        events=(event("s"), event("t")),
        requeue_after=30.0,
    )


def a_cluster() -> FakeCluster:
    return FakeCluster(*(config(name) for name in ("old", "older", "s", "t")))


async def test_all_is_written_in_the_plans_order_and_counted() -> None:
    cluster, told = a_cluster(), Told()
    result = await execute(the_plan(), cluster, told)
    expected = [("apply", "one"), ("apply", "two"), ("apply", "three"), ("delete", "old"), ("delete", "older")]
    expected += [("status", "s"), ("status", "t"), ("event", "s"), ("event", "t")]
    assert [(verb, at.name) for verb, at in cluster.writes] == told.writes == expected
    counts = {"apply": 3, "delete": 2, "status": 2, "event": 2}
    assert result.written == {(verb, "ConfigMap"): count for verb, count in counts.items()}
    assert result.requeue_after == 30.0
    assert cluster.objects[ref("s")]["status"] == {"ready": True}


async def test_an_empty_plan_writes_nothing() -> None:
    cluster, told = a_cluster(), Told()
    assert (await execute(Plan(), cluster, told)).written == {}
    assert not cluster.writes
    assert not told.failures


async def test_a_failed_apply_ends_the_applies_and_deletes_nothing_but_statuses_are_told() -> None:
    cluster, told = a_cluster(), Told()
    cluster.refuse("apply", ref("two"))
    with pytest.raises(PlanError, match=r"ConfigMap shop/two: Forbidden: refused by the test$") as raised:
        await execute(the_plan(), cluster, told)
    assert told.writes == [("apply", "one"), ("status", "s"), ("status", "t"), ("event", "s"), ("event", "t")]
    assert told.failures == [("apply", "two", "Forbidden")]
    assert not raised.value.retryable
    assert raised.value.result.written["apply", "ConfigMap"] == 1


@pytest.mark.parametrize(("verb", "name"), [("apply", "two"), ("event", "s")])
async def test_in_a_namespace_that_is_being_deleted_the_rest_is_left_and_nothing_failed(verb: str, name: str) -> None:
    cluster, told = a_cluster(), Told()
    cluster.refuse(verb, ref(name), NAMESPACE_TERMINATING)
    result = await execute(the_plan(), cluster, told)
    assert told.failures == []
    assert len(told.writes) == {"apply": 1, "event": 7}[verb]
    assert sum(result.written.values()) == len(told.writes)


@pytest.mark.parametrize(("verb", "name"), [("delete", "old"), ("status", "t"), ("event", "s")])
async def test_a_failed_delete_status_or_event_stops_no_other(verb: str, name: str) -> None:
    cluster, told = a_cluster(), Told()
    await execute(the_plan(), a_cluster(), whole := Told())
    cluster.refuse(verb, ref(name), "TooManyRequests", 429)
    with pytest.raises(PlanError) as raised:
        await execute(the_plan(), cluster, told)
    # an event about a status that was not written would be told again with it
    left = {(verb, name), ("event", name)} if verb == "status" else {(verb, name)}
    assert told.writes == [write for write in whole.writes if write not in left]
    assert raised.value.retryable


async def test_all_failures_are_told_together() -> None:
    cluster, told = a_cluster(), Told()
    cluster.refuse("status", ref("s"))
    cluster.refuse("status", ref("t"), "Invalid", 422)
    with pytest.raises(PlanError, match="and 1 more") as raised:
        await execute(the_plan(), cluster, told)
    assert [(error.ref.name, error.reason) for error in raised.value.errors] == [("s", "Forbidden"), ("t", "Invalid")]


async def test_a_status_of_an_object_that_went_meanwhile_is_no_failure() -> None:
    cluster, told = a_cluster(), Told()
    del cluster.objects[ref("s")]
    await execute(the_plan(), cluster, told)
    assert told.writes[-2:] == [("status", "t"), ("event", "t")]
    assert told.failures == []


async def test_nothing_more_is_tried_when_the_server_gives_no_answer() -> None:
    cluster, told = a_cluster(), Told()
    cluster.refuse("apply", ref("two"), "Unreachable", 0)
    with pytest.raises(PlanError) as raised:
        await execute(the_plan(), cluster, told)
    assert told.writes == [("apply", "one")]
    assert len(raised.value.errors) == 1
    assert raised.value.retryable


async def test_a_defect_is_not_taken_for_a_refusal() -> None:
    with pytest.raises(KeyError):
        await execute(Plan(apply=({"kind": "ConfigMap"},)), a_cluster(), Told())
