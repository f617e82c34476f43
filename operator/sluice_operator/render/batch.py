"""The worker of deferred requests: it runs what the queue holds while windows are open. Pure."""

from typing import Any

from sluice_operator import names
from sluice_operator.installation import Installation
from sluice_operator.kinds.sluice_gateway import SluiceGatewaySpec
from sluice_operator.plan.owned import metadata
from sluice_operator.plan.plan import Manifest
from sluice_operator.render import container, network
from sluice_operator.render.disruption import disruption_budget
from sluice_operator.render.files import Files, together
from sluice_operator.render.gateway import CLOSE_SECONDS, pull_secrets
from sluice_operator.render.quantity import resources
from sluice_operator.render.restricted import pod_security

LEASE_SECONDS = 120
"""What the worker runs is leased to it for so long; it may finish that before it is killed, and hands back the rest."""
SELECTOR = {"app.kubernetes.io/name": names.BATCH_NAME, names.GATEWAY: "batch"}


def batch(namespace: str, spec: SluiceGatewaySpec, installation: Installation, files: Files | None) -> list[Manifest]:
    """ServiceAccount, Deployment, PodDisruptionBudget and NetworkPolicy.

    One pod, so that a window's concurrency is what it says. Its successor starts before it ends; leases keep the two
    from running one request both.
    """
    rules = [network.ingress([names.GATEWAY_ADMIN_PORT], [network.operator(installation), network.MONITORING])]
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": _metadata(namespace),
            "automountServiceAccountToken": False,
        },
        _deployment(namespace, spec, installation, files),
        disruption_budget(_metadata(namespace), SELECTOR),
        network.policy(_metadata(namespace), SELECTOR, rules),
    ]


def _metadata(namespace: str) -> dict[str, Any]:
    return metadata(namespace, names.BATCH_NAME, "batch", **{"app.kubernetes.io/name": names.BATCH_NAME})


def _deployment(namespace: str, spec: SluiceGatewaySpec, installation: Installation, files: Files | None) -> Manifest:
    own = _metadata(namespace)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": own,
        "spec": {
            "replicas": 1,
            "revisionHistoryLimit": 3,
            "selector": {"matchLabels": SELECTOR},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": {
                "metadata": {"labels": {**own["labels"], **SELECTOR, **(files.labels if files else {})}},
                "spec": _pod(namespace, spec, installation, files),
            },
        },
    }


def _pod(namespace: str, spec: SluiceGatewaySpec, installation: Installation, files: Files | None) -> dict[str, Any]:
    extras = container.Extras(
        ca_bundle=spec.egress.ca_bundle.config_map if spec.egress.ca_bundle else None,
        files=files.claim if files else None,
    )
    bounds = resources(installation.gateway_resources, spec.resources.model_dump(exclude_none=True))
    return {
        "serviceAccountName": names.BATCH_NAME,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": LEASE_SECONDS + CLOSE_SECONDS,
        "securityContext": pod_security(),
        **together(files),
        **pull_secrets(installation),
        "containers": [container.batch(namespace, installation, bounds, extras)],
        "volumes": container.volumes(extras),
    }
