"""What the operator watches: which kinds, and by which labels the API server itself picks their objects. Pure."""

from dataclasses import dataclass

from sluice_operator import names
from sluice_operator.kinds import API_VERSION, KINDS

_OWN = (names.MANAGED_BY, (names.MANAGED,))


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of objects, all of them or those that a selector picks."""

    api_version: str
    kind: str
    plural: str
    label: str = ""
    """Label by whose value objects are picked; "" : all objects."""
    values: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """API group; "" is the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def version(self) -> str:
        """Version within the group."""
        return self.api_version.rpartition("/")[2]

    @property
    def selector(self) -> str:
        """Label selector as the API takes it; "" : all objects."""
        return f"{self.label} in ({','.join(self.values)})" if self.label else ""

    @property
    def picks(self) -> tuple[dict[str, str], ...]:
        """Labels of which an object has one entry to be picked; one empty entry: all objects."""
        return tuple({self.label: value} for value in self.values) or ({},)

    def __str__(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


USERS = tuple(Source(API_VERSION, kind, model.plural) for kind, model in KINDS.items())
"""The six kinds that users write."""

MADE = (
    Source("v1", "ConfigMap", "configmaps", *_OWN),
    Source("apps/v1", "Deployment", "deployments", *_OWN),
    Source("apps/v1", "StatefulSet", "statefulsets", *_OWN),
    Source("v1", "Service", "services", *_OWN),
    Source("v1", "ServiceAccount", "serviceaccounts", *_OWN),
    Source("rbac.authorization.k8s.io/v1", "Role", "roles", *_OWN),
    Source("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", *_OWN),
    Source("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", *_OWN),
    Source("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", *_OWN),
    Source("v1", "PersistentVolumeClaim", "persistentvolumeclaims", *_OWN),
    # They inherit the labels of the Services that the operator makes.
    Source("discovery.k8s.io/v1", "EndpointSlice", "endpointslices", *_OWN),
)
"""What the operator makes, and what controllers make of that."""

SECRETS = Source("v1", "Secret", "secrets", names.CREDENTIAL, ("true", "managed"))
"""Users' credentials and the operator's own; no other Secret ever reaches the operator."""
PODS = Source("v1", "Pod", "pods", names.GATEWAY, ("shared", "batch", "sidecar"))
"""Pods with a gateway in them."""
ROUTES = Source("gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes", *_OWN)
"""Only where the cluster has the Gateway API."""


def sources(*, gateway_api: bool) -> tuple[Source, ...]:
    """Everything that is watched."""
    return (*USERS, *MADE, SECRETS, PODS, *((ROUTES,) if gateway_api else ()))
