"""The suite: prompts, requests under them drawn by a seed, and what each request needs. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from bench.prompts import classification, code, extraction, support
from bench.prompts.part import Part, Written
from sluice_sidecar.audit.model import Prompt, Sample
from sluice_sidecar.audit.sections import prompt

PROMPTS: tuple[Written, ...] = (*support.PROMPTS, *extraction.PROMPTS, *classification.PROMPTS, *code.PROMPTS)


@dataclass(frozen=True)
class Stage:
    """A prompt with requests; `needs` says of which sections each one needs at least one, set by set."""

    written: Written
    prompt: Prompt
    samples: Sequence[Sample]
    needs: Mapping[str, Sequence[frozenset[str]]]

    def dead(self) -> set[str]:
        """Ids of sections that nobody needs, the opening among them: no request of the suite depends on it."""
        parts = {one.id: self.part(one.title) for one in self.prompt.sections}
        return {name for name, part in parts.items() if part is None or not worth(part)}

    def needed(self) -> set[str]:
        """Ids of sections that must stay, those with a twin apart."""
        named = {one.title: one.id for one in self.prompt.sections}
        return {named[part.title] for part in self.written.parts if part.needed and part.twin is None}

    def twins(self) -> tuple[set[str], ...]:
        """Pairs of ids of which one must stay."""
        named = {one.title: one.id for one in self.prompt.sections}
        return tuple({named[part.title], named[part.twin]} for part in self.written.parts if part.twin and part.needed)

    def part(self, title: str) -> Part | None:
        """The section of a title; None for the opening."""
        return next((part for part in self.written.parts if part.title == title), None)

    def loss(self, gone: set[str]) -> float:
        """The true share of requests that get worse without these sections."""
        hurt = sum(any(not any_of - gone for any_of in wanted) for wanted in self.needs.values())
        return hurt / len(self.needs)


def worth(part: Part) -> bool:
    """Whether some request needs a section, or it stands in for one that is needed."""
    return bool(part.needed or part.twin)


def stage(written: Written, count: int, seed: int) -> Stage:
    """`count` requests under a prompt. Each needs a section with that section's share, and says so in its own words."""
    random = Random(f"{written.name}/{seed}")
    given = prompt(written.text)
    named = {one.title: one.id for one in given.sections}
    samples, needs = [], {}
    for n in range(count):
        wanted, said = [], [random.choice(written.everyday)]
        for part in written.parts:
            if random.random() < part.needed:
                wanted.append(frozenset({named[part.title], named[part.twin or part.title]}))
                said += [random.choice(part.asks)] if part.asks else []
        text = f"{'. '.join(said)} (no. {random.randrange(10_000)})"
        name = f"{n:05}"
        samples.append(Sample(name, given.digest, "bench", 0.0, ({"role": "user", "content": text},), ""))
        needs[name] = wanted
    return Stage(written, given, samples, needs)
