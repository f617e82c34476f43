"""Audits of the suite by an oracle that knows what every request needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from bench.prompts.part import Written
from bench.prompts.suite import Stage, stage
from sluice_sidecar.audit.audit import Terms, audit
from sluice_sidecar.audit.checkpoint import Forgetful
from sluice_sidecar.audit.model import Answer, Sample
from sluice_sidecar.audit.report import Report


@dataclass(frozen=True)
class Played:
    """One audit. Shares are of the prompt's tokens."""

    prompt: str
    seed: int
    reduction: float
    possible: float
    """What all dead sections, and one of each pair of twins, make."""
    loss: float
    """The true share of requests that the shorter prompt answers worse."""
    needed_dropped: int
    twins_dropped: int
    calls: float
    """Calls, of what every section on every sample would have taken."""
    partial: str | None


class Oracle:
    """Answers well where the prompt has what a request needs. With `noise` it errs in that share of asks."""

    def __init__(self, given: Stage, noise: float, seed: int) -> None:
        self._texts = {one.id: given.prompt.part(one).strip() for one in given.prompt.sections}
        self._needs, self._noise = given.needs, noise
        self._random = Random(seed)

    async def __call__(self, prompt: str, sample: Sample) -> Answer:
        """Raises nothing."""
        good = all(any(self._texts[one] in prompt for one in any_of) for any_of in self._needs[sample.id])
        if self._noise and self._random.random() < self._noise:
            good = not good
        return Answer("good" if good else "bad", tokens(prompt))


class Equal:
    """Worse is what differs."""

    name = "equal"

    async def __call__(self, sample: Sample, before: Answer, after: Answer) -> float | None:
        """1 where the answers differ and the first was good; -1 where the second is."""
        return float(before.text == "good") - float(after.text == "good")


def tokens(text: str) -> int:
    """Characters by four: the suite compares lengths with each other only."""
    return -(-len(text) // 4)


async def play(written: Written, samples: int, seed: int, noise: float) -> Played:
    """One audit of a prompt of the suite."""
    given = stage(written, samples, seed)
    terms = Terms(seed=seed)
    report = await audit(
        given.prompt, given.samples, Oracle(given, noise, seed), Equal(), terms, Forgetful(), count=tokens
    )
    return _told(given, report, seed)


def _told(given: Stage, report: Report, seed: int) -> Played:
    gone = set(report.dropped)
    return Played(
        prompt=given.written.name,
        seed=seed,
        reduction=report.reduction,
        possible=_possible(given, report),
        loss=given.loss(gone),
        needed_dropped=len(gone & given.needed()),
        twins_dropped=sum(pair <= gone for pair in given.twins()),
        calls=report.calls / report.plain,
        partial=report.partial,
    )


def _possible(given: Stage, report: Report) -> float:
    size = {one.id: one.tokens for one in report.findings}
    dead = sum(size[one] for one in given.dead())
    return (dead + sum(max(size[one] for one in pair) for pair in given.twins())) / report.tokens_before


def pooled(played: Sequence[Played]) -> dict[str, float]:
    """Means over audits, and the share in which something needed was dropped."""
    count = len(played)
    return {
        "reduction": sum(one.reduction for one in played) / count,
        "possible": sum(one.possible for one in played) / count,
        "loss": sum(one.loss for one in played) / count,
        "needed dropped": sum(one.needed_dropped > 0 for one in played) / count,
        "twins dropped": sum(one.twins_dropped > 0 for one in played) / count,
        "lost the margin": sum(one.loss >= 0.02 for one in played) / count,
        "calls": sum(one.calls for one in played) / count,
    }
