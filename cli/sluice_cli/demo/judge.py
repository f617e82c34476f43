"""Were the paraphrase hits right? Each is asked again without the cache, and both answers are held side by side.

A hit is called wrong on either of two grounds:

- *intent*: the stored answer belongs to a question that wants another answer, by the keys that the workload carries;
- *answer*: a closed answer (a label, an extraction) differs from the one that asking again gives.

Open answers are worded anew at every ask, so for them the keys alone decide; how alike the two wordings are is shown.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson
import regex

from sluice_cli.demo.replay import Outcome
from sluice_cli.demo.workload import Step

Ground = Literal["intent", "answer"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One paraphrase hit, judged. `stored` is the question that the served answer was made for, None if not found."""

    asked: Step
    stored: Step | None
    served: str
    fresh: str
    similarity: float | None
    grounds: tuple[Ground, ...]
    alike: float


def source(hit: Outcome, before: Sequence[Outcome]) -> Step | None:
    """The earlier question whose answer was served: a replayed answer is the stored one to the letter.

    Where several got equal answers, one with the hit's own key counts, else the last.
    """
    found = [o.step for o in before if o.cache not in ("identical", "paraphrase") and o.answer.text == hit.answer.text]
    found = [step for step in found if step.task == hit.step.task]
    return next((step for step in found if step.key == hit.step.key), found[-1] if found else None)


def judge(hit: Outcome, before: Sequence[Outcome], fresh: str) -> Verdict:
    """Judges `hit`, served after `before`; `fresh` is the answer that its question got when asked again."""
    stored = source(hit, before)
    grounds: list[Ground] = []
    if stored is None or stored.key != hit.step.key:
        grounds.append("intent")
    if hit.step.task in ("classification", "extraction") and _closed(hit.answer.text) != _closed(fresh):
        grounds.append("answer")
    return Verdict(
        asked=hit.step,
        stored=stored,
        served=hit.answer.text,
        fresh=fresh,
        similarity=hit.similarity,
        grounds=tuple(grounds),
        alike=overlap(hit.answer.text, fresh),
    )


def _closed(text: str) -> Any:
    """A closed answer as data; text that is not JSON stands for itself, without the space around it."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text.strip()
    if isinstance(value, dict):
        return {key: item.strip() if isinstance(item, str) else item for key, item in value.items()}
    return value


def overlap(one: str, other: str) -> float:
    """F1 of the two texts' words, 0..1; 1 for the same words in any order."""
    first, second = (Counter(regex.findall(r"\w+", text.lower())) for text in (one, other))
    shared = (first & second).total()
    total = first.total() + second.total()
    return 2 * shared / total if total else 1.0
