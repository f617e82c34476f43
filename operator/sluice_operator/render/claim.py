"""The volume of a managed store's pod. Pure."""

from collections.abc import Mapping
from typing import Any

from sluice_operator.render.quantity import whole_bytes


def claim(storage: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """The StatefulSet's claim template for a volume called `data`, of the size `storage`."""
    return {
        "metadata": {"name": "data", "labels": dict(labels)},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": whole_bytes(storage)}}},
    }
