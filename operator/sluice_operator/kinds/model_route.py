"""ModelRoute: model names that callers use, and what answers them."""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from sluice_operator.kinds.metadata import AGE, READY, REASON, Column, Kind, Status
from sluice_operator.kinds.part import Part, Rule, cured, refused
from sluice_operator.kinds.quantity import DecimalText, Flag, PositiveCount, PositiveDuration, Share
from sluice_operator.kinds.references import (
    BackendName,
    ConfigMapKey,
    Currency,
    ModelName,
    ObjectName,
    PolicyReference,
    ShortText,
)
from sluice_operator.kinds.strategies import Strategy
from sluice_operator.kinds.upstreams import Backend


class Retries(Part):
    """Further tries of one backend, before the first byte of an answer only."""

    attempts: Annotated[int, Field(strict=True, ge=1, le=10)] = 2
    """Tries in all; 1 means no retry."""
    budget: Share = Decimal("0.2")
    """Most retries, as a share of recent requests: a failing upstream is not buried under retries."""


class Breaker(Part):
    """A backend that keeps failing is left alone for a while."""

    failures: Annotated[int, Field(strict=True, ge=1, le=1000)] = 5
    """Failures in a row after which it is left alone."""
    open_for: PositiveDuration = 10.0
    """For how long; then one request tries it again."""


class Hedge(Part):
    """A second call when the first is slow; the first answer wins."""

    after: PositiveDuration
    """How long to wait for the first."""


class Resilience(Part):
    """How long a request may take, and what is tried before it fails."""

    timeout: PositiveDuration = 600.0
    """Longest time for the whole answer."""
    connect_timeout: PositiveDuration = 5.0
    """Longest time to connect to an upstream."""
    first_token_timeout: PositiveDuration = 30.0
    """Longest time to the first byte of an answer."""
    hold: PositiveDuration = 60.0
    """How long a request waits for a model that is starting."""
    retries: Retries = Retries()
    """Retries."""
    breaker: Breaker = Breaker()
    """Circuit breaker."""
    hedge: Hedge | None = None
    """Hedged calls. Default: none."""


class Mirror(Part):
    """A copy of some requests to a further backend; its answer is measured and dropped."""

    backend: BackendName
    """The backend that is tried."""
    percent: Annotated[int, Field(strict=True, ge=1, le=100)]
    """Share of requests, 1 to 100."""


class Limits(Part):
    """What callers may use. One at least is given."""

    at_least_one: ClassVar = ("requests_per_minute", "tokens_per_minute", "cost_per_day")

    requests_per_minute: PositiveCount | None = None
    """Most requests in a minute."""
    tokens_per_minute: PositiveCount | None = None
    """Most tokens, of prompts and answers, in a minute."""
    cost_per_day: DecimalText | None = None
    """Most money in a day, by the backends' prices."""
    currency: Currency = "USD"
    """Currency of `costPerDay`."""
    per_tenant: Flag = True
    """Whether each tenant has these limits for itself, or all share them."""


class Edit(Part):
    """A change of a prompt's text."""

    find: Annotated[str, StringConstraints(min_length=1, max_length=16_384)]
    """Text in the section."""
    replace: Annotated[str, StringConstraints(max_length=16_384)]
    """What stands there instead; "" takes it away."""


class Rewrite(Part):
    """An approved shorter wording of one system prompt section. Exactly one of edits and configMap is given."""

    exactly_one: ClassVar = ("edits", "config_map")

    name: ObjectName
    """How reports call it."""
    section: Annotated[
        str,
        StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$", max_length=71),
        cured("not a section's digest: write sha256: and its SHA-256 in 64 small hexadecimal digits"),
    ]
    """SHA-256 of the exact text of the section, or of the whole prompt: sha256:..."""
    percent: Annotated[int, Field(strict=True, ge=0, le=100)] = 100
    """Share of requests that get the new wording."""
    edits: tuple[Edit, ...] | None = Field(None, min_length=1, max_length=64)
    """Changes, in this order."""
    config_map: ConfigMapKey | None = None
    """Where the whole new wording is, when it is large."""


class Prompt(Part):
    """Prompt governance."""

    list_keys: ClassVar = {"rewrites": "name"}

    max_tokens: PositiveCount | None = None
    """Token budget of a prompt. Default: none."""
    on_exceed: Literal["Warn", "Reject"] = "Warn"
    """What happens to a longer prompt."""
    rewrites: tuple[Rewrite, ...] = Field((), max_length=32)
    """Approved rewrites."""


class ModelRouteSpec(Part):
    """Which model names are answered, by what and how."""

    list_keys: ClassVar = {"models": None, "backends": "name", "fallbacks": None}
    rules: ClassVar = (
        Rule("size(self.backends) == 1 || has(self.strategy)", "more than one backend needs a strategy", ".strategy"),
    )

    models: tuple[ModelName, ...] | None = Field(None, min_length=1, max_length=64)
    """Model names that callers give and this route answers, each once. Default: the route's own name. A name belongs to
    one route of a namespace: the oldest that claims it."""
    backends: tuple[Backend, ...] = Field(min_length=1, max_length=32)
    """The models that may answer."""
    strategy: Strategy | None = None
    """How one is chosen. Default: `single`, where there is one backend."""
    fallbacks: tuple[BackendName, ...] = Field((), max_length=8)
    """Backends that are asked, in this order, when the chosen one fails before its first byte."""
    resilience: Resilience = Resilience()
    """Timeouts, retries, breaker."""
    affinity: Literal["None", "Session", "Prefix"] = "None"
    """Which replica of a model is asked: Prefix keeps equal prompt prefixes on the replica whose KV cache holds them,
    Session keeps a conversation on one."""
    mirror: Mirror | None = None
    """Shadow traffic. Default: none."""
    limits: Limits | None = None
    """Limits. Default: none."""
    prompt: Prompt | None = None
    """Prompt governance. Default: none."""
    cache_policy: PolicyReference | None = None
    """Which answers are reused. Default: none are."""
    reference: BackendName | None = None
    """The backend that would answer without Sluice: savings are counted against it. Default: the dearest one used by
    price, else the last one used."""

    @model_validator(mode="after")
    def _check_strategy(self) -> Self:
        if len(self.backends) > 1 and self.strategy is None:
            raise refused("strategy", "more than one backend needs a strategy", ("strategy",))
        return self


class Savings(Part):
    """What Sluice saved on this route."""

    model_config = Status.model_config

    money: ShortText | None = None
    """Money, with its currency: 12.40 USD."""
    tokens: int | None = None
    """Tokens that were not generated."""
    hit_ratio: ShortText | None = None
    """Share of requests answered by the cache: 0.42."""
    since: ShortText | None = None
    """From when it is counted, RFC 3339: since the oldest of the gateways that run now started."""
    until: ShortText | None = None
    """Until when it is counted, RFC 3339; it is brought up to date every 10 minutes at most."""


class ModelRouteStatus(Status):
    """What gateways serve of this route."""

    digest: ShortText | None = None
    """Digest of the route as it should be served."""
    serving: ShortText | None = None
    """Gateways that serve this digest, of all: 7/8, 1 unknown."""
    models: tuple[ModelName, ...] = Field((), max_length=64)
    """Model names that this route really answers."""
    model_names: ShortText | None = None
    """The first of them in one line, for people."""
    savings: Savings | None = None
    """What it saved."""


class ModelRoute(Kind):
    """Model names that an application asks for, and what answers them: which backends, chosen how, cached how."""

    plural: ClassVar = "modelroutes"
    short_name: ClassVar = "mr"
    columns: ClassVar = (
        Column("Models", ".status.modelNames"),
        READY,
        Column("Serving", ".status.serving"),
        Column("Hits", ".status.savings.hitRatio"),
        Column("Saved", ".status.savings.money"),
        REASON,
        Column("Policy", ".spec.cachePolicy.name", wide=True),
        AGE,
    )

    kind: Literal["ModelRoute"]
    """ModelRoute"""
    spec: ModelRouteSpec
    """What is wanted."""
    status: ModelRouteStatus | None = None
    """What is true now; written by Sluice."""
