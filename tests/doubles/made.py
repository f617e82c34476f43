"""What the operator makes for a namespace's routes, as it stands on the API server."""

from typing import Any

from doubles.kube import Api
from doubles.objects import route
from sluice_operator import names

KINDS = (
    "deployments,statefulsets,services,configmaps,secrets,serviceaccounts,roles,rolebindings,pdb,networkpolicies,pvc"
)
MADE = {
    ("ConfigMap", names.CONFIG_MAP),
    ("ConfigMap", names.ENDPOINTS_MAP),
    ("Secret", names.CREDENTIALS_SECRET),
    ("Deployment", names.GATEWAY_NAME),
    ("Service", names.GATEWAY_NAME),
    ("ServiceAccount", names.GATEWAY_NAME),
    ("PodDisruptionBudget", names.GATEWAY_NAME),
    ("NetworkPolicy", names.GATEWAY_NAME),
    ("Role", names.READER_ROLE),
    ("RoleBinding", names.READER_ROLE),
    ("Role", names.CREDENTIALS_SECRET),
    ("RoleBinding", names.CREDENTIALS_SECRET),
}
"""The least that a namespace with a route has."""

Found = dict[tuple[str, str], dict[str, Any]]


def put(api: Api, namespace: str, name: str, **spec: Any) -> None:
    """Applies a route."""
    made = route(name, **spec)
    made["metadata"]["namespace"] = namespace
    api.apply(made)


def published(api: Api, namespace: str) -> str:
    """The text of the Config's ConfigMap, "" where there is none."""
    return api.kubectl("get", "configmap", names.CONFIG_MAP, "-n", namespace, "--ignore-not-found", "-o", "yaml")


def listed(api: Api, namespace: str, kinds: str = KINDS) -> Found:
    """Objects of a namespace by kind and name."""
    return {(o["kind"], o["metadata"]["name"]): o for o in api.get(kinds, "-n", namespace)["items"]}


def versions(found: Found) -> dict[tuple[str, str], str]:
    """What changes with every write of an object."""
    return {key: data["metadata"]["resourceVersion"] for key, data in found.items()}
