"""SluiceGateway: what holds for all routes of a namespace."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from sluice_operator.kinds.address import Cidr, ProxyUrl, Url
from sluice_operator.kinds.metadata import AGE, READY, REASON, Column, Kind, Status
from sluice_operator.kinds.part import Part, Rule, cured, refused
from sluice_operator.kinds.quantity import Count, Cpu, Duration, Flag, Size
from sluice_operator.kinds.references import ConfigMapKey, Namespace, ObjectName, SecretName, ShortText
from sluice_operator.kinds.stores import Redis


class Amount(Part):
    """Processors and memory."""

    cpu: Cpu | None = None
    """Processors, "2" or 500m."""
    memory: Size | None = None
    """Memory: 512Mi."""


class Resources(Part):
    """What one gateway pod may use."""

    requests: Amount = Amount()
    """What is set aside for it. Default: the chart's."""
    limits: Amount = Amount()
    """What it never exceeds. Default: the chart's."""


class Oidc(Part):
    """Callers with a token of an identity provider."""

    issuer: Url
    """The provider's address, as `iss` says it."""
    audience: ShortText
    """What `aud` must hold."""
    tenant_claim: ShortText = "sub"
    """The claim that names the tenant."""


class Auth(Part):
    """Who may call. Without keys and oidc everyone who reaches the gateway may, as one tenant."""

    keys: SecretName | None = None
    """A Secret whose entries are tenants and their API keys. Default: none."""
    oidc: Oidc | None = None
    """An identity provider. Default: none."""


class State(Part):
    """Where gateways add up what they counted: requests, costs, savings."""

    exactly_one: ClassVar = ("redis",)

    redis: Redis | None = None
    """In Redis."""


class Otlp(Part):
    """Where traces and metrics are sent."""

    endpoint: Url
    """The collector's address."""
    protocol: Literal["grpc", "http/protobuf"] = "grpc"
    """How it is spoken to."""


class Telemetry(Part):
    """What the gateway tells about itself."""

    otlp: Otlp | None = None
    """OpenTelemetry. Default: none; Prometheus metrics are always there."""
    log_prompts: Flag = False
    """Whether logs hold the text of prompts and answers."""


class CaBundle(Part):
    """Authorities whose certificates are trusted besides the system's. A change is taken up without a restart."""

    config_map: ConfigMapKey
    """Where they are, in PEM."""


class Egress(Part):
    """Where the gateway may connect."""

    proxy: ProxyUrl | None = None
    """A proxy for every call that leaves, https by CONNECT. Names without a dot or of the cluster, and addresses in
    `allow`, are called without it. Default: none."""
    ca_bundle: CaBundle | None = None
    """Further trusted certificates. Default: none."""
    allow: tuple[Cidr, ...] = Field((), max_length=64)
    """Private networks that backends, checks and stores may be in: 10.0.0.0/8. Public addresses are always allowed,
    link-local and metadata addresses never. On one machine loopback is allowed too."""


class ParentRef(Part):
    """A Gateway of the Gateway API."""

    name: ObjectName
    """Its name."""
    namespace: Namespace | None = None
    """Its namespace. Default: the object's own."""
    section_name: ShortText | None = None
    """One of its listeners. Default: all."""


HostName = Annotated[
    str,
    StringConstraints(pattern=r"^(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", min_length=1, max_length=253),
    cured(
        "not a host name: write lower case letters, digits, - and dots, for example llm.example.com or *.example.com"
    ),
]
"""A host name, with *. before it for all below."""


class HttpRoute(Part):
    """An HTTPRoute of the Gateway API to this gateway."""

    parent_refs: tuple[ParentRef, ...] = Field(min_length=1, max_length=32)
    """Gateways that take the traffic."""
    hostnames: tuple[HostName, ...] = Field((), max_length=16)
    """Host names. Default: the parents'."""


class Expose(Part):
    """How callers outside reach the gateway."""

    tls: SecretName | None = None
    """A Secret of type kubernetes.io/tls: the gateway speaks TLS itself, on port 443 of its Service. A new certificate
    is taken up without a restart. Port 80 stays for the namespace. Default: plain HTTP alone."""
    http_route: HttpRoute | None = None
    """An HTTPRoute. Default: none."""


class SluiceGatewaySpec(Part):
    """What holds for all routes of the namespace."""

    replicas: Annotated[int, Field(strict=True, ge=1, le=1000)] = 2
    """Gateway pods."""
    workers: Annotated[int, Field(strict=True, ge=1, le=64)] = 1
    """Processes in one gateway pod, on the same port; each takes memory of its own. A sidecar is always one."""
    resources: Resources = Resources()
    """What a pod may use."""
    auth: Auth = Auth()
    """Who may call."""
    state: State | None = None
    """Shared state. Default: each gateway's own."""
    telemetry: Telemetry = Telemetry()
    """Logs, traces, metrics."""
    egress: Egress = Egress()
    """Where the gateway may connect."""
    expose: Expose = Expose()
    """How callers outside reach it."""
    max_body: Size = "32Mi"
    """Largest request that is read."""
    drain: Duration = 30.0
    """How long open requests may go on when the gateway stops."""


class SluiceGatewayStatus(Status):
    """What runs."""

    replicas: Count | None = None
    """Gateway pods that exist."""
    ready_replicas: Count | None = None
    """Gateway pods that answer."""
    digest: ShortText | None = None
    """Digest of the Config that they should serve."""
    address: ShortText | None = None
    """Base URL for callers in the cluster."""


class SluiceGateway(Kind):
    """What holds for all routes of a namespace: who may call, where it may connect, how much of it there is."""

    plural: ClassVar = "sluicegateways"
    short_name: ClassVar = "sg"
    columns: ClassVar = (
        READY,
        Column("Replicas", ".status.readyReplicas", "integer"),
        Column("Address", ".status.address"),
        REASON,
        AGE,
    )
    rules: ClassVar = (
        Rule(
            "self.metadata.name == 'default'",
            "a namespace has one SluiceGateway, and its name is default",
            ".metadata.name",
        ),
    )

    kind: Literal["SluiceGateway"]
    """SluiceGateway"""
    spec: SluiceGatewaySpec = SluiceGatewaySpec()
    """What is wanted."""
    status: SluiceGatewayStatus | None = None
    """What is true now; written by Sluice."""

    @model_validator(mode="after")
    def _check_name(self) -> Self:
        if self.metadata.name != "default":
            raise refused("name", "a namespace has one SluiceGateway, and its name is default", ("metadata", "name"))
        return self
