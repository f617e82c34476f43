"""What Kubernetes' pod security standard `restricted` asks of a pod, and a little more."""

from typing import Any

NOBODY = 65532
"""User and group of Sluice's own images."""


def pod_security(user: int = NOBODY, group: int | None = None) -> dict[str, Any]:
    """A pod's securityContext: volumes belong to the group of its user, or to `group`."""
    return {
        "runAsNonRoot": True,
        "runAsUser": user,
        "runAsGroup": group or user,
        "fsGroup": group or user,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container_security(user: int = NOBODY) -> dict[str, Any]:
    """A container's securityContext; it holds in pods of others too, whatever they say for the whole pod."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "runAsUser": user,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
