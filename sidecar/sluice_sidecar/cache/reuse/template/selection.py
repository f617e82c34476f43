"""Which of the earlier pairs a layout is learned from."""

from collections.abc import Sequence
from typing import Any

from sluice_sidecar.cache.reuse.template.answer import at, outline
from sluice_sidecar.cache.reuse.template.derived import counted, explained
from sluice_sidecar.cache.reuse.template.document import Document
from sluice_sidecar.cache.reuse.template.grounding import stands

AKIN = 0.75
"""Share of the lines that the most alike sibling has in common with a document, which other siblings must have."""
SCHEMA = 0.5
"""Share of the keys of two answers that they have in common, if they answer one question."""
APART = 4
"""Lines in common that it must have less than that one, before it is of another layout."""


def akin(documents: Sequence[Document], answers: Sequence[Any], minimum: int) -> list[int]:
    """The documents that are answered with the keys of the last one and share about as many lines with it as the most
    alike does: another firm's lack its name and address, an earlier layout's its labels."""
    keys = [frozenset(answer) if isinstance(answer, dict) else frozenset() for answer in answers]
    asked = [i for i, each in enumerate(keys) if len(each & keys[-1]) >= SCHEMA * len(each | keys[-1])]
    own = {i: frozenset(documents[i].line(row) for row in range(len(documents[i].rows))) for i in asked}
    shared = {i: len(lines & own[asked[-1]]) for i, lines in own.items()}
    best = sorted(shared.values())[-2] if len(shared) > minimum else 0
    kept = [i for i, count in shared.items() if count >= min(AKIN * best, best - APART)]
    return kept if len(kept) >= minimum else asked


def explained_pairs(documents: Sequence[Document], answers: Sequence[Any]) -> list[int]:
    """The pairs whose values all stand in their document or may be derived from it: not what a model mended."""
    shape = outline(answers)
    if shape is None:
        return [i for i, document in enumerate(documents) if stands(document, answers[i])]
    kept = list(range(len(documents)))
    for path in shape.leaves:
        values = [at(answer, path) for answer in answers]
        rows = [[at(answer, table) for answer in answers] for table in shape.tables]
        if any(counted(values, each) for each in rows):
            continue
        right = explained(documents, values)
        kept = [i for i in kept if right[i]]
    return [i for i in kept if all(stands(documents[i], at(answers[i], table)) for table in shape.tables)]
