"""The metadata and status that every kind has, and what a kind tells about itself to the API server."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field, model_validator

from sluice_operator.kinds.part import Part
from sluice_operator.kinds.references import Namespace, ObjectName, ShortText

GROUP = "sluice.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"


class Metadata(Part):
    """An object's name and what the API server keeps about it; in a file only the first four matter."""

    name: ObjectName
    """The object's name, unique among its kind in its namespace."""
    namespace: Namespace | None = None
    """Its namespace. Default: the one that it is applied to."""
    labels: Mapping[str, str] = Field(default_factory=dict)
    """Labels."""
    annotations: Mapping[str, str] = Field(default_factory=dict)
    """Annotations."""
    uid: str | None = None
    """Set by the API server."""
    resource_version: str | None = None
    """Set by the API server."""
    generation: int | None = None
    """Set by the API server: counts changes of the spec."""
    creation_timestamp: str | None = None
    """Set by the API server, RFC 3339; of two objects that claim one model name the older keeps it."""
    deletion_timestamp: str | None = None
    """Set by the API server."""
    deletion_grace_period_seconds: int | None = None
    """Set by the API server."""
    finalizers: tuple[str, ...] = ()
    """Set by controllers."""
    owner_references: tuple[dict[str, Any], ...] = ()
    """Set by controllers."""
    managed_fields: tuple[dict[str, Any], ...] = ()
    """Set by the API server."""
    generate_name: str | None = None
    """A prefix for a generated name; the API server fills `name`."""
    self_link: str | None = None
    """Set by old API servers."""

    @model_validator(mode="before")
    @classmethod
    def _mark_nulls(cls, data: Any) -> Any:
        # Tools write `creationTimestamp: null`, and the API server takes it.
        if isinstance(data, Mapping):
            return {key: value for key, value in data.items() if value is not None}
        return data


class StatusPart(Part):
    """An object inside a status: written by Sluice alone, so what a newer release wrote is read without complaint."""

    model_config = ConfigDict(extra="ignore")


class Condition(StatusPart):
    """One thing that is true, false or unknown about the object."""

    type: ShortText
    """Ready; or, true only while something is wrong or under way, Stalled and Reconciling."""
    status: Literal["True", "False", "Unknown"]
    """Whether the condition holds."""
    reason: ShortText
    """The cause in one CamelCase word: ModelNameTaken, BackendNotFound."""
    message: str = Field(max_length=4096)
    """The cause and the cure in a sentence."""
    observed_generation: int | None = None
    """The generation of the object that this says something about."""
    last_transition_time: str = Field(max_length=64, json_schema_extra={"format": "date-time"})
    """When `status` last changed, RFC 3339."""


class Status(StatusPart):
    """What is true of the object now."""

    list_keys: ClassVar = {"conditions": "type"}

    observed_generation: int | None = None
    """The generation of the spec that this status describes."""
    conditions: tuple[Condition, ...] = Field((), max_length=16)
    """Ready, and, while they hold, Reconciling and Stalled."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of `kubectl get`."""

    name: str
    path: str
    """JSONPath within the object."""
    type: Literal["string", "integer", "date", "boolean"] = "string"
    wide: bool = False
    """Shown by `-o wide` only."""


READY = Column("Ready", '.status.conditions[?(@.type=="Ready")].status')
REASON = Column("Reason", '.status.conditions[?(@.type=="Ready")].reason', wide=True)
AGE = Column("Age", ".metadata.creationTimestamp", "date")


class Kind(Part):
    """An object that users write. A subclass narrows `spec` and `status`."""

    plural: ClassVar[str]
    short_name: ClassVar[str]
    columns: ClassVar[tuple[Column, ...]]
    scalable: ClassVar[bool] = False
    """Whether it has /scale: `spec.replicas`, `status.replicas`, `status.selector`."""

    api_version: Literal["sluice.dev/v1alpha1"]
    """sluice.dev/v1alpha1"""
    kind: str
    """The kind's name."""
    metadata: Metadata
    """Name, namespace, labels."""
