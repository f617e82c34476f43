"""The managed Redis and Qdrant as manifests."""

from typing import Any

import pytest

from sluice_operator import names
from sluice_operator.installation import Installation
from sluice_operator.plan.plan import Manifest
from sluice_operator.render.qdrant import qdrant as rendered_qdrant
from sluice_operator.render.redis import redis as rendered_redis

INSTALLATION = Installation()
KEY = "0123456789ab"


def redis(storage: str = "2Gi") -> list[Manifest]:
    return rendered_redis("shop", storage, INSTALLATION, key=KEY)


def qdrant(replicas: int, storage: str = "10Gi", image: str = "qdrant:1") -> list[Manifest]:
    return rendered_qdrant("shop", replicas, storage, INSTALLATION, key=KEY, image=image)


def kinds(found: list[Manifest]) -> dict[str, Manifest]:
    return {f"{entry['kind']}/{entry['metadata']['name']}": entry for entry in found}


def server(found: list[Manifest]) -> tuple[dict[str, Any], dict[str, Any]]:
    [workload] = [entry["spec"] for entry in found if entry["kind"] == "StatefulSet"]
    return workload, workload["template"]["spec"]["containers"][0]


def test_redis_keeps_what_it_was_told_and_knows_its_users() -> None:
    found = redis("2048Mi")
    assert set(kinds(found)) == {
        "Service/sluice-redis", "StatefulSet/sluice-redis", "PodDisruptionBudget/sluice-redis",
        "NetworkPolicy/sluice-redis",
    }  # fmt: skip
    workload, container = server(found)
    line = " ".join(container["args"])
    for setting in ("--appendonly yes", "--appendfsync everysec", "--maxmemory-policy noeviction"):
        assert setting in line
    assert "--aclfile /etc/redis-users/users.acl" in line
    assert workload["template"]["spec"]["volumes"][0]["secret"] == {
        "secretName": names.STORE_ADMIN_SECRET,
        "items": [{"key": "redis-users", "path": "users.acl"}],
    }
    assert workload["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"] == "2Gi"


def test_redis_is_reached_by_gateways_and_the_operator_and_reaches_nothing() -> None:
    policy = kinds(redis())["NetworkPolicy/sluice-redis"]["spec"]
    [rule] = policy["ingress"]
    gateways, operator = rule["from"]
    assert gateways == {"podSelector": {"matchExpressions": [{"key": names.GATEWAY, "operator": "Exists"}]}}
    assert operator["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "sluice-system"}}
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert "egress" not in policy


def test_one_qdrant_runs_as_its_image_starts_it() -> None:
    workload, container = server(qdrant(1))
    assert "command" not in container
    environment = {entry["name"]: entry for entry in container["env"]}
    assert environment["QDRANT__SERVICE__API_KEY"]["valueFrom"] == {
        "secretKeyRef": {"name": names.STORE_ADMIN_SECRET, "key": "qdrant-key"}
    }
    assert environment["QDRANT__SERVICE__JWT_RBAC"]["value"] == "true"
    assert "QDRANT__CLUSTER__ENABLED" not in environment
    folder = container["volumeMounts"][0]["mountPath"]
    for name in ("STORAGE", "SNAPSHOTS"):
        assert environment[f"QDRANT__STORAGE__{name}_PATH"]["value"].startswith(f"{folder}/")
    assert workload["replicas"] == 1


@pytest.mark.parametrize("replicas", [2, 3])
def test_more_of_them_join_the_first(replicas: int) -> None:
    found = qdrant(replicas)
    workload, container = server(found)
    assert (workload["replicas"], workload["serviceName"]) == (replicas, "sluice-qdrant-headless")
    assert workload["podManagementPolicy"] == "Parallel"
    script = container["command"][-1]
    assert "--bootstrap http://sluice-qdrant-0.sluice-qdrant-headless.shop.svc:6335" in script
    assert {"name": "QDRANT__CLUSTER__ENABLED", "value": "true"} in container["env"]
    headless = kinds(found)["Service/sluice-qdrant-headless"]["spec"]
    assert (headless["clusterIP"], headless["publishNotReadyAddresses"]) == ("None", True)


def test_only_nodes_reach_the_nodes_own_port() -> None:
    policy = kinds(qdrant(3))["NetworkPolicy/sluice-qdrant"]["spec"]
    [peers] = [rule for rule in policy["ingress"] if rule["ports"][0]["port"] == 6335]
    assert peers["from"] == [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "sluice-qdrant"}}}]


@pytest.mark.parametrize("found", [redis(), qdrant(3)])
def test_a_stores_pods_show_nothing_of_the_cluster_and_are_selected_alone(found: list[Manifest]) -> None:
    workload, container = server(found)
    assert workload["template"]["spec"]["automountServiceAccountToken"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    labels = workload["template"]["metadata"]["labels"]
    assert names.GATEWAY not in labels
    assert workload["selector"]["matchLabels"].items() <= labels.items()
    for entry in found:
        assert entry["metadata"]["labels"][names.MANAGED_BY] == "sluice"


def test_qdrant_runs_the_image_that_it_is_given() -> None:
    assert server(qdrant(1, image="qdrant:0"))[1]["image"] == "qdrant:0"


@pytest.mark.parametrize("found", [redis(), qdrant(1)])
def test_a_store_starts_anew_with_another_key(found: list[Manifest]) -> None:
    assert server(found)[0]["template"]["metadata"]["annotations"] == {names.KEY_VERSION: KEY}
