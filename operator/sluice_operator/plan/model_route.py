"""The status of a ModelRoute: which gateways serve its digest, and what it saved. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sluice_operator.conditions import Verdict, condition, conditions, stalled, timestamp
from sluice_operator.plan.plan import Manifest
from sluice_operator.plan.view import GRACE, View, Waking, notes, slowly

SHOWN = 3
"""Pods that a message names, and models that a line names."""
LINE = 253
"""Characters of a status's line."""


@dataclass(frozen=True, slots=True)
class Serving:
    """Which running gateways serve one digest of a route."""

    serving: int
    total: int
    unknown: int
    shared: int
    """Shared gateways among all."""
    shared_unknown: int
    behind: tuple[str, ...] = ()
    """Pods that serve another one, or none."""
    refused: tuple[str, ...] = ()
    """Why gateways refuse it, each reason with its pod."""

    @property
    def complete(self) -> bool:
        """Whether the route is served as it is written: by all that are known, and by every shared one."""
        return self.shared > 0 and not self.behind and not self.shared_unknown

    def __str__(self) -> str:
        return f"{self.serving}/{self.total}" + (f", {self.unknown} unknown" if self.unknown else "")


def serving_of(view: View, name: str, digest: str) -> Serving:
    """The applied-config proof of one route."""
    serving = unknown = shared = shared_unknown = 0
    behind, refused = [], []
    for pod in view.running:
        shared += pod.role == "shared"
        report = view.fresh(pod)
        if report is None:
            unknown += 1
            shared_unknown += pod.role == "shared"
        elif report.routes.get(name) == digest:
            serving += 1
        else:
            behind.append(pod.name)
            why = report.refused.get(name) or report.problem
            if why:
                refused.append(f"{pod.name}: {why}")
    return Serving(serving, len(view.running), unknown, shared, shared_unknown, tuple(behind), tuple(refused))


def route_status(route: Manifest, view: View) -> Waking:
    """The whole status."""
    name, generation = route["metadata"]["name"], route["metadata"].get("generation")
    before = route.get("status") or {}
    section = view.compiled.config.routes.get(name)
    errors = view.errors("ModelRoute", name)
    figures, wake = _savings(name, before.get("savings"), view)
    found = serving_of(view, name, section.digest) if section else None
    text = str(found) if found else None
    if errors or section is None or found is None:
        verdict = _broken(view, name, published=section is not None)
    elif _awaits_reports(before, section.digest, generation, found, view):
        old = condition(before, "Ready") or {}
        verdict = Verdict(
            old["status"], old["reason"], old["message"], reconciling=condition(before, "Reconciling") is not None
        )
        text, wake = before.get("serving"), _sooner(wake, GRACE - view.seen.listening + 0.1)
    else:
        verdict = _verdict(found, view, name)
    status: dict[str, Any] = {
        **({} if generation is None else {"observedGeneration": generation}),
        "conditions": conditions(verdict, before.get("conditions"), generation, view.now),
    }
    if section is not None:
        status |= {"digest": section.digest, "models": list(section.models), "modelNames": _in_line(section.models)}
        if text:
            status["serving"] = text
    if figures:
        status["savings"] = figures
    return status, wake


def _broken(view: View, name: str, *, published: bool) -> Verdict:
    errors = view.errors("ModelRoute", name)
    if errors:
        was = "what was published before is still served" if published else "it is not served"
        return stalled(errors, was)
    errors = view.errors("SluiceGateway", "default")
    reason = errors[0].reason if errors else "GatewayInvalid"
    message = "SluiceGateway default is refused for its own problems, so no route is served; mend it first"
    return Verdict("False", reason, message, stalled=True)


def _awaits_reports(before: Mapping[str, Any], digest: str, generation: int | None, found: Serving, view: View) -> bool:
    """Whether this replica leads too shortly to know better than what stands in the status."""
    return (
        view.seen.listening < GRACE
        and found.unknown > 0
        and not found.behind
        and found.total > 0
        and before.get("digest") == digest
        and before.get("observedGeneration") == generation
        and condition(before, "Ready") is not None
        and condition(before, "Stalled") is None
    )


def _verdict(found: Serving, view: View, name: str) -> Verdict:
    if found.refused:
        message = "refused by " + "; ".join(found.refused[:SHOWN]) + _more(len(found.refused))
        return Verdict("False", "Refused", message, reconciling=True)
    if not found.shared:
        message = "no gateway runs yet: see Deployment sluice-gateway and its pods"
        return Verdict("False", "GatewayStarting", message, reconciling=True)
    if found.behind:
        message = f"served by {found}; still to come: " + ", ".join(found.behind[:SHOWN]) + _more(len(found.behind))
        return Verdict("False", "RollingOut", message, reconciling=True)
    if found.shared_unknown:
        message = (
            f"served by {found}; the shared gateway has not said what it serves: its log tells whether it reaches "
            "the operator"
        )
        return Verdict("False", "GatewayUnknown", message, reconciling=True)
    told = "; ".join([f"served by {found} gateways", *notes(view.warnings("ModelRoute", name))])
    return Verdict("True", "Serving", told)


def _in_line(models: Sequence[str]) -> str:
    """auto, gpt-4, claude and 2 more; never longer than the status takes."""
    text = ", ".join(models[:SHOWN]) + _more(len(models))
    return text if len(text) <= LINE else f"{models[0]}{_more(len(models) + SHOWN - 1)}"


def _more(count: int) -> str:
    return f" and {count - SHOWN} more" if count > SHOWN else ""


def _savings(name: str, before: object, view: View) -> Waking:
    """Sums over the gateways that are there, no newer than the last write allows."""
    counted = [(report, report.savings[name]) for report in view.reports.values() if name in report.savings]
    requests = sum(saved.requests for _, saved in counted)
    figures: dict[str, Any] = {}
    if requests:
        money = sum((saved.money for _, saved in counted), Decimal(0))
        started = min(report.started or report.received for report, _ in counted)
        figures = {
            "money": f"{money_text(money)} {counted[0][1].currency}",
            "tokens": sum(saved.tokens for _, saved in counted),
            "hitRatio": ratio(sum(saved.reused for _, saved in counted), requests),
            "since": timestamp(started),
        }
    return slowly(before, figures, ("money", "tokens", "hitRatio", "since", "until"), view)


def money_text(amount: Decimal) -> str:
    """Two digits after the point, or as many as show that it is not nothing, six at most."""
    digits = next((d for d in range(2, 7) if round(amount, d) or not amount), 6)
    return f"{amount:.{digits}f}"


def ratio(part: int, whole: int) -> str:
    """A share with two digits: 0.42."""
    return f"{part / whole:.2f}"


def _sooner(one: float | None, other: float | None) -> float | None:
    return min((t for t in (one, other) if t is not None), default=None)
