"""Stopped between any two writes, and refused at any of them, the engine brings a cluster to the same state."""

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from doubles.fake_cluster import FakeCluster, Killed
from doubles.watched_engine import Told
from sluice_operator.engine import PlanError, execute
from sluice_operator.plan.plan import Event, Plan, Ref, StatusUpdate

NAMES = st.sampled_from("abcdef")
DATA = st.dictionaries(st.sampled_from("xyz"), st.sampled_from("12"), max_size=3)
STATES = st.dictionaries(NAMES, DATA, max_size=5)
ROUTE = Ref("sluice.dev/v1alpha1", "ModelRoute", "shop", "chat")


def ref(name: str) -> Ref:
    return Ref("v1", "ConfigMap", "shop", name)


def manifest(name: str, data: dict[str, str]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}, "data": data}


def state(cluster: FakeCluster) -> dict[str, dict[str, str]]:
    return {at.name: found["data"] for at, found in cluster.objects.items() if at.kind == "ConfigMap"}


def plan(cluster: FakeCluster, wanted: dict[str, dict[str, str]]) -> Plan:
    """What differs from what is wanted, and a status that says how many are."""
    now = state(cluster)
    status = {"wanted": len(wanted)}
    told = cluster.objects[ROUTE].get("status") == status
    return Plan(
        apply=tuple(manifest(name, data) for name, data in sorted(wanted.items()) if now.get(name) != data),
        delete=tuple(ref(name) for name in sorted(now.keys() - wanted.keys())),
        statuses=() if told else (StatusUpdate(ROUTE, status),),
        events=() if told else (Event(ROUTE, "uid", "Normal", "Counted", str(len(wanted))),),
    )


async def reach(cluster: FakeCluster, wanted: dict[str, dict[str, str]]) -> None:
    await execute(plan(cluster, wanted), cluster, Told())


def a_cluster() -> FakeCluster:
    return FakeCluster(
        {"apiVersion": ROUTE.api_version, "kind": ROUTE.kind, "metadata": {"name": "chat", "namespace": "shop"}}
    )


@given(before=STATES, wanted=STATES)
def test_stopped_after_each_write_it_converges(
    before: dict[str, dict[str, str]], wanted: dict[str, dict[str, str]]
) -> None:
    async def run() -> None:
        whole = a_cluster()
        await reach(whole, before)
        done = len(whole.writes)
        await reach(whole, wanted)
        for writes in range(len(whole.writes) - done + 1):
            cluster = a_cluster()
            await reach(cluster, before)
            cluster.stop_after(writes)
            killed = False
            try:
                await reach(cluster, wanted)
            except Killed:
                killed = True
            assert killed == (len(whole.writes) > done)
            cluster.stop_after(None)
            await reach(cluster, wanted)
            assert state(cluster) == state(whole) == wanted
            assert cluster.objects[ROUTE]["status"] == {"wanted": len(wanted)}
            assert plan(cluster, wanted).empty

    asyncio.run(run())


@given(
    before=STATES, wanted=STATES, refused=st.sets(st.tuples(st.sampled_from(["apply", "delete"]), NAMES), min_size=1)
)
def test_refused_anywhere_it_converges_once_it_is_allowed(
    before: dict[str, dict[str, str]], wanted: dict[str, dict[str, str]], refused: set[tuple[str, str]]
) -> None:
    async def run() -> None:
        cluster = a_cluster()
        await reach(cluster, before)
        for verb, name in refused:
            cluster.refuse(verb, ref(name))
        met = {("apply", at["metadata"]["name"]) for at in plan(cluster, wanted).apply} & refused
        try:
            await reach(cluster, wanted)
            assert not met
        except PlanError:
            # what is no longer wanted stays while what may replace it is not there
            assert not met or before.keys() <= state(cluster).keys()
            assert cluster.objects[ROUTE]["status"] == {"wanted": len(wanted)}
        cluster.allow()
        await reach(cluster, wanted)
        assert state(cluster) == wanted

    asyncio.run(run())
