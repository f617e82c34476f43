"""BatchWindow: when deferred requests run, on what, and until when they must be done."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from sluice_operator.kinds.address import WebhookPattern
from sluice_operator.kinds.metadata import AGE, READY, REASON, Column, Kind, Status, StatusPart
from sluice_operator.kinds.part import Part
from sluice_operator.kinds.quantity import Count, Flag, PositiveCount, PositiveDuration
from sluice_operator.kinds.references import Claim, ModelReference, ObjectName, SecretKey, SecretName, ShortText
from sluice_operator.kinds.schedule import Clock, Date, TimeZone

Day = Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


class Window(Part):
    """A span of time that comes back on some days."""

    list_keys: ClassVar = {"days": None}

    days: tuple[Day, ...] = Field(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), min_length=1, max_length=7)
    """Days on which it starts."""
    start: Clock
    """When it starts, in quotes: "22:00"."""
    end: Clock
    """When it ends, in quotes; an end before the start is on the next day, one equal to it is 24 hours later."""


class DayWindow(Part):
    """A span of time on one date."""

    start: Clock
    """When it starts, in quotes: "22:00"."""
    end: Clock
    """When it ends, in quotes; an end before the start is on the next day, one equal to it is 24 hours later."""


class ExceptionalDay(Part):
    """A date that has windows of its own, or none: a holiday."""

    date: Date
    """The date, in the window's time zone: "2026-12-25"."""
    windows: tuple[DayWindow, ...] = Field((), max_length=8)
    """What starts on it instead of what its day of the week says. Default: nothing."""


class Provider(Part):
    """What of the provider's own is used."""

    batch_api: Flag = Field(False, alias="batchAPI")
    """Whether the provider's own batch interface, at half the price, is used where the backend has one."""


class Capacity(Part):
    """Replicas that are there while the window is open."""

    quantised_model: ModelReference
    """The model."""
    replicas: Annotated[int, Field(strict=True, ge=1, le=1000)]
    """Fewest replicas in the window; other demands may add to it, none lessens it."""


class S3(Part):
    """A bucket."""

    bucket: ShortText
    """Its name."""
    prefix: ShortText | None = None
    """Before every key. Default: none."""
    endpoint: ShortText | None = None
    """Address of a server other than AWS. Default: AWS."""
    region: ShortText | None = None
    """Region. Default: the environment's."""
    credentials: SecretName | None = None
    """Secret with accessKeyId and secretAccessKey. Default: the pod's identity."""


class Files(Part):
    """Where batch files are kept. Exactly one of pvc and s3 is given."""

    exactly_one: ClassVar = ("pvc", "s3")

    pvc: Claim | None = None
    """A volume."""
    s3: S3 | None = None
    """A bucket."""


class Webhooks(Part):
    """How callers are told that what they handed over has come to its end."""

    signing_key: SecretKey
    """Key with which each call is signed: whsec_ and the base64 of 24 to 64 random bytes. While keys are rotated the
    value holds several with spaces between, and each of them signs."""
    allow: tuple[WebhookPattern, ...] = Field(min_length=1, max_length=64)
    """Where calls may go: https://*.example.com."""


class BatchWindowSpec(Part):
    """When and on what deferred requests run."""

    at_least_one: ClassVar = ("windows", "always", "exceptions")
    list_keys: ClassVar = {"routes": None, "exceptions": "date"}

    time_zone: TimeZone = "UTC"
    """Time zone of the windows, by its IANA name; daylight saving is followed."""
    windows: tuple[Window, ...] | None = Field(None, min_length=1, max_length=32)
    """When batches run."""
    always: Flag | None = None
    """Whether batches run at all times, but for what `exceptions` say. Default: in windows alone."""
    exceptions: tuple[ExceptionalDay, ...] | None = Field(None, min_length=1, max_length=366)
    """Dates on which other windows start than on their day of the week, or none: holidays."""
    routes: tuple[ObjectName, ...] = Field(min_length=1, max_length=64)
    """ModelRoutes whose deferred requests run here."""
    provider: Provider = Provider()
    """The provider's own batch interface."""
    deadline: PositiveDuration = 86_400.0
    """How long after it came in a request is done. The latest safe start is computed from measured throughput; where a
    window comes too late, `deadlinePolicy` says what becomes of the request."""
    deadline_policy: Literal["RunAnyway", "Fail", "Warn"] = "RunAnyway"
    """What becomes of a request that no window lets be done in time. RunAnyway: it runs outside of one, and says so.
    Fail: it is refused. Warn: it waits for the window, is late, and says so."""
    concurrency: PositiveCount = 32
    """Requests at one time."""
    capacity: Capacity | None = None
    """Replicas that are there in the window. Default: those that serve anyway."""
    files: Files | None = None
    """Where files are kept; needed in a cluster. Default: on one machine its data folder."""
    webhooks: Webhooks | None = None
    """Webhooks. Default: none."""


class HeldCapacity(StatusPart):
    """What the window does to the model of its `capacity`."""

    model: ShortText
    """The QuantisedModel."""
    replicas: Count = 0
    """Fewest replicas that the window asks for now; 0: it has handed back."""
    since: ShortText | None = None
    """Since when it asks for them, RFC 3339."""
    reached: ShortText | None = None
    """When as many were ready, RFC 3339."""
    startup_seconds: Count | None = None
    """How long that took when it was last measured. So long before an opening, and a quarter more, it asks for them."""


class BatchWindowStatus(Status):
    """What the window does. Figures change every ten minutes at most, and when it opens or closes."""

    open: bool | None = None
    """Whether batches run now."""
    changed: ShortText | None = None
    """When it last opened or closed, RFC 3339."""
    next_opening: ShortText | None = None
    """When it opens next, RFC 3339."""
    next_closing: ShortText | None = None
    """When it closes next, RFC 3339."""
    queued: Count | None = None
    """Requests that wait."""
    running: Count | None = None
    """Requests that run."""
    done: Count | None = None
    """Requests that were answered, since the gateways of now started."""
    failed: Count | None = None
    """Requests whose result is an error, since the gateways of now started."""
    missed: Count | None = None
    """Requests that were not done by their deadline, since the gateways of now started."""
    oldest: ShortText | None = None
    """When the request came in that waits longest, RFC 3339."""
    saved: ShortText | None = None
    """What was saved against the price of real time, since the gateways of now started: 0.42 USD."""
    measured: ShortText | None = None
    """When these figures were taken, RFC 3339."""
    capacity: HeldCapacity | None = None
    """What becomes of `spec.capacity`."""


class BatchWindow(Kind):
    """When deferred requests run: off-peak, on spare capacity or by the provider's own batch, within a deadline."""

    plural: ClassVar = "batchwindows"
    short_name: ClassVar = "bw"
    columns: ClassVar = (
        READY,
        Column("Open", ".status.open", "boolean"),
        Column("Opens", ".status.nextOpening"),
        Column("Closes", ".status.nextClosing"),
        Column("Queued", ".status.queued", "integer"),
        Column("Running", ".status.running", "integer"),
        Column("Done", ".status.done", "integer"),
        Column("Failed", ".status.failed", "integer"),
        Column("Missed", ".status.missed", "integer", wide=True),
        Column("Oldest", ".status.oldest", "date", wide=True),
        Column("Saved", ".status.saved"),
        REASON,
        AGE,
    )

    kind: Literal["BatchWindow"]
    """BatchWindow"""
    spec: BatchWindowSpec
    """What is wanted."""
    status: BatchWindowStatus | None = None
    """What is true now; written by Sluice."""
