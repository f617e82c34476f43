"""NetworkPolicies for what the operator runs; none selects a pod of anybody else. Pure."""

from collections.abc import Sequence
from typing import Any

from sluice_operator import names
from sluice_operator.installation import Installation

PROMETHEUS = {"app.kubernetes.io/name": "prometheus"}
"""Labels of pods, in any namespace, that may read metrics."""

Peer = dict[str, Any]

NAMESPACE: Peer = {"podSelector": {}}
"""Every pod of the same namespace."""
GATEWAYS: Peer = {"podSelector": {"matchExpressions": [{"key": names.GATEWAY, "operator": "Exists"}]}}
"""Every pod of the same namespace with a gateway in it."""
MONITORING: Peer = {"namespaceSelector": {}, "podSelector": {"matchLabels": PROMETHEUS}}


def operator(installation: Installation) -> Peer:
    """The operator's pods."""
    return {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": installation.namespace}},
        "podSelector": {"matchLabels": dict(installation.operator_selector)},
    }


def gateways_of(namespaces: Sequence[str]) -> Peer:
    """Pods with a gateway in them, of some other namespaces."""
    key = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": sorted(namespaces)}
    return {"namespaceSelector": {"matchExpressions": [key]}, **GATEWAYS}


def ingress(ports: Sequence[int], peers: Sequence[Peer]) -> dict[str, Any]:
    """A rule: who may reach which TCP ports. No peers: everybody."""
    rule: dict[str, Any] = {"ports": [{"port": port, "protocol": "TCP"} for port in ports]}
    return {**rule, "from": list(peers)} if peers else rule


def policy(
    metadata: dict[str, Any],
    selector: dict[str, str],
    ingress: Sequence[dict[str, Any]],
    egress: Sequence[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """A NetworkPolicy. `egress` None: unbounded; without rules: nothing leaves."""
    spec: dict[str, Any] = {
        "podSelector": {"matchLabels": selector},
        "policyTypes": ["Ingress"] if egress is None else ["Ingress", "Egress"],
        "ingress": list(ingress),
    }
    if egress:
        spec["egress"] = list(egress)
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}
