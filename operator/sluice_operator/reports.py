"""What gateways say that they serve: reading a report strictly, and keeping the latest of each pod."""

import time
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from sluice_operator.plan.seen import PolicyReport, Report, RouteSavings, WindowReport
from sluice_operator.token_identity import TokenIdentity

BODY_BYTES = 1_048_576
"""Most bytes of a report."""
INTERVAL = 30
"""Seconds in which a gateway reports again."""
LIFE = 90.0
"""Seconds after which a report is dropped when no other follows: three intervals."""
PODS = 5_000
"""Most pods of a namespace that are remembered; the ones that said something longest ago go first."""
SETTLING = 10.0
"""Seconds for which a pod may report before the watch of pods shows it."""

_ENTRIES = 5_000
_TEXT = 1_024
_Name = Annotated[str, StringConstraints(min_length=1, max_length=253)]
_Digest = Annotated[str, StringConstraints(max_length=128)]
_Count = Annotated[int, Field(ge=0, le=2**63 - 1)]


class InvalidReport(Exception):  # noqa: N818  (it says what the report is)
    """A body that is no report: which field, and what it should be. Nothing of the body is quoted."""


class _Part(BaseModel):
    # A gateway that is newer than this operator may say more.
    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


# An answer from a dearer backend than the reference saves less than nothing.
_Money = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,15}(\.[0-9]{1,15})?$")]
_Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
_Seconds = Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False)]


class _Savings(_Part):
    requests: _Count = 0
    reused: _Count = 0
    money: _Money = "0"
    currency: _Currency = "USD"
    tokens: _Count = 0


class _Policy(_Part):
    entries: _Count | None = None
    requests: _Count = 0
    reused: _Count = 0
    store: str = ""
    bound: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None


class _Window(_Part):
    """queued, running and oldest (unix seconds, null where none waits) are the shared queue's; done, failed, missed and
    saved are what the gateway counted since it started."""

    queued: _Count = 0
    running: _Count = 0
    done: _Count = 0
    failed: _Count = 0
    oldest: _Seconds | None = None
    missed: _Count = 0
    saved: _Money = "0"
    currency: _Currency = "USD"


class _Body(_Part):
    version: Annotated[str, StringConstraints(max_length=64)] = ""
    schemas: Annotated[list[Annotated[int, Field(ge=1, le=1_000)]], Field(min_length=1, max_length=16)] = [1]
    digest: _Digest = ""
    routes: Annotated[dict[_Name, _Digest], Field(max_length=_ENTRIES)] = {}
    refused: Annotated[dict[_Name, str], Field(max_length=_ENTRIES)] = {}
    problem: str = ""
    savings: Annotated[dict[_Name, _Savings], Field(max_length=_ENTRIES)] = {}
    policies: Annotated[dict[_Name, _Policy], Field(max_length=_ENTRIES)] = {}
    windows: Annotated[dict[_Name, _Window], Field(max_length=_ENTRIES)] = {}
    started: _Seconds = 0.0


def parse(body: bytes, identity: TokenIdentity, received: float) -> Report:
    """The report in a JSON body, of the pod that `identity` names; `received` in unix seconds.

    Whoever the body says that it is from is ignored, as is each field that is not known. Long texts are cut.
    Raises InvalidReport.
    """
    if len(body) > BODY_BYTES:
        raise InvalidReport(f"a report has at most {BODY_BYTES} bytes")
    try:
        said = _Body.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part)[:64] for part in first["loc"])
        what = "not valid JSON" if first["type"] == "json_invalid" else first["msg"]
        raise InvalidReport(f"{where}: {what}" if where else what) from None
    return Report(
        namespace=identity.namespace,
        pod=identity.pod,
        pod_uid=identity.pod_uid,
        received=received,
        version=said.version,
        schemas=tuple(said.schemas),
        digest=said.digest,
        routes=said.routes,
        refused={name: _cut(why) for name, why in said.refused.items()},
        problem=_cut(said.problem),
        savings={
            name: RouteSavings(s.requests, s.reused, Decimal(s.money), s.currency, s.tokens)
            for name, s in said.savings.items()
        },
        policies={
            name: PolicyReport(p.entries, p.requests, p.reused, _cut(p.store), p.bound)
            for name, p in said.policies.items()
        },
        windows={
            name: WindowReport(w.queued, w.running, w.done, w.failed, w.oldest, w.missed, Decimal(w.saved), w.currency)
            for name, w in said.windows.items()
        },
        started=said.started,
    )


class Reports:
    """The latest report of each pod. Collects nothing until `listen`: what a replica heard before it led is not all."""

    def __init__(self, on_change: Callable[[str], None], clock: Callable[[], float] = time.time) -> None:
        """`on_change` hears of a namespace in which a pod serves something else; `clock` gives unix seconds."""
        self._on_change = on_change
        self._clock = clock
        self._since: float | None = None
        # Within a namespace the one that reported longest ago comes first.
        self._reports: dict[str, dict[str, Report]] = {}

    @property
    def open(self) -> bool:
        """Whether reports are collected."""
        return self._since is not None

    def listen(self) -> None:
        """Begins to collect: this replica leads now. A second call changes nothing."""
        if self._since is None:
            self._since = self._clock()

    def listening(self, now: float) -> float:
        """Seconds for which reports have been collected; 0 before `listen`."""
        return 0.0 if self._since is None else max(0.0, now - self._since)

    def accept(self, report: Report) -> None:
        """Keeps a report, received now, as the latest of its pod."""
        self._drop_old(report.namespace)
        kept = self._reports.setdefault(report.namespace, {})
        before = kept.pop(report.pod_uid, None)
        kept[report.pod_uid] = report
        while len(kept) > PODS:
            del kept[next(iter(kept))]
        if before is None or _served(before) != _served(report):
            self._on_change(report.namespace)

    def of(self, namespace: str) -> tuple[Report, ...]:
        """The latest reports of a namespace's pods, none older than LIFE."""
        self._drop_old(namespace)
        return tuple(self._reports.get(namespace, {}).values())

    def forget(self, living: Collection[str]) -> None:
        """Drops what pods said whose uid is not among `living`, and whatever is too old."""
        settled = self._clock() - SETTLING
        for namespace in list(self._reports):
            self._drop_old(namespace)
            kept = self._reports.get(namespace, {})
            left = {uid: report for uid, report in kept.items() if uid in living or report.received > settled}
            if left:
                self._reports[namespace] = left
            else:
                self._reports.pop(namespace, None)

    def _drop_old(self, namespace: str) -> None:
        kept = self._reports.get(namespace)
        oldest = self._clock() - LIFE
        while kept and next(iter(kept.values())).received <= oldest:
            del kept[next(iter(kept))]
        if not kept:
            self._reports.pop(namespace, None)


def _served(report: Report) -> tuple[Any, ...]:
    """What a status says at once; figures are only read along."""
    stores: Mapping[str, str] = {name: policy.store for name, policy in report.policies.items()}
    return report.version, report.schemas, report.digest, report.routes, report.refused, report.problem, stores


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT else text[: _TEXT - 3] + "..."
