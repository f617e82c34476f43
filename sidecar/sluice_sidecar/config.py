"""Config: the one contract between whoever compiles the kinds (operator, `sluice run`) and the gateway that obeys it.

Plain data, no Kubernetes in it, no secret value in it. Durations are seconds, sizes are bytes, money is Decimal per
million tokens. A gateway validates a Config whole before it serves any of it.
"""

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, field_serializer

SCHEMA = 1
"""The schema that this release writes."""

_ROUTING = ("single", "weighted", "task", "cascade", "mirror")
_REUSE = ("identical", "paraphrase", "label", "template", "bound", "onnx", "endpoint", "verifier")
_STORES = ("redis", "qdrant", "faiss", "pinecone", "embedded")
CAPABILITIES = frozenset((*_ROUTING, *_REUSE, *_STORES, "prompt"))
"""What this gateway can do; a route or policy whose `requires` names more is refused, the rest is served."""

Family = Literal["openai", "anthropic"]
"""Whose wire a backend speaks: paths, headers, error shape and stream format."""


class Part(BaseModel):
    """Immutable; unknown optional fields are ignored, so an older gateway reads a newer Config."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Credential(Part):
    """Where a secret value is found: never the value itself."""

    secret: str
    key: str
    version: str | None = Field(
        None, description="In a cluster: the value's version. A gateway serves a Config once it holds that version."
    )


class Price(Part):
    """Money per million tokens."""

    input: Decimal = Decimal(0)
    cached_input: Decimal | None = None
    output: Decimal = Decimal(0)
    currency: str = "USD"

    @field_serializer("input", "cached_input", "output")
    def _text(self, value: Decimal | None) -> str | None:
        return None if value is None else format(value.normalize(), "f")

    def cost(self, prompt: int, cached: int, completion: int) -> Decimal:
        """Cost of one call in `currency`; `cached` is the part of `prompt` that the upstream had cached."""
        cached_rate = self.input if self.cached_input is None else self.cached_input
        return ((prompt - cached) * self.input + cached * cached_rate + completion * self.output) / 1_000_000


class Backend(Part):
    """One upstream model. Exactly one of `url` (a base such as https://api.openai.com/v1) and `managed` is set."""

    name: str
    url: str | None = None
    managed: str | None = Field(None, description="Name of a QuantisedModel; its ready addresses come in Endpoints.")
    families: tuple[Family, ...] = ("openai",)
    model: str | None = Field(None, description="Model name sent upstream; None sends the caller's.")
    credential: Credential | None = None
    price: Price | None = None
    context_window: int | None = None
    logprobs: bool = Field(False, description="The upstream can return token log-probabilities.")
    always_stream: bool = Field(
        False,
        description="Ask upstream for streams even when the caller did not: some engines free a left call only then.",
    )


class Single(Part):
    """Every request to one backend."""

    type: Literal["single"] = "single"
    backend: str


class Weighted(Part):
    """Requests spread by weight."""

    type: Literal["weighted"] = "weighted"
    weights: dict[str, int]


class Task(Part):
    """Requests to the backend that their task class names."""

    type: Literal["task"] = "task"
    backends: dict[str, str] = Field(description="Task class -> backend.")
    default: str = Field(description="Backend where no class is clear.")
    examples: dict[str, tuple[str, ...]] = Field({}, description="Task class -> the user's own example asks.")
    margin: float = Field(0.1, description="Least distance between the best class's score and the second's, in cosine.")


class Confidence(Part):
    """How sure a model must be of its own answer, from its token log-probabilities."""

    method: Literal["TokenQuantile"] = "TokenQuantile"
    threshold: float = Field(description="Least probability, 0..1, at the quantile.")
    quantile: float = Field(0.1, description="Which quantile of the token probabilities is compared, 0..1.")
    prefix: int = Field(16, description="Tokens after which a streamed answer commits, when they pass.")


class JsonSchemaCheck(Part):
    """The answer is JSON and valid against a schema."""

    type: Literal["jsonSchema"] = "jsonSchema"
    json_schema: dict[str, Any]


class RegexCheck(Part):
    """The answer's text holds a match."""

    type: Literal["regex"] = "regex"
    pattern: str


class HttpCheck(Part):
    """The user's own check: POST {request, answer}; 2xx with {"accept": true} passes, anything else fails."""

    type: Literal["http"] = "http"
    url: str
    timeout: float = 2.0
    credential: Credential | None = None


Check = Annotated[JsonSchemaCheck | RegexCheck | HttpCheck, Field(discriminator="type")]


class Cascade(Part):
    """Stages from cheap to dear; the first whose answer is accepted, else the last."""

    type: Literal["cascade"] = "cascade"
    stages: tuple[str, ...]
    confidence: Confidence | None = None
    checks: tuple[Check, ...] = ()


Strategy = Annotated[Single | Weighted | Task | Cascade, Field(discriminator="type")]


class Retries(Part):
    """Before the first byte only. `budget` bounds retries to that share of recent requests."""

    attempts: int = Field(2, description="Tries in all on one backend, 1 = no retry.")
    budget: float = 0.2


class Breaker(Part):
    """A backend that fails `failures` times in a row is left alone for `open_for` seconds."""

    failures: int = 5
    open_for: float = 10.0


class Resilience(Part):
    """How long a request may take and what is tried; seconds."""

    connect: float = 5.0
    first_token: float = 30.0
    total: float = 600.0
    hold: float = Field(60.0, description="How long a request waits for a managed model that is starting.")
    retries: Retries = Retries()
    breaker: Breaker = Breaker()


class Mirror(Part):
    """A copy of some requests to a further backend; its answer is measured and dropped."""

    backend: str
    percent: float


class Edit(Part):
    """A change of a prompt's text."""

    find: str
    replace: str


class Rewrite(Part):
    """A shorter wording of one system prompt or of one of its sections. `edits` or the whole new `text`."""

    name: str
    section: str = Field(description="sha256: and the SHA-256 of the exact text of the prompt, or of one section.")
    percent: float = Field(100.0, description="Share of conversations that get it.")
    edits: tuple[Edit, ...] = Field((), description="In this order, each at every place: all of them, or none.")
    text: str | None = None


class PromptRules(Part):
    """What system prompts of a route may be, and how they are put in shorter words."""

    max_tokens: int | None = Field(None, description="Token budget of a request's system prompt; None: none.")
    on_exceed: Literal["Warn", "Reject"] = "Warn"
    rewrites: tuple[Rewrite, ...] = ()


class AuditSampling(Part):
    """Which real requests are kept for an audit of a route's prompts, and what is blacked out first."""

    requests: int = Field(200, description="How many of each prompt.")
    redact: tuple[Literal["Email", "Phone", "Card", "Iban", "Address", "Name"], ...] = ("Email", "Phone", "Card")
    retention: float = Field(2_592_000.0, description="How long one is kept, seconds.")
    tenants: tuple[str, ...] | None = Field(None, description="Whose requests may be kept; None: everybody's.")


class Route(Part):
    """One ModelRoute, resolved."""

    name: str
    digest: str = ""
    requires: tuple[str, ...] = ()
    models: tuple[str, ...]
    backends: dict[str, Backend]
    strategy: Strategy
    fallbacks: tuple[str, ...] = ()
    reference: str = Field(
        description="The backend whose cost and time the ledger compares with: the dearest one used."
    )
    resilience: Resilience = Resilience()
    mirror: Mirror | None = None
    policy: str | None = Field(None, description="Name of a cache policy in this Config.")
    prompt: PromptRules | None = Field(None, description="None: prompts go as they come.")
    audit: AuditSampling | None = Field(None, description="None: no request is kept.")


class OnnxVerifier(Part):
    """A cross-encoder or NLI model in ONNX, in the gateway."""

    type: Literal["onnx"] = "onnx"
    path: str = Field(description="A folder with model.onnx, tokenizer.json and config.json.")


class VerifierEndpoint(Part):
    """An address that scores pairs of texts."""

    type: Literal["endpoint"] = "endpoint"
    url: str = Field(description="A base; /rerank or /score is added.")
    api: Literal["Rerank", "Score", "TEI"] = "Rerank"
    model: str | None = None
    credential: Credential | None = None


VerifierModel = Annotated[OnnxVerifier | VerifierEndpoint, Field(discriminator="type")]


class Verifier(Part):
    """A model that must agree before a paraphrase is given."""

    model: VerifierModel
    threshold: float = Field(description="Least score, 0 to 1, of the lower one of both orders.")
    timeout: float = Field(description="How long a request waits for a verdict, seconds.")


class Paraphrase(Part):
    """Reuse for another wording of the same ask."""

    similarity: float = Field(
        0.0, description="Least cosine similarity of the two asks' embeddings, whatever the evidence says."
    )
    verifier: Verifier | None = Field(None, description="None: guards and evidence alone decide.")


WIDTH = 384
"""Dimensions of the builtin model's vectors, and the least that a store keeps."""


class QdrantStore(Part):
    """Entries in a Qdrant server."""

    type: Literal["qdrant"] = "qdrant"
    dimensions: int = Field(
        WIDTH, description="Length of the vectors that it keeps; shorter ones are filled up with zeros."
    )
    url: str
    collection: str = Field(description="Made beforehand, or by the gateway where its key may.")
    api_key: Credential | None = None
    managed: bool = Field(False, description="Run by the operator: a private address that needs no egress.allow.")

    def credentials(self) -> tuple[Credential, ...]:
        """What it is entered with."""
        return _given(self.api_key)


class RedisServer(Part):
    """A Redis server and the key prefix that is ours in it."""

    type: Literal["redis"] = "redis"
    dimensions: int = Field(
        WIDTH, description="Length of the vectors that it keeps; shorter ones are filled up with zeros."
    )
    address: str = Field(description="host:port")
    prefix: str
    username: Credential | None = None
    password: Credential | None = None
    managed: bool = Field(False, description="Run by the operator: a private address that needs no egress.allow.")

    def credentials(self) -> tuple[Credential, ...]:
        """What it is entered with."""
        return _given(self.username, self.password)


class FaissStore(Part):
    """Entries in the gateway itself, searched with Faiss: one gateway's are not another's."""

    managed: ClassVar[bool] = False

    type: Literal["faiss"] = "faiss"
    dimensions: int = Field(
        WIDTH, description="Length of the vectors that it keeps; shorter ones are filled up with zeros."
    )

    def credentials(self) -> tuple[Credential, ...]:
        """None."""
        return ()


class EmbeddedStore(Part):
    """Entries in the gateway itself, of an embedding whose vectors are longer than the builtin model's."""

    managed: ClassVar[bool] = False

    type: Literal["embedded"] = "embedded"
    dimensions: int = Field(
        WIDTH, description="Length of the vectors that it keeps; shorter ones are filled up with zeros."
    )

    def credentials(self) -> tuple[Credential, ...]:
        """None."""
        return ()


class PineconeStore(Part):
    """Entries in a namespace of an index at Pinecone."""

    managed: ClassVar[bool] = False

    type: Literal["pinecone"] = "pinecone"
    dimensions: int = Field(
        WIDTH, description="Length of the vectors that it keeps; shorter ones are filled up with zeros."
    )
    url: str = Field(description="The index's own address.")
    namespace: str
    api_key: Credential

    def credentials(self) -> tuple[Credential, ...]:
        """What it is entered with."""
        return (self.api_key,)


SharedStore = Annotated[
    QdrantStore | RedisServer | FaissStore | EmbeddedStore | PineconeStore, Field(discriminator="type")
]
"""A store that a policy names. All but Faiss's and the embedded one are shared by gateways."""


def _given(*credentials: Credential | None) -> tuple[Credential, ...]:
    return tuple(credential for credential in credentials if credential is not None)


class BuiltinEmbedding(Part):
    """The model that every gateway has."""

    dimensions: ClassVar[int] = WIDTH

    type: Literal["builtin"] = "builtin"


class OnnxEmbedding(Part):
    """A model in ONNX, in the gateway."""

    type: Literal["onnx"] = "onnx"
    path: str = Field(description="A folder with model.onnx and tokenizer.json.")
    dimensions: int = 384


class EmbeddingEndpoint(Part):
    """An address that answers as OpenAI's /embeddings."""

    type: Literal["endpoint"] = "endpoint"
    url: str = Field(description="A base such as https://api.openai.com/v1.")
    model: str
    dimensions: int = 384
    credential: Credential | None = None


Embedding = Annotated[BuiltinEmbedding | OnnxEmbedding | EmbeddingEndpoint, Field(discriminator="type")]


class PolicyLimits(Part):
    """Bounds of one policy's store."""

    entries: int = 100_000
    answer_bytes: int = 262_144


class Policy(Part):
    """One CachePolicy, resolved."""

    name: str
    digest: str = ""
    requires: tuple[str, ...] = ()
    ttl: float
    jitter: float = Field(0.1, description="Each entry's TTL is shortened by a random share up to this.")
    identical: bool = True
    paraphrase: Paraphrase | None = None
    label: bool = Field(False, description="Whether a class is reused on which an ask's neighbours agree.")
    template: bool = Field(False, description="Whether documents of a known layout are read without a model.")
    bound: float | None = Field(
        None, description="Most wrong answers per reused one; None: paraphrases go by similarity and every guard alone."
    )
    shadow: float = Field(0.015, description="Most calls that only check a reused answer, as a share of requests.")
    timely: float | None = Field(
        None,
        description="Longest life of an answer that is true for a moment only (today, latest, price), seconds; "
        "0: such answers are not kept; None: they live as long as others.",
    )
    ignore: tuple[str, ...] = Field((), description="Regular expressions; what they match never changes the answer.")
    stale_while_revalidate: float = 0.0
    partition: Literal["Tenant", "None"] = "Tenant"
    partition_headers: tuple[str, ...] = ()
    tool_calls: bool = Field(False, description="Whether answers that call tools are stored.")
    store: SharedStore | None = Field(None, description="Where entries are kept; None: in the gateway itself.")
    embedding: Embedding = Field(BuiltinEmbedding(), description="What compares wordings.")
    limits: PolicyLimits = PolicyLimits()

    @property
    def width(self) -> int:
        """Dimensions of the vectors in its store."""
        return WIDTH if self.store is None else self.store.dimensions


class Window(Part):
    """A span of time that comes back on some days."""

    days: tuple[Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], ...]
    start: str = Field(description='Time of day: "22:00".')
    end: str = Field(description="The same; not after the start: it is on the next day.")


class DayWindow(Part):
    """A span of time on one date."""

    start: str = Field(description='Time of day: "22:00".')
    end: str = Field(description="The same; not after the start: it is on the next day.")


class ExceptionalDay(Part):
    """A date on which other windows start than on its day of the week."""

    date: str = Field(description="2026-12-25")
    windows: tuple[DayWindow, ...] = ()


class Webhooks(Part):
    """How callers are told that what they handed over has come to its end."""

    signing_key: Credential = Field(description="One key, or while they are rotated several: each signs every webhook.")
    allow: tuple[str, ...] = Field(description="Where webhooks may go: https://*.example.com.")


class BatchWindow(Part):
    """One BatchWindow, resolved."""

    name: str
    time_zone: str = Field("UTC", description="A name of the IANA database.")
    windows: tuple[Window, ...]
    exceptions: tuple[ExceptionalDay, ...] = ()
    routes: tuple[str, ...]
    concurrency: int = 32
    deadline: float = Field(86_400.0, description="How long after it came in a request is to be done, seconds.")
    missed: Literal["RunAnyway", "Fail", "Warn"] = Field(
        "RunAnyway", description="What becomes of a request that no window lets be done in time."
    )
    webhooks: Webhooks | None = Field(None, description="None: nobody is called.")


class Egress(Part):
    """Where the gateway may connect besides public addresses."""

    allow: tuple[str, ...] = Field((), description="CIDR networks.")
    proxy: str | None = Field(None, description="HTTP proxy for every call that leaves the cluster.")
    ca_bundle: bool = Field(False, description="Whether a mounted bundle of certificates is trusted too.")


class Gateway(Part):
    """What holds for all routes."""

    keys_secret: str | None = Field(
        None, description="Secret whose entries are tenants and their API keys; None: no keys."
    )
    log_prompts: bool = False
    egress: Egress = Egress()
    keys_version: str | None = Field(None, description="In a cluster: the version of keys_secret.")
    state: RedisServer | None = Field(None, description="Where totals are shared; None: each gateway's own.")
    body_bytes: int = Field(33_554_432, description="Largest accepted request body.")
    drain: float = Field(30.0, description="How long open requests may go on after a stop, seconds.")


class Config(Part):
    """Everything that a namespace's gateways obey."""

    schema_version: int = Field(SCHEMA, alias="schema")
    digest: str = ""
    namespace: str = "default"
    routes: dict[str, Route] = {}
    policies: dict[str, Policy] = {}
    windows: dict[str, BatchWindow] = Field({}, description="When deferred requests run.")
    gateway: Gateway = Gateway()
    closed: bool = Field(
        False, description="What holds for all routes was never valid: there is no route, and `gateway` means nothing."
    )

    def model_names(self) -> dict[str, str]:
        """Model name -> route name."""
        return {model: route.name for route in self.routes.values() for model in route.models}

    def sealed(self) -> "Config":
        """This Config with every digest filled in: a route's covers its policy, the Config's covers all."""
        policies = {n: p.model_copy(update={"digest": digest(p)}) for n, p in self.policies.items()}
        routes = {
            n: r.model_copy(update={"digest": digest(r, policies[r.policy].digest if r.policy in policies else "")})
            for n, r in self.routes.items()
        }
        sealed = self.model_copy(update={"policies": policies, "routes": routes})
        return sealed.model_copy(update={"digest": digest(sealed)})

    def to_json(self) -> bytes:
        """Canonical JSON: equal Configs give equal bytes."""
        return canonical(self.model_dump(mode="json", by_alias=True))


class Reports(Part):
    """Where gateways tell what they serve."""

    url: str
    ca: str = Field("", description="PEM of the authority that signed the server's certificate.")


class Endpoints(Part):
    """Ready base URLs of managed models, by name; kept out of every digest. A model that is starting has none."""

    models: dict[str, tuple[str, ...]] = {}
    unavailable: dict[str, str] = Field(
        {}, description="Models that get no address without somebody's help, and why: not worth waiting for."
    )
    reports: Reports | None = None


def canonical(value: Mapping[str, Any]) -> bytes:
    """JSON with sorted keys and no space."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def digest(part: Part, salt: str = "") -> str:
    """SHA-256 over `salt` and the canonical JSON of `part` without its own `digest`: "sha256:" and 64 hex digits."""
    body = part.model_dump(mode="json", by_alias=True, exclude={"digest"})
    return "sha256:" + hashlib.sha256(salt.encode() + canonical(body)).hexdigest()
