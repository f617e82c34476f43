"""Conditions as Kubernetes reads them: Ready, and, only while they hold, Reconciling and Stalled (kstatus). Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sluice_operator.problem import Problem

MESSAGE = 4000
"""Most characters of a condition's message; the CRD takes 4096."""
SHOWN = 3
"""Problems that a message tells in full."""

State = Literal["True", "False", "Unknown"]
Conditions = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is true of an object."""

    ready: State
    reason: str
    """One CamelCase word."""
    message: str
    """Cause and cure."""
    reconciling: bool = False
    """Whether it gets better by itself."""
    stalled: bool = False
    """Whether it needs somebody's help."""
    more: tuple[tuple[str, str, str], ...] = ()
    """Further conditions that are true: type, reason, message."""


def conditions(verdict: Verdict, before: object, generation: int | None, now: float) -> Conditions:
    """The conditions of a status; `before` are those that stand there. `now` is unix seconds.

    `lastTransitionTime` moves only when a condition's status changes.
    """
    known = {entry.get("type"): entry for entry in _listed(before)}
    wanted: list[tuple[str, State, str, str]] = [("Ready", verdict.ready, verdict.reason, verdict.message)]
    if verdict.reconciling:
        wanted.append(("Reconciling", "True", verdict.reason, verdict.message))
    if verdict.stalled:
        wanted.append(("Stalled", "True", verdict.reason, verdict.message))
    wanted += [(kind, "True", reason, message) for kind, reason, message in verdict.more]
    found = []
    for kind, state, reason, message in wanted:
        old = known.get(kind, {})
        kept = old.get("lastTransitionTime") if old.get("status") == state else None
        found.append(
            {
                "type": kind,
                "status": state,
                "reason": reason,
                "message": message[:MESSAGE],
                **({} if generation is None else {"observedGeneration": generation}),
                "lastTransitionTime": kept or timestamp(now),
            }
        )
    return found


def condition(status: object, kind: str) -> Mapping[str, Any] | None:
    """One condition of a status; None: it is not there."""
    listed = _listed(status.get("conditions")) if isinstance(status, Mapping) else []
    return next((entry for entry in listed if entry.get("type") == kind), None)


def stalled(problems: Sequence[Problem], consequence: str = "") -> Verdict:
    """What an object's errors say. `consequence` tells what holds meanwhile."""
    text = told(problems) + (f"; {consequence}" if consequence else "")
    return Verdict("False", problems[0].reason, text, stalled=True)


def told(problems: Sequence[Problem]) -> str:
    """Problems in one line: field, cause, cure."""
    lines = []
    for problem in problems[:SHOWN]:
        near = f"; did you mean {problem.nearest}?" if problem.nearest else ""
        lines.append((f"{problem.field}: " if problem.field else "") + problem.message + near)
    if len(problems) > SHOWN:
        lines.append(f"and {len(problems) - SHOWN} more")
    return "; ".join(lines)


def timestamp(now: float) -> str:
    """RFC 3339, in whole seconds."""
    return datetime.fromtimestamp(int(now), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text: object) -> float | None:
    """Unix seconds of an RFC 3339 time; None where it is none."""
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return None


def _listed(value: object) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list | tuple) else []
