"""What one installation of the operator is like: image names and addresses that workloads are rendered with. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sluice_operator import names


@dataclass(frozen=True, slots=True)
class Images:
    """Image references, registry prefix included."""

    gateway: str = "sluice-gateway:dev"
    llama_cpp: str = "sluice-llama:dev"
    redis: str = "redis:8.2"
    qdrant: str = "qdrant/qdrant:v1.16.0"
    pull_policy: str = "IfNotPresent"
    pull_secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Installation:
    """Settings that the rendered workloads depend on; a change of them may roll gateways, a new operator alone not."""

    namespace: str = "sluice-system"
    """The operator's own."""
    images: Images = Images()
    cluster_domain: str = "cluster.local"
    report_url: str = ""
    """Base URL of the report server; "" : gateways do not report."""
    report_ca: str = ""
    """PEM of the authority that signed the report server's certificate."""
    gateway_resources: Mapping[str, Any] = field(
        default_factory=lambda: {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}}
    )
    sidecar_resources: Mapping[str, Any] = field(
        default_factory=lambda: {"requests": {"cpu": "20m", "memory": "96Mi"}, "limits": {"memory": "512Mi"}}
    )
    gateway_api: bool = False
    """Whether the cluster has HTTPRoute."""
    injection: bool = True
    """Whether the webhook is installed."""

    @property
    def operator_selector(self) -> Mapping[str, str]:
        """Labels of the operator's pods."""
        return {"app.kubernetes.io/name": names.OPERATOR_NAME}
