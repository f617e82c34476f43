"""The operator's certificate is in one Secret that all replicas share, and the webhook trusts its authority."""

import asyncio
import base64
from datetime import UTC, datetime, timedelta

from doubles.kube import Api
from sluice_operator import certificates, names
from sluice_operator.admission import tls
from sluice_operator.cluster import KubeCluster

DNS = tls.dns_names("ops", "cluster.local")
WEBHOOK = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "MutatingWebhookConfiguration",
    "metadata": {"name": names.WEBHOOK_CONFIGURATION},
    "webhooks": [
        {
            "name": "inject.sluice.dev",
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "failurePolicy": "Ignore",
            "clientConfig": {"service": {"name": "none", "namespace": "default", "path": "/inject"}},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
            "objectSelector": {"matchLabels": {names.INJECT: "true"}},
        }
    ],
}


async def test_replicas_that_start_together_share_one_certificate(api: Api, namespace: str) -> None:
    async with KubeCluster.connect(str(api.kubeconfig)) as cluster:
        kept = await asyncio.gather(*(certificates.keep(cluster, namespace, DNS) for _ in range(4)))
        assert len({one.leaf.cert for one in kept}) == 1
        assert await certificates.keep(cluster, namespace, DNS) == kept[0]


async def test_it_is_renewed_in_time_by_one_of_them(api: Api, namespace: str) -> None:
    later = datetime.now(UTC) + tls.LEAF_LIFE * 0.8
    async with KubeCluster.connect(str(api.kubeconfig)) as cluster:
        before = await certificates.keep(cluster, namespace, DNS)
        after = await asyncio.gather(*(certificates.keep(cluster, namespace, DNS, later) for _ in range(3)))
        assert len({one.leaf.cert for one in after}) == 1
        assert after[0].leaf != before.leaf
        assert after[0].authority == before.authority
        assert await certificates.keep(cluster, namespace, DNS, later + timedelta(hours=1)) == after[0]


async def test_the_webhook_gets_the_authority_and_nothing_else_of_it_changes(api: Api, namespace: str) -> None:
    api.apply(WEBHOOK)
    name = ("mutatingwebhookconfiguration", names.WEBHOOK_CONFIGURATION)
    try:
        async with KubeCluster.connect(str(api.kubeconfig)) as cluster:
            kept = await certificates.keep(cluster, namespace, DNS)
            await certificates.trust(cluster, kept)
            (webhook,) = api.get(*name)["webhooks"]
            assert base64.b64decode(webhook["clientConfig"]["caBundle"]).decode() == tls.ca_bundle(kept)
            assert webhook["objectSelector"] == {"matchLabels": {names.INJECT: "true"}}
            version = api.get(*name)["metadata"]["resourceVersion"]
            await certificates.trust(cluster, kept)
            assert api.get(*name)["metadata"]["resourceVersion"] == version
    finally:
        api.kubectl("delete", *name)


async def test_an_authority_that_the_webhook_does_not_trust_yet_signs_nothing(api: Api, namespace: str) -> None:
    name = ("mutatingwebhookconfiguration", names.WEBHOOK_CONFIGURATION)
    old = datetime.now(UTC) + tls.CA_LIFE * 0.7
    later = old + tls.OVERLAP * 1.1
    async with KubeCluster.connect(str(api.kubeconfig)) as cluster:
        for at in (None, old, old):  # all of it, a new leaf, the authority's successor
            before = await certificates.keep(cluster, namespace, DNS, at)
        assert before.successor is not None
        api.apply(WEBHOOK)  # it heard of none of them
        try:
            assert await certificates.keep(cluster, namespace, DNS, later) == before
            (webhook,) = api.get(*name)["webhooks"]
            assert base64.b64decode(webhook["clientConfig"]["caBundle"]).decode() == tls.ca_bundle(before)
            after = await certificates.keep(cluster, namespace, DNS, later)
            assert after.authority == before.successor
        finally:
            api.kubectl("delete", *name)


async def test_without_injection_the_webhook_is_not_looked_at(api: Api, namespace: str) -> None:
    name = ("mutatingwebhookconfiguration", names.WEBHOOK_CONFIGURATION)
    old = datetime.now(UTC) + tls.CA_LIFE * 0.7
    api.apply(WEBHOOK)
    try:
        async with KubeCluster.connect(str(api.kubeconfig)) as cluster:
            for at in (None, old, old):
                before = await certificates.keep(cluster, namespace, DNS, at, injection=False)
            after = await certificates.keep(cluster, namespace, DNS, old + tls.OVERLAP * 1.1, injection=False)
            assert after.authority == before.successor
            (webhook,) = api.get(*name)["webhooks"]
            assert not webhook["clientConfig"].get("caBundle")
    finally:
        api.kubectl("delete", *name)


async def test_without_a_webhook_nothing_is_written(api: Api, namespace: str) -> None:
    async with KubeCluster.connect(str(api.kubeconfig)) as cluster:
        await certificates.trust(cluster, await certificates.keep(cluster, namespace, DNS))
    api.kubectl("get", "mutatingwebhookconfiguration", names.WEBHOOK_CONFIGURATION, fails=True)
