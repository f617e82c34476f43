"""What to set: chosen on the first part of the data, judged on the part that was held out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sluice_cli.tune.curves import Counts, Rows, from_score, proposals, served
from sluice_cli.tune.interval import at_least, at_most, needed
from sluice_sidecar.cache.entry import How
from sluice_sidecar.cache.risk.evidence import THRESHOLDS

FEW = 30
"""Labels from which on a share of them says something."""

SIMILARITIES = tuple(round(0.50 + 0.05 * step, 2) for step in range(10))
"""Least similarities that are tried where scores alone do not keep the bound."""

Verdict = Literal["shown", "not shown", "refuted", "unused"]


@dataclass(frozen=True, slots=True)
class Choice:
    """What the first part says of a strategy."""

    how: How
    on: bool
    threshold: float
    """The score from which on it would be given once its evidence is in; above 1 where no score is good enough."""
    similarity: float | None = None
    """Least similarity besides; None: none is needed."""
    why_off: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A choice, and what came of it on the part that was held out.

    `expected` are the hits at the choice's threshold once the strategy is open, with a label for each; `replayed` those
    that the replay under the bound gave, where it was closed until its own evidence opened it.
    """

    choice: Choice
    verdict: Verdict
    reason: str
    expected: Counts
    replayed: Counts

    @property
    def on(self) -> bool:
        """Whether the policy should turn it on. One that is not shown may be: the gateway's own evidence guards it."""
        return self.verdict != "refuted"


def choose(fit: Rows, how: How, bound: float) -> Choice:
    """A strategy's setting by the asks that are not held out, all of them missed."""
    found = proposals(fit, how)
    if not found:
        return Choice(how, True, 2.0)
    good = _lowest(fit, how, bound, 0.0)
    if good is not None:
        return Choice(how, True, good)
    if how == "paraphrase":
        for similarity in SIMILARITIES:
            good = _lowest(fit, how, bound, similarity)
            if good is not None:
                return Choice(how, True, good, similarity)
    sums = [counts for at in THRESHOLDS if (counts := from_score(fit, how, at)).judged >= FEW]
    if sums and all(at_least(one.wrong, one.judged) > bound for one in sums):
        best = min(sums, key=lambda one: one.wrong / one.judged)
        why = f"{best.wrong:.0f} of its {best.judged:.0f} surest proposals in the first part of the data are wrong"
        return Choice(how, False, 2.0, why_off=why)
    return Choice(how, True, 2.0)


def _lowest(fit: Rows, how: How, bound: float, similarity: float) -> float | None:
    """The lowest threshold at which, as at all stricter ones with labels enough, the error seen is within the bound."""
    lowest = None
    for at in reversed(THRESHOLDS):
        counts = from_score(fit, how, at, similarity)
        if counts.judged < FEW:
            continue
        if counts.wrong > bound * counts.judged:
            break
        lowest = at
    return lowest


def judge(choice: Choice, missed: Rows, given: Rows, bound: float) -> Finding:
    """A choice by the held-out part: of the replay in which all missed, and of the one under the bound."""
    how = choice.how
    expected = from_score(missed, how, choice.threshold, choice.similarity or 0.0)
    replayed = served(given, how)
    if not choice.on:
        return Finding(choice, "refuted", choice.why_off, expected, replayed)
    if not proposals(missed, how):
        return Finding(choice, "unused", "it found nothing to propose in this data", expected, replayed)
    if choice.threshold > 1.0:
        reason = f"no score of at least {FEW} proposals kept {_share(bound)} in the first part of the data"
        return Finding(choice, "not shown", reason, expected, replayed)
    verdict, reason = _verdict(expected, bound)
    if verdict != "refuted" and replayed.judged and at_least(replayed.wrong, replayed.judged) > bound:
        verdict, reason = _verdict(replayed, bound)
    return Finding(choice, verdict, reason, expected, replayed)


def _share(bound: float) -> str:
    return f"{100 * bound:g} %"


def _verdict(counts: Counts, bound: float) -> tuple[Verdict, str]:
    judged, wrong, most = counts.judged, counts.wrong, _share(bound)
    labels = f"{judged:,.0f} held-out labels"
    if judged and at_least(wrong, judged) > bound:
        return "refuted", f"{wrong:,.1f} of {labels} are wrong, more than {most}"
    if judged and at_most(wrong, judged) <= bound:
        return "shown", f"{wrong:,.1f} of {labels} are wrong: at most {most}, with 95 % confidence"
    if judged < needed(bound):
        return "not shown", (
            f"too little data: with {labels} an error of at most {most} cannot be shown even with none wrong; "
            f"about {needed(bound):,} are needed"
        )
    return "not shown", f"{wrong:,.1f} of {labels} are wrong: too few labels to tell an error of {most} from more"


def patch(findings: Sequence[Finding], bound: float) -> dict[str, Any]:
    """The merge patch (RFC 7396) of a CachePolicy that sets what was found; null takes a field away."""
    reuse: dict[str, Any] = {"bounded": True, "maxFalsePerHit": f"{bound:g}"}
    for finding in findings:
        choice, on = finding.choice, finding.on
        part: dict[str, Any] = {"enabled": on}
        if choice.how == "paraphrase":
            part["similarity"] = f"{choice.similarity:g}" if on and choice.similarity is not None else None
        reuse[choice.how] = part
    return {"spec": {"reuse": reuse}}


def as_data(finding: Finding) -> Mapping[str, Any]:
    """JSON-ready."""
    choice = finding.choice
    return {
        "strategy": choice.how, "on": finding.on, "verdict": finding.verdict, "reason": finding.reason,
        "threshold": choice.threshold if choice.threshold <= 1.0 else None, "similarity": choice.similarity,
        "expected": finding.expected.as_data(), "replayed": finding.replayed.as_data(),
    }  # fmt: skip
