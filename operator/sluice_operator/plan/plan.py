"""A plan: the writes that bring a namespace from what it is to what it should be. Data only; the engine executes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Manifest = Mapping[str, Any]
"""An object as plain JSON data, with apiVersion, kind and metadata."""


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """What names one object."""

    api_version: str
    kind: str
    namespace: str | None
    name: str

    @classmethod
    def of(cls, manifest: Manifest) -> "Ref":
        """The name of an object."""
        metadata = manifest["metadata"]
        return cls(manifest["apiVersion"], manifest["kind"], metadata.get("namespace"), metadata["name"])

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """A Sluice object's whole status, applied by server-side apply to the status subresource."""

    ref: Ref
    status: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """An Event about an object."""

    ref: Ref
    uid: str
    type: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class QdrantDuty:
    """What a managed Qdrant, all of whose nodes are ready, is to hold."""

    url: str
    nodes: tuple[str, ...]
    """The URL of each node."""
    key: str = field(repr=False)
    """The server's own key."""
    collections: tuple[str, ...]
    """Those that gateways use."""
    prefix: str
    """What every collection of ours starts with: those that are not used any more are dropped in the end."""
    save_before: str = ""
    """The image that is to run, of which the nodes run another one: collections are saved before; "" : it runs."""
    doubted: bool = False
    """Whether a gateway says that it cannot use it."""


@dataclass(frozen=True, slots=True)
class RedisDuty:
    """Which users a managed Redis that is ready is to know."""

    address: str
    """host:port."""
    user: str
    password: str = field(repr=False)
    revision: str
    """The user that shows which file of users the server has read."""
    doubted: bool = False
    """Whether a gateway says that it cannot use it."""


Duty = QdrantDuty | RedisDuty


@dataclass(frozen=True, slots=True)
class Plan:
    """Writes in their order: `apply` one after another, then `delete`, then statuses, then events.

    Only what differs is in it: at rest all of it is empty.
    """

    apply: tuple[Manifest, ...] = ()
    """Full intents for server-side apply."""
    delete: tuple[Ref, ...] = ()
    """What is owned and no longer wanted."""
    statuses: tuple[StatusUpdate, ...] = ()
    events: tuple[Event, ...] = ()
    requeue_after: float | None = None
    """Seconds after which the key is looked at again although nothing changed; None: only a change wakes it."""
    duties: tuple[Duty, ...] = ()
    """What managed stores are to hold; always all of it, since nothing here knows what they hold."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.apply or self.delete or self.statuses or self.events)
