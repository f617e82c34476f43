"""The leader keeps the certificate and the webhook's trust in it; a standby only reads; at rest nothing is written."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from doubles.kube import Api
from sluice_operator.admission.tls import ca_bundle
from sluice_operator.admission.upkeep import adopt, keep
from sluice_operator.cluster import KubeCluster

NOW = datetime.now(UTC)
DNS = ("sluice-operator.ops.svc", "sluice-operator-reports.ops.svc")
OLD = timedelta(days=2500)


@pytest.fixture
def configuration(api: Api, namespace: str) -> Iterator[str]:
    """A webhook as a chart makes it, which matches nothing."""
    name = f"upkeep-{namespace}"
    hook = {
        "name": "inject.sluice.dev",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "clientConfig": {"service": {"name": "sluice-operator", "namespace": namespace, "path": "/inject"}},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
        "namespaceSelector": {"matchLabels": {"no": "namespace"}},
    }
    kind = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration"}
    api.apply({**kind, "metadata": {"name": name}, "webhooks": [hook]})
    yield name
    api.kubectl("delete", "mutatingwebhookconfiguration", name)


def versions(api: Api, namespace: str, configuration: str) -> list[str]:
    found = [
        api.get("secret", "sluice-operator-tls", "-n", namespace),
        api.get("mutatingwebhookconfiguration", configuration),
    ]
    return [one["metadata"]["resourceVersion"] for one in found]


def trusted(api: Api, configuration: str) -> str:
    hook = api.get("mutatingwebhookconfiguration", configuration)["webhooks"][0]
    return base64.b64decode(hook["clientConfig"]["caBundle"]).decode()


async def test_the_first_leader_makes_it_and_at_rest_nothing_is_written(
    api: Api, namespace: str, configuration: str
) -> None:
    async with KubeCluster.connect(str(api.kubeconfig)) as cluster:
        assert await adopt(cluster, namespace) is None
        certificates = await keep(cluster, namespace, DNS, NOW, configuration)
        assert await adopt(cluster, namespace) == certificates
        assert trusted(api, configuration) == ca_bundle(certificates)
        before = versions(api, namespace, configuration)
        assert await keep(cluster, namespace, DNS, NOW, configuration) == certificates
        assert versions(api, namespace, configuration) == before


async def test_trust_that_someone_broke_is_repaired(api: Api, namespace: str, configuration: str) -> None:
    async with KubeCluster.connect(str(api.kubeconfig)) as cluster:
        certificates = await keep(cluster, namespace, DNS, NOW, configuration)
        patch = '[{"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}]'
        api.kubectl("patch", "mutatingwebhookconfiguration", configuration, "--type=json", "-p", patch)
        assert await keep(cluster, namespace, DNS, NOW, configuration) == certificates
        assert trusted(api, configuration) == ca_bundle(certificates)


async def test_authorities_change_step_by_step_in_the_cluster(api: Api, namespace: str, configuration: str) -> None:
    async with KubeCluster.connect(str(api.kubeconfig)) as cluster:
        first = await keep(cluster, namespace, DNS, NOW - OLD, configuration)
        bundles = []
        for days in (0, 0, 2, 4, 4):
            certificates = await keep(cluster, namespace, DNS, NOW + timedelta(days=days), configuration)
            assert await adopt(cluster, namespace) == certificates
            assert trusted(api, configuration) == ca_bundle(certificates)
            bundles.append(ca_bundle(certificates).count("BEGIN"))
        assert bundles == [1, 2, 2, 1, 1], "a new leaf, a successor, it signs, its predecessor goes, and rest"
        assert certificates.authority != first.authority
        data = api.get("secret", "sluice-operator-tls", "-n", namespace)["data"]
        assert sorted(data) == ["ca.crt", "ca.key", "tls.crt", "tls.key"]


async def test_a_damaged_secret_is_made_anew_and_no_webhook_is_needed(api: Api, namespace: str) -> None:
    async with KubeCluster.connect(str(api.kubeconfig)) as cluster:
        first = await keep(cluster, namespace, DNS, NOW)
        patch = '[{"op": "replace", "path": "/data/ca.key", "value": "eA=="}]'
        api.kubectl("patch", "secret", "sluice-operator-tls", "-n", namespace, "--type=json", "-p", patch)
        assert await adopt(cluster, namespace) is None
        second = await keep(cluster, namespace, DNS, NOW)
        assert await adopt(cluster, namespace) == second
        assert second.authority != first.authority
