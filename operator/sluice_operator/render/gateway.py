"""The namespace's shared gateway: it serves callers without a sidecar and adds credentials to sidecars' calls. Pure."""

import math
from collections.abc import Iterable
from typing import Any

from sluice_operator import names
from sluice_operator.installation import Installation
from sluice_operator.kinds.sluice_gateway import HttpRoute, SluiceGatewaySpec
from sluice_operator.plan.owned import metadata
from sluice_operator.plan.plan import Manifest
from sluice_operator.render import container, network
from sluice_operator.render.disruption import disruption_budget
from sluice_operator.render.files import Files, together
from sluice_operator.render.quantity import resources
from sluice_operator.render.restricted import pod_security

LEAVE_SECONDS = 5
"""The gateway closes its port as soon as it is told to stop, and nodes learn a moment later that it left its Service:
it goes on accepting for so long before it is told."""
CLOSE_SECONDS = 10
"""For what follows the drain: ledger, cache, last report."""
SELECTOR = {"app.kubernetes.io/name": names.GATEWAY_NAME, names.GATEWAY: "shared"}


def gateway(
    namespace: str,
    spec: SluiceGatewaySpec,
    installation: Installation,
    *,
    sidecar_accounts: Iterable[str] = (),
    files: Files | None = None,
) -> list[Manifest]:
    """ServiceAccount, Service, Deployment, PodDisruptionBudget, NetworkPolicy and, where it is wanted and the cluster
    has the Gateway API, HTTPRoute.

    `files` is the volume of batch files, where there is one.

    `sidecar_accounts` change nothing in them: whom the gateway relays for is told by tokens, and what those accounts
    may read by `access`, so that a new app never rolls the gateway.
    """
    made = [
        _account(namespace),
        _service(namespace, spec),
        _deployment(namespace, spec, installation, files),
        disruption_budget(_metadata(namespace), SELECTOR),
        _network_policy(namespace, spec, installation),
    ]
    if spec.expose.http_route and installation.gateway_api:
        made.append(_http_route(namespace, spec, spec.expose.http_route))
    return made


def _metadata(namespace: str) -> dict[str, Any]:
    return metadata(namespace, names.GATEWAY_NAME, "gateway", **{"app.kubernetes.io/name": names.GATEWAY_NAME})


def _account(namespace: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": _metadata(namespace),
        "automountServiceAccountToken": False,
    }


def _service(namespace: str, spec: SluiceGatewaySpec) -> Manifest:
    """Port 80 is always there: sidecars' relayed calls and HTTPRoutes come in plain HTTP."""
    ports = [("http", 80, "data"), ("admin", names.GATEWAY_ADMIN_PORT, "admin")]
    if spec.expose.tls:
        ports.insert(1, ("https", 443, "tls"))
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(namespace),
        "spec": {
            "type": "ClusterIP",
            "selector": SELECTOR,
            "ports": [
                {"name": name, "port": port, "targetPort": target, "protocol": "TCP"} for name, port, target in ports
            ],
        },
    }


def _deployment(namespace: str, spec: SluiceGatewaySpec, installation: Installation, files: Files | None) -> Manifest:
    own = _metadata(namespace)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": own,
        "spec": {
            "replicas": spec.replicas,
            "revisionHistoryLimit": 3,
            "selector": {"matchLabels": SELECTOR},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}},
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
        tls=spec.expose.tls.secret if spec.expose.tls else None,
    )
    given = spec.resources.model_dump(exclude_none=True)
    bounds = resources(installation.gateway_resources, given)
    served = container.shared(namespace, installation, bounds, extras, workers=spec.workers)
    # A program that is there on every release of Kubernetes and in every image; `sleep` actions are younger.
    wait = ["python", "-c", f"import time; time.sleep({LEAVE_SECONDS})"]
    return {
        "serviceAccountName": names.GATEWAY_NAME,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": LEAVE_SECONDS + math.ceil(spec.drain) + CLOSE_SECONDS,
        "securityContext": pod_security(),
        "topologySpreadConstraints": [_spread("kubernetes.io/hostname"), _spread("topology.kubernetes.io/zone")],
        **together(files),
        **pull_secrets(installation),
        "containers": [{**served, "lifecycle": {"preStop": {"exec": {"command": wait}}}}],
        "volumes": container.volumes(extras),
    }


def pull_secrets(installation: Installation) -> dict[str, Any]:
    """The field of a pod that names the Secrets of registries, where there are any."""
    listed = [{"name": name} for name in installation.images.pull_secrets]
    return {"imagePullSecrets": listed} if listed else {}


def _spread(topology: str) -> dict[str, Any]:
    return {
        "maxSkew": 1,
        "topologyKey": topology,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": SELECTOR},
        "matchLabelKeys": ["pod-template-hash"],
    }


def _network_policy(namespace: str, spec: SluiceGatewaySpec, installation: Installation) -> Manifest:
    """Callers of the own namespace; of everywhere where they show a key or the gateway is exposed on purpose. With TLS
    those of elsewhere come by TLS alone, unless an HTTPRoute's Gateway brings them: where that runs is not known here.

    Where it connects is the egress guard's to decide: policies know no host names.
    """
    secure = spec.expose.tls is not None
    open_ = spec.expose.http_route or (not secure and (spec.auth.keys or spec.auth.oidc))
    rules = [
        network.ingress([names.GATEWAY_PORT], [] if open_ else [network.NAMESPACE]),
        *([network.ingress([names.GATEWAY_TLS_PORT], [])] if secure else []),
        network.ingress([names.GATEWAY_ADMIN_PORT], [network.operator(installation), network.MONITORING]),
    ]
    return network.policy(_metadata(namespace), SELECTOR, rules)


def _http_route(namespace: str, spec: SluiceGatewaySpec, route: HttpRoute) -> Manifest:
    parents = [parent.model_dump(by_alias=True, exclude_none=True) for parent in route.parent_refs]
    found: dict[str, Any] = {
        "parentRefs": parents,
        "rules": [{"backendRefs": [{"name": names.GATEWAY_NAME, "port": 80}]}],
    }
    if route.hostnames:
        found["hostnames"] = list(route.hostnames)
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": _metadata(namespace),
        "spec": found,
    }
