"""Chooses what an audit tries to take out, with few calls, on samples that the proof never sees.

1. Each candidate alone, on the samples that it is most relevant to and a few at random: what loses there is needed.
2. All that is left together: for a sample that loses, halves are put back until the ones that it needs are found, as in
   delta debugging (Zeller and Hildebrandt, Simplifying and isolating failure-inducing input, IEEE TSE 2002). Of two
   sections that say the same, this keeps one.

What it wrongly keeps costs tokens; what it wrongly lets go, the proof refuses. So it needs no error rate of its own.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from random import Random

from sluice_sidecar.audit.asking import Asking
from sluice_sidecar.audit.candidates import Candidate, without
from sluice_sidecar.audit.model import Prompt, Sample
from sluice_sidecar.audit.relevance import Relevance

PROBES = 5
"""Most relevant samples on which a candidate is tried alone."""
ANY = 3
"""Samples at random beside them."""
LOSS = 0.34
"""Loss of one sample, 0..1, from which on it is looked into."""
TOGETHER = 3
"""Most relevant samples a candidate that come first in the trial of all together."""


@dataclass(slots=True)
class Screened:
    """What may go, dearest first, and what was learned of each candidate alone."""

    going: list[Candidate]
    needed: dict[str, str]
    """Id of what has to stay -> why."""
    alone: dict[str, list[float]] = field(default_factory=dict)
    """Id -> losses of the samples that were asked without it alone."""


class Screening:
    """One prompt's candidates on the samples that are there for choosing."""

    def __init__(
        self, prompt: Prompt, found: Sequence[Candidate], samples: Sequence[Sample], scores: Relevance, asking: Asking,
        seed: int,
    ) -> None:  # fmt: skip
        """`scores` has the prompt's sections as rows and exactly `samples` as columns."""
        self._prompt, self._found, self._samples, self._scores, self._asking = prompt, found, samples, scores, asking
        self._random = Random(seed)  # noqa: S311  (a draw that can be repeated)
        self._row = {section.id: n for n, section in enumerate(prompt.sections)}
        self._result = Screened([], {})

    async def run(self) -> Screened:
        """Raises Exhausted; what was learned until then stands in `partly`."""
        for one in self._found:
            await self._alone(one)
        self._result.going = [one for one in self._found if one.id not in self._result.needed]
        await self._all_together()
        return self._result

    @property
    def partly(self) -> Screened:
        """What is known so far."""
        return self._result

    async def _alone(self, one: Candidate) -> None:
        losses = self._result.alone.setdefault(one.id, [])
        for sample in self._probes(one):
            loss = (await self._lost([one], [sample]))[0]
            if loss is None:
                continue
            losses.append(loss)
            if loss >= LOSS and await self._certain([one], sample):
                self._result.needed[one.id] = f"without it the answer to sample {sample.id} got worse"
                return

    def _probes(self, one: Candidate) -> list[Sample]:
        ranked = self._ranked(one)
        others = [sample for sample in self._samples if sample not in ranked[:PROBES]]
        return ranked[:PROBES] + self._random.sample(others, min(ANY, len(others)))

    def _ranked(self, one: Candidate) -> list[Sample]:
        """The samples that it is most relevant to, best first; none for a compression."""
        row = self._row.get(one.id)
        if row is None:
            return []
        scores = self._scores.scores[row]
        order = sorted(range(len(self._samples)), key=lambda n: (-scores[n], self._samples[n].id))
        return [self._samples[n] for n in order if scores[n] > 0]

    async def _certain(self, gone: Sequence[Candidate], sample: Sample) -> bool:
        """Whether the loss is of what is gone, and no mood of the model: it comes back, and not by itself."""
        full, text = self._prompt.text, without(self._prompt, gone)
        back = (await self._asking.losses(f"{variant(gone)} again", text, full, [sample]))[0]
        alone = (await self._asking.losses("again", full, full, [sample]))[0]
        return back is not None and back >= LOSS and (alone is None or alone < LOSS)

    async def _all_together(self) -> None:
        """Takes out of what goes whatever a sample cannot do without."""
        relevant = {sample.id: sample for one in self._result.going for sample in self._ranked(one)[:TOGETHER]}
        for sample in ({**relevant, **{sample.id: sample for sample in self._samples}}).values():
            while self._result.going and await self._loses(self._result.going, sample):
                if not await self._certain(self._result.going, sample):
                    break
                for culprit in await self._culprits(sample):
                    self._result.going.remove(culprit)
                    self._result.needed[culprit.id] = (
                        f"together with the others that could go, the answer to sample {sample.id} got worse"
                    )

    async def _culprits(self, sample: Sample) -> list[Candidate]:
        """A smallest part of what goes whose return mends the sample, found by halves."""
        suspects, innocent = list(self._result.going), list[Candidate]()
        while len(suspects) > 1:
            half = suspects[: len(suspects) // 2], suspects[len(suspects) // 2 :]
            for keep, free in (half, half[::-1]):  # put `keep` back: is the sample mended?
                if not await self._loses([*innocent, *free], sample):
                    suspects, innocent = keep, [*innocent, *free]
                    break
            else:  # it needs something of both halves: put the first back and look at it alone
                return await self._one_by_one(suspects, innocent, sample)
        return suspects

    async def _one_by_one(
        self, suspects: Sequence[Candidate], innocent: Sequence[Candidate], sample: Sample
    ) -> list[Candidate]:
        gone, culprits = list(innocent), list[Candidate]()
        for one in suspects:
            if await self._loses([*gone, one], sample):
                culprits.append(one)
            else:
                gone.append(one)
        return culprits or [suspects[-1]]

    async def _loses(self, gone: Sequence[Candidate], sample: Sample) -> bool:
        loss = (await self._lost(gone, [sample]))[0]
        return loss is not None and loss >= LOSS

    async def _lost(self, gone: Collection[Candidate], samples: Sequence[Sample]) -> list[float | None]:
        return await self._asking.losses(variant(gone), without(self._prompt, gone), self._prompt.text, samples)


def variant(gone: Collection[Candidate]) -> str:
    """How a checkpoint names the prompt without these."""
    return "+".join(sorted(one.id for one in gone))
