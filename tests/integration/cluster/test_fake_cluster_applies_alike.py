"""The cluster in memory applies as the real one does: what goes, what stays, what is merged by name."""

from typing import Any

import pytest

from doubles.fake_cluster import FakeCluster
from doubles.kube import Api
from sluice_operator.cluster import KubeCluster
from sluice_operator.plan.plan import Ref

Step = dict[str, Any]


def config(data: dict[str, str], **labels: str) -> Step:
    metadata = {"name": "c", **({"labels": labels} if labels else {})}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def account(*secrets: str) -> Step:
    named = [{"name": secret} for secret in secrets]
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a"}, "imagePullSecrets": named}


def role(*verbs: str) -> Step:
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": list(verbs)}]
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r"}, "rules": rules}


def binding(*accounts: str) -> Step:
    subjects = [{"kind": "ServiceAccount", "name": account, "namespace": "team"} for account in accounts]
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "b"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
        "subjects": subjects,
    }


def meaning(found: Step | None) -> Step:
    assert found
    rest = {key: value for key, value in found.items() if key != "metadata"}
    if "imagePullSecrets" in rest:
        rest["imagePullSecrets"] = sorted(rest["imagePullSecrets"], key=lambda item: str(item["name"]))
    return {**rest, "labels": found["metadata"].get("labels")}


@pytest.mark.parametrize(
    "steps",
    [
        [config({"a": "1", "b": "1"}, x="1", y="1"), config({"b": "2"}, y="2")],
        [config({"a": "1"}), config({"a": "1"}, x="1"), config({"c": "1"}, z="1")],
        [account("one", "two"), account("two", "three")],
        [role("get", "list"), role("watch")],
        [binding("gateway"), binding("batch", "gateway"), binding("batch")],
    ],
)
async def test_the_same_applies_give_the_same_object(api: Api, namespace: str, steps: list[Step]) -> None:
    fake = FakeCluster()
    async with KubeCluster.connect(str(api.kubeconfig)) as real:
        for step in steps:
            manifest = {**step, "metadata": {**step["metadata"], "namespace": namespace}}
            ref = Ref.of(manifest)
            for cluster in (fake, real):
                first = await cluster.apply(manifest)
                again = await cluster.apply(manifest)
                assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
                await cluster.label(ref, {"theirs": "1"})
            assert meaning(await fake.get(ref)) == meaning(await real.get(ref))
