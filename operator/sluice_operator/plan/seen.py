"""What a plan needs to see of a cluster: one namespace, as it was observed. Data only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from sluice_operator.installation import Installation
from sluice_operator.plan.plan import Manifest, Ref


@dataclass(frozen=True, slots=True)
class Secret:
    """A user's Secret that is labelled as a credential."""

    name: str
    values: Mapping[str, str] = field(repr=False)
    """Decoded; entries that are not UTF-8 text are left out."""
    hosts: tuple[str, ...] = ()
    """From its annotation."""


@dataclass(frozen=True, slots=True)
class RouteSavings:
    """What a gateway counted for one route since it started."""

    requests: int = 0
    reused: int = 0
    """Requests answered from the cache."""
    money: Decimal = Decimal(0)
    currency: str = "USD"
    tokens: int = 0
    """Tokens that were not generated."""


@dataclass(frozen=True, slots=True)
class PolicyReport:
    """What a gateway counted for one cache policy since it started."""

    entries: int | None = None
    requests: int = 0
    reused: int = 0
    store: str = ""
    """Why its store cannot be used; "" : it can."""
    bound: float | None = None
    """The worst upper bound on the error of what is reused by meaning, 0..1; None: nothing is."""


@dataclass(frozen=True, slots=True)
class WindowReport:
    """What a gateway says of one BatchWindow: of the queue, which all share, and what it counted since it started."""

    queued: int = 0
    """Requests in the queue that wait."""
    running: int = 0
    """Requests of the queue that run, anywhere."""
    done: int = 0
    """Requests that this gateway answered."""
    failed: int = 0
    """Requests that this gateway gave an error as their result."""
    oldest: float | None = None
    """When the request in the queue came in that waits longest, unix seconds; None: none waits."""
    missed: int = 0
    """Requests of this gateway that were not done by their deadline."""
    saved: Decimal = Decimal(0)
    """What this gateway saved against the price of real time."""
    currency: str = "USD"


@dataclass(frozen=True, slots=True)
class Report:
    """What one gateway last said that it serves. Who it is comes from its token, never from what it says."""

    namespace: str
    pod: str
    pod_uid: str
    received: float
    """Unix seconds."""
    version: str = ""
    schemas: tuple[int, ...] = (1,)
    digest: str = ""
    """Of the whole Config."""
    routes: Mapping[str, str] = field(default_factory=dict)
    """Route -> the digest that is served."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Route or policy -> why it is not served."""
    problem: str = ""
    """Why the latest Config was refused as a whole."""
    savings: Mapping[str, RouteSavings] = field(default_factory=dict)
    policies: Mapping[str, PolicyReport] = field(default_factory=dict)
    windows: Mapping[str, WindowReport] = field(default_factory=dict)
    started: float = 0.0
    """Since when it counts, unix seconds."""


@dataclass(frozen=True, slots=True)
class GatewayPod:
    """A pod with a gateway in it."""

    name: str
    uid: str
    role: str
    """shared, batch or sidecar."""
    service_account: str
    running: bool
    """Phase Running, ready, not terminating."""
    terminating: bool = False
    finished: bool = False
    """Phase Succeeded or Failed."""


@dataclass(frozen=True, slots=True)
class Snapshots:
    """What became of the snapshots of a managed Qdrant that are made before its nodes run another image."""

    image: str
    """The one that is to run."""
    problem: str = ""
    """Why they could not be made; "" : they are there."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One namespace as observed."""

    namespace: str
    installation: Installation
    objects: tuple[Manifest, ...] = ()
    """Its objects of the six kinds, as the API server gives them."""
    models: tuple[Manifest, ...] = ()
    """QuantisedModels of all other namespaces."""
    children: Mapping[Ref, Manifest] = field(default_factory=dict)
    """Everything in it that the operator made (label managed-by), as it is now, pods apart."""
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    """Users' Secrets with the credential label, by name."""
    unlabelled: frozenset[str] = frozenset()
    """Secrets that its objects name, that exist and lack the label."""
    pods: tuple[GatewayPod, ...] = ()
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Ready base URLs of managed models by their name in Config (NAME here, NAMESPACE/NAME elsewhere)."""
    reports: tuple[Report, ...] = ()
    listening: float = 0.0
    """Seconds for which this replica has been collecting reports as the leader."""
    stores: Mapping[str, str] = field(default_factory=dict)
    """Managed store (redis, qdrant) -> why it cannot be administered; missing: all is well, or not asked yet."""
    snapshots: Snapshots | None = None
    """Of the managed Qdrant; None: none were asked for, or they are being made."""
    fresh: str = field(default="", repr=False)
    """64 random hexadecimal digits, another one in each observation: for secrets that do not exist yet."""
