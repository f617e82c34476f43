"""Names, and how one object points at another: secrets, config maps, models, policies, backends."""

from typing import Annotated

from pydantic import StringConstraints

from sluice_operator.kinds.part import Part, cured
from sluice_operator.kinds.quantity import Size

_SMALL = "lower case letters, digits, -"
_ENDS = "starting and ending with a letter or digit"

ObjectName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", min_length=1, max_length=253),
    cured(f"not an object's name: write {_SMALL} and dots, {_ENDS}"),
]
"""The name of an object in Kubernetes: lower case letters, digits, - and dots."""

Namespace = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", min_length=1, max_length=63),
    cured(f"not a namespace's name: write {_SMALL}, {_ENDS}"),
]
"""The name of a namespace."""

DataKey = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9._-]+$", max_length=253),
    cured("not a key of a Secret or ConfigMap: write letters, digits, ., _ and -"),
]
"""A key inside a Secret or ConfigMap."""

BackendName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=63),
    cured(f"not a backend's name: write {_SMALL}, {_ENDS}"),
]
"""The name of a backend within its route: lower case letters, digits and -."""

ModelName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$", max_length=200),
    cured("not a model's name: write letters, digits and . _ : / @ + -, starting with a letter or digit"),
]
"""A model's name as callers and providers write it: gpt-4.1, Qwen/Qwen3-8B."""

Currency = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z]{3}$", max_length=3),
    cured('not a currency: write three letters of ISO 4217, for example "USD"'),
]
"""ISO 4217: USD."""

ShortText = Annotated[str, StringConstraints(min_length=1, max_length=253)]
"""Free text of one line."""

RegexText = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
"""A regular expression; `compile` reports one that is wrong."""


class SecretKey(Part):
    """One value in a Secret. On one machine it comes from the environment (`SLUICE_SECRET_<NAME>_<KEY>`) or `.env`."""

    secret: ObjectName
    """Name of the Secret, in the object's own namespace."""
    key: DataKey
    """Key within the Secret."""


class SecretName(Part):
    """A whole Secret."""

    secret: ObjectName
    """Name of the Secret, in the object's own namespace."""


class ConfigMapKey(Part):
    """One value in a ConfigMap."""

    name: ObjectName
    """Name of the ConfigMap, in the object's own namespace."""
    key: DataKey
    """Key within the ConfigMap."""


class ModelReference(Part):
    """A QuantisedModel."""

    name: ObjectName
    """Name of the QuantisedModel."""
    namespace: Namespace | None = None
    """Its namespace, when it is another one; that model's `allowedNamespaces` must name this object's namespace.
    Default: the object's own."""


class PolicyReference(Part):
    """A CachePolicy."""

    name: ObjectName
    """Name of the CachePolicy, in the object's own namespace."""


class Claim(Part):
    """A volume that Sluice makes."""

    storage: Size
    """Size of the volume: 10Gi."""
    storage_class: ObjectName | None = None
    """Storage class. Default: the cluster's."""
