"""In a namespace that is being deleted the operator makes nothing, and that is no failure."""

from doubles.kube import Api
from doubles.watched_engine import Told
from sluice_operator.cluster import KubeCluster
from sluice_operator.engine import execute
from sluice_operator.plan.plan import Event, Plan, Ref


async def test_writes_into_a_terminating_namespace_are_left_quietly(api: Api) -> None:
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ending"}})
    held = {"name": "held", "namespace": "ending", "finalizers": ["sluice.dev/test"]}
    api.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": held})
    api.kubectl("delete", "namespace", "ending", "--wait=false")
    try:
        new = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new", "namespace": "ending"}}
        told = Told()
        async with KubeCluster.connect(str(api.kubeconfig)) as cluster:
            for plan in (Plan(apply=(new,)), Plan(events=(Event(Ref.of(new), "", "Normal", "Ready", "well"),))):
                result = await execute(plan, cluster, told)
                assert (result.written, told.failures, told.writes) == ({}, [], [])
    finally:
        api.kubectl(
            "patch", "configmap", "held", "-n", "ending", "--type=merge", "-p", '{"metadata":{"finalizers":[]}}'
        )
