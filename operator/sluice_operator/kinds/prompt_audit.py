"""PromptAudit: which parts of a route's prompts earn their tokens, measured on a schedule."""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from sluice_operator.kinds.metadata import AGE, READY, REASON, Column, Kind, Status
from sluice_operator.kinds.part import Part, Rule, refused
from sluice_operator.kinds.quantity import DecimalText, Share
from sluice_operator.kinds.references import BackendName, Currency, ObjectName, ShortText
from sluice_operator.kinds.schedule import Cron, TimeZone


class Sample(Part):
    """The requests that are looked at."""

    list_keys: ClassVar = {"redact": None}

    requests: Annotated[int, Field(strict=True, ge=1, le=100_000)] = 200
    """How many."""
    redact: tuple[Literal["Email", "Phone", "Card", "Iban", "Address", "Name"], ...] = Field(
        ("Email", "Phone", "Card"), max_length=8
    )
    """What is blacked out before a sample is kept."""


class Ablation(Part):
    """Asks again without one part of the prompt, to see what that part is worth."""

    against: BackendName
    """The route's backend that answers."""
    judge: BackendName
    """The route's backend that compares the two answers."""
    margin: Share = Decimal("0.02")
    """Most quality that a removable part may be worth."""
    confidence: Share = Decimal("0.95")
    """How sure this must be."""
    max_cost: DecimalText | None = None
    """Most money for one audit. Default: no bound."""
    currency: Currency = "USD"
    """Currency of `maxCost`."""


class Target(Part):
    """What the audit aims at."""

    reduction: Share = Decimal("0.25")
    """Share of prompt tokens to save."""


class PromptAuditSpec(Part):
    """Which prompts are audited, when and how."""

    rules: ClassVar = (
        Rule("!has(self.schedule) || !has(self.cron)", "give at most one of schedule and cron", ".cron"),
    )

    route: ObjectName
    """The ModelRoute whose prompts are audited."""
    schedule: Literal["Once", "Daily", "Weekly", "Monthly"] | None = None
    """How often. Default: Monthly."""
    cron: Cron | None = None
    """How often, as a cron schedule, in place of `schedule`: 0 3 1 * *."""
    time_zone: TimeZone = "UTC"
    """Time zone of the schedule."""
    sample: Sample = Sample()
    """Requests that are looked at."""
    ablation: Ablation
    """How parts of a prompt are tried."""
    target: Target = Target()
    """What is aimed at."""

    @model_validator(mode="after")
    def _check_schedule(self) -> Self:
        if self.schedule is not None and self.cron is not None:
            raise refused("schedule", "give at most one of schedule and cron", ("cron",))
        return self


class PromptAuditStatus(Status):
    """What the last audit found."""

    last_run: ShortText | None = None
    """When it ended, RFC 3339."""
    next_run: ShortText | None = None
    """When the next one starts, RFC 3339."""
    reduction: ShortText | None = None
    """Share of prompt tokens that its proposals save: 0.27."""
    report: ShortText | None = None
    """ConfigMap with the report and the proposed rewrites."""


class PromptAudit(Kind):
    """Which parts of a route's prompts earn their tokens: asked again without them, judged, proposed as rewrites."""

    plural: ClassVar = "promptaudits"
    short_name: ClassVar = "pa"
    columns: ClassVar = (
        Column("Route", ".spec.route"),
        READY,
        Column("Reduction", ".status.reduction"),
        Column("Last", ".status.lastRun"),
        REASON,
        AGE,
    )

    kind: Literal["PromptAudit"]
    """PromptAudit"""
    spec: PromptAuditSpec
    """What is wanted."""
    status: PromptAuditStatus | None = None
    """What is true now; written by Sluice."""
