"""CachePolicy: which answers are reused, for whom, for how long, under which bound of error."""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from sluice_operator.kinds.address import HeaderName, Url
from sluice_operator.kinds.metadata import AGE, READY, REASON, Column, Kind, Status
from sluice_operator.kinds.part import Part, Rule, refused
from sluice_operator.kinds.quantity import Count, Duration, Flag, Percent, PositiveCount, PositiveDuration, Share
from sluice_operator.kinds.references import ModelName, RegexText, SecretKey, ShortText
from sluice_operator.kinds.stores import Embedded, Embedding, Store

Workload = Literal["FreightDocument", "Invoice", "Conversational", "CodeGeneration", "Classification", "Auto", "Custom"]

TTL_SECONDS: dict[str, float] = {
    "FreightDocument": 7 * 86_400.0,
    "Invoice": 3 * 86_400.0,
    "Conversational": 3_600.0,
    "CodeGeneration": 86_400.0,
    "Classification": 30 * 86_400.0,
    "Auto": 3_600.0,
}
"""How long answers live where the policy gives no ttl, seconds. Custom has none."""


STRATEGIES: dict[str, frozenset[str]] = {
    "FreightDocument": frozenset({"template"}),
    "Invoice": frozenset({"template"}),
    "Conversational": frozenset({"paraphrase"}),
    "CodeGeneration": frozenset({"paraphrase"}),
    "Classification": frozenset({"label"}),
    "Auto": frozenset({"paraphrase", "label", "template"}),
    "Custom": frozenset(),
}
"""The strategies beside identical that a workload turns on; each stays closed until evidence opens it."""

MAX_FALSE_PER_HIT = Decimal("0.01")
"""The bound where a policy names none."""


class OnnxVerifier(Part):
    """A model in ONNX of your own."""

    path: Annotated[str, Field(min_length=1, max_length=1024)]
    """A folder with model.onnx and tokenizer.json; config.json names the classes of a model that has several."""


class VerifierEndpoint(Part):
    """An address that scores pairs of texts."""

    url: Url
    """Base address; /score or /rerank is added."""
    api: Literal["Rerank", "Score", "TEI"] = "Rerank"
    """Rerank: /rerank as vLLM and Cohere speak it. Score: /score of vLLM, both orders in one call. TEI: /rerank of Text
    Embeddings Inference. Scores lie within 0 and 1."""
    model: ModelName | None = None
    """The model's name there. Default: none is sent."""
    api_key: SecretKey | None = None
    """Where the key is. Default: none is sent."""


class Verifier(Part):
    """A cross-encoder or NLI model that must agree before a paraphrase is given. Exactly one of onnx and endpoint is
    given."""

    exactly_one: ClassVar = ("onnx", "endpoint")

    onnx: OnnxVerifier | None = None
    """In the gateway."""
    endpoint: VerifierEndpoint | None = None
    """At an address."""
    threshold: Share
    """Least score, "0" to "1". Both orders of the two asks are scored, and the lower score counts."""
    timeout: PositiveDuration | None = None
    """How long a request waits for it; too late is a miss. Default: 50ms for onnx, 200ms for endpoint."""

    @property
    def timeout_seconds(self) -> float:
        """How long a request waits for a verdict, seconds."""
        if self.timeout is not None:
            return self.timeout
        return 0.05 if self.onnx else 0.2


class Paraphrase(Part):
    """Reuse for another wording of the same ask; numbers, names, dates, units, negation and direction must agree."""

    enabled: Flag = True
    """Whether it applies."""
    similarity: Share | None = None
    """Least cosine similarity of the two asks, whatever the evidence says. Default: evidence alone decides."""
    verifier: Verifier | None = None
    """A model that reads both asks and must agree as well. Default: none is asked."""


class Label(Part):
    """Reuse of a class label on which an ask's neighbours agree; for classification."""

    enabled: Flag = True
    """Whether it applies."""


class Template(Part):
    """Extraction by what was learned from earlier documents of the same layout."""

    enabled: Flag = True
    """Whether it applies."""


class Reuse(Part):
    """Which strategies of reuse apply. All but identical start closed and open on evidence, which misses give free."""

    rules: ClassVar = (
        Rule(
            "!has(self.bounded) || self.bounded || !has(self.paraphrase) || has(self.paraphrase.similarity)",
            "bounded: false needs paraphrase.similarity: nothing else is left to decide",
            ".bounded",
        ),
    )

    identical: Flag = True
    """The same request gets the same answer: safe and free."""
    paraphrase: Paraphrase | None = None
    """Another wording of the same ask. Default: by workload."""
    label: Label | None = None
    """Labels of similar asks. Default: by workload."""
    template: Template | None = None
    """Documents of a known layout. Default: by workload."""
    max_false_per_hit: Share = MAX_FALSE_PER_HIT
    """Upper bound of wrong answers among reused ones, held statistically."""
    bounded: Flag = True
    """false: nothing is measured and nothing bounds the error; paraphrases are given at their similarity from the first
    ask on, behind every guard, and labels and templates are not reused."""

    @model_validator(mode="after")
    def _check_bounded(self) -> Self:
        if not self.bounded and self.paraphrase is not None and self.paraphrase.similarity is None:
            message = "bounded: false needs paraphrase.similarity: nothing else is left to decide"
            raise refused("bounded", message, ("bounded",))
        return self


class Shadow(Part):
    """Hits that are asked again in the background, to measure and bound the error."""

    max_percent_of_requests: Percent = Decimal("1.5")
    """Most such calls, in percent of requests."""


TIMELY: dict[str, str] = {"Conversational": "Shorten", "Auto": "Shorten"}
"""What happens to asks of the present moment where the policy does not say; Keep for the other workloads, whose texts
carry dates of their own."""


class TimeSensitive(Part):
    """Asks whose answer is true for a moment only: today, now, the latest, a price, the weather."""

    action: Literal["Shorten", "Bypass", "Keep"] | None = None
    """Shorten: their answers live for `ttl` at most. Bypass: they are not kept. Keep: they are like any other.
    Default: Shorten for Conversational and Auto, else Keep."""
    ttl: PositiveDuration = 60.0
    """Longest life of such an answer."""


class Ignored(Part):
    """Text in a prompt that never changes the answer."""

    regex: RegexText
    """What this regular expression matches is left out of the comparison: "Current time: .*"."""


class Fingerprint(Part):
    """What makes two requests the same."""

    ignore: tuple[Ignored, ...] = Field((), max_length=32)
    """Volatile text that is left out."""


class Partition(Part):
    """Between whom answers are never shared."""

    list_keys: ClassVar = {"headers": None}

    by: Literal["Tenant", "None"] = "Tenant"
    """Tenant: an answer is reused for the tenant that paid for it. None: for every caller of the route; only where no
    prompt holds anything private."""
    headers: tuple[HeaderName, ...] = Field((), max_length=16)
    """Request headers, in lower case, whose values divide answers further: x-department."""


class PolicyLimits(Part):
    """Bounds of the store."""

    entries: PositiveCount = 100_000
    """Most entries; the least recently used go first."""
    answer_bytes: Annotated[int, Field(strict=True, ge=256, le=16_777_216)] = 262_144
    """Largest answer that is kept, in bytes."""


class CachePolicySpec(Part):
    """Which answers are reused, for whom and for how long."""

    rules: ClassVar = (
        Rule(
            "!has(self.workload) || self.workload != 'Custom' || has(self.ttl)", "workload Custom needs a ttl", ".ttl"
        ),
    )

    workload: Workload = "Auto"
    """What is asked. It sets the ttl: FreightDocument 7d, Invoice 3d, Conversational 1h, CodeGeneration 24h,
    Classification 30d, Auto 1h; Custom needs a ttl of your own."""
    ttl: PositiveDuration | None = None
    """How long an answer is reused. Default: by workload."""
    jitter: Share = Decimal("0.1")
    """Each entry's ttl is shortened by a random share up to this, so that entries do not all end at once."""
    reuse: Reuse = Reuse()
    """Strategies of reuse."""
    shadow: Shadow = Shadow()
    """Re-asking of hits."""
    time_sensitive: TimeSensitive = TimeSensitive()
    """Asks of the present moment."""
    fingerprint: Fingerprint = Fingerprint()
    """What makes requests the same."""
    stale_while_revalidate: Duration = 0.0
    """How long after its ttl an answer is still served, while a new one is fetched in the background."""
    partition: Partition = Partition()
    """Between whom answers are never shared."""
    embedding: Embedding = Embedding(builtin="MiniLM")
    """What compares wordings."""
    store: Store = Store(embedded=Embedded())
    """Where entries are kept."""
    tool_calls: Flag = False
    """Whether answers that call tools are kept."""
    limits: PolicyLimits = PolicyLimits()
    """Bounds of the store."""

    @model_validator(mode="after")
    def _check_ttl(self) -> Self:
        if self.workload == "Custom" and self.ttl is None:
            raise refused("ttl", "workload Custom needs a ttl", ("ttl",))
        return self

    def uses(self, strategy: Literal["paraphrase", "label", "template"]) -> bool:
        """Whether a strategy applies: as the policy says, else by workload."""
        said: Paraphrase | Label | Template | None = getattr(self.reuse, strategy)
        if not self.reuse.bounded:
            return strategy == "paraphrase" and self.reuse.paraphrase is not None and self.reuse.paraphrase.enabled
        return strategy in STRATEGIES[self.workload] if said is None else said.enabled

    @property
    def verifier(self) -> Verifier | None:
        """What must agree before a paraphrase is given."""
        return self.reuse.paraphrase.verifier if self.reuse.paraphrase and self.uses("paraphrase") else None

    @property
    def bound(self) -> Decimal | None:
        """Most wrong answers per reused one; None: there is no bound."""
        return self.reuse.max_false_per_hit if self.reuse.bounded else None

    @property
    def timely_seconds(self) -> float | None:
        """Longest life of an answer to an ask of the present moment, seconds; 0: it is not kept; None: as any other."""
        action = self.time_sensitive.action or TIMELY.get(self.workload, "Keep")
        return {"Shorten": self.time_sensitive.ttl, "Bypass": 0.0, "Keep": None}[action]

    @property
    def ttl_seconds(self) -> float:
        """How long an answer is reused, seconds."""
        return TTL_SECONDS[self.workload] if self.ttl is None else self.ttl


class CachePolicyStatus(Status):
    """What gateways report of this policy."""

    routes: tuple[ShortText, ...] = Field((), max_length=1024)
    """Routes that use it."""
    entries: Count | None = None
    """Entries in its store."""
    hit_ratio: ShortText | None = None
    """Share of requests answered: 0.42."""
    measured: ShortText | None = None
    """When the figures were last brought up to date, RFC 3339; every 10 minutes at most."""
    false_per_hit: ShortText | None = None
    """Upper bound of wrong answers among hits, as measured: 0.008."""


class CachePolicy(Kind):
    """Which answers of its routes are reused: by which strategies, for whom, for how long."""

    plural: ClassVar = "cachepolicies"
    short_name: ClassVar = "cp"
    columns: ClassVar = (
        Column("Workload", ".spec.workload"),
        Column("TTL", ".spec.ttl"),
        READY,
        Column("Hits", ".status.hitRatio"),
        Column("Entries", ".status.entries", "integer"),
        REASON,
        AGE,
    )

    kind: Literal["CachePolicy"]
    """CachePolicy"""
    spec: CachePolicySpec = CachePolicySpec()
    """What is wanted."""
    status: CachePolicyStatus | None = None
    """What is true now; written by Sluice."""
