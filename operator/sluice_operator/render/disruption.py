"""How many pods of a workload an eviction may take at a time. Pure."""

from typing import Any


def disruption_budget(metadata: dict[str, Any], selector: dict[str, str]) -> dict[str, Any]:
    """A PodDisruptionBudget: one at a time, and none that is broken anyway holds up a node's drain."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata,
        "spec": {
            "maxUnavailable": 1,
            "selector": {"matchLabels": selector},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }
