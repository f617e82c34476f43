"""How a route chooses among its backends."""

from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints

from sluice_operator.kinds.address import Url
from sluice_operator.kinds.part import Part, cured
from sluice_operator.kinds.quantity import PositiveDuration, Share
from sluice_operator.kinds.references import BackendName, RegexText, SecretKey

TaskName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9-]*$", max_length=63),
    cured("not a task's name: write letters, digits and -, starting with a letter"),
]
"""The name of a task class."""

Example = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
"""One ask in a user's words."""

BUILTIN_TASKS = ("Classification", "Extraction", "Generation", "Reasoning")
"""Task classes that Sluice knows by examples of its own."""


class Single(Part):
    """Every request to one backend."""

    backend: BackendName
    """The backend."""


class Weight(Part):
    """One backend's share."""

    backend: BackendName
    """The backend."""
    weight: Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
    """Its share of the requests is this number over the sum of all; 0 sends none."""


class Weighted(Part):
    """Requests spread by weight, for a canary or a comparison."""

    list_keys: ClassVar = {"weights": "backend"}

    weights: tuple[Weight, ...] = Field(min_length=1, max_length=32)
    """Each backend's share; one at least is above 0."""


class TaskRule(Part):
    """Which backend serves a class of asks."""

    task: TaskName
    """Extraction, Classification, Reasoning, Generation, or a name of your own, which needs examples."""
    backend: BackendName
    """The backend for asks of this class."""
    examples: tuple[Example, ...] = Field((), max_length=100)
    """Asks of this class in your users' words; they sharpen a built-in class and make one of your own."""


class Task(Part):
    """Requests to the backend that their kind of task names; an embedded classifier reads the ask."""

    list_keys: ClassVar = {"tasks": "task"}

    tasks: tuple[TaskRule, ...] = Field(min_length=1, max_length=32)
    """The classes that are told apart."""
    default: BackendName
    """The backend where no class is clear, or the ask is of a class that is not listed."""
    margin: Share = Decimal("0.1")
    """Least lead of the best class over the second, in cosine similarity, for a class to be clear."""


class Confidence(Part):
    """How sure a model must be of its own answer, read from its token log-probabilities."""

    method: Literal["TokenQuantile"] = "TokenQuantile"
    """TokenQuantile compares a low quantile of the probabilities of the answer's tokens."""
    threshold: Share
    """Least probability at the quantile, "0" to "1"; higher escalates more."""
    quantile: Share = Decimal("0.1")
    """Which quantile: "0.1" says that nine tokens in ten must be at least as probable as the threshold."""
    prefix: Annotated[int, Field(strict=True, ge=1, le=4096)] = 16
    """Tokens after which a streamed answer is shown, when they pass; the rest follows as it comes."""


class HttpCheck(Part):
    """A check of your own: Sluice posts {request, answer}; 2xx with {"accept": true} accepts, all else escalates."""

    url: Url
    """Where to post."""
    timeout: PositiveDuration = 2.0
    """How long to wait for it; too late is not accepted."""
    api_key: SecretKey | None = None
    """Sent as a bearer token. Default: none."""


class Check(Part):
    """One check of the answer. Exactly one of jsonSchema, regex and http is given."""

    exactly_one: ClassVar = ("json_schema", "regex", "http")

    json_schema: dict[str, Any] | None = None
    """The answer is JSON and valid against this schema (Draft 2020-12)."""
    regex: RegexText | None = None
    """The answer's text holds a match of this regular expression."""
    http: HttpCheck | None = None
    """A service of yours decides."""


class Accept(Part):
    """When a stage's answer is good enough: all that are given must hold."""

    at_least_one: ClassVar = ("confidence", "quality", "checks")

    confidence: Confidence | None = None
    """The model's own certainty. Its backends must return log-probabilities."""
    quality: Share | None = None
    """Share of answers that must be as good as the last stage's: the threshold is calibrated for it."""
    checks: tuple[Check, ...] | None = Field(None, min_length=1, max_length=8)
    """Checks of the whole answer; it is held back until they pass."""


class Cascade(Part):
    """Stages from cheap to dear: the first whose answer is accepted is shown, else the last one's."""

    list_keys: ClassVar = {"stages": None}

    stages: tuple[BackendName, ...] = Field(min_length=2, max_length=8)
    """Backends, cheapest first, each once."""
    accept: Accept
    """When an answer is good enough; the last stage's always is."""


class Strategy(Part):
    """How requests are spread. Exactly one of single, weighted, task and cascade is given."""

    exactly_one: ClassVar = ("single", "weighted", "task", "cascade")

    single: Single | None = None
    """One backend."""
    weighted: Weighted | None = None
    """By weight."""
    task: Task | None = None
    """By the kind of task."""
    cascade: Cascade | None = None
    """Cheap first, dear when needed."""
