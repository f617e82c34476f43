"""What every object that the operator makes has in its metadata, and how bytes stand in a Secret."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from sluice_operator import names
from sluice_operator.plan.plan import Manifest


def metadata(namespace: str, name: str, component: str, **labels: str) -> dict[str, Any]:
    """Name, namespace and the labels by which the operator knows its own."""
    return {
        "name": name,
        "namespace": namespace,
        "labels": {names.MANAGED_BY: names.MANAGED, names.COMPONENT: component, **labels},
    }


def secret(namespace: str, name: str, component: str, values: Mapping[str, str]) -> Manifest:
    """A Secret of the operator's own, with the label by which it is watched."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(namespace, name, component, **{names.CREDENTIAL: "managed"}),
        "type": "Opaque",
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in sorted(values.items())},
    }


def values(manifest: Manifest | None) -> dict[str, str]:
    """The decoded entries of a Secret; those that are not base64 of UTF-8 text are left out."""
    found = {}
    for key, value in ((manifest or {}).get("data") or {}).items():
        try:
            found[key] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError, TypeError):
            continue
    return found
