"""Whether a scanner misreads the documents of a layout: a clean text is trusted with more."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from sluice_sidecar.cache.reuse.template.document import Document
from sluice_sidecar.cache.reuse.template.form import blurred
from sluice_sidecar.cache.reuse.template.grounding import stands
from sluice_sidecar.cache.reuse.template.likeness import edits, smeared
from sluice_sidecar.cache.reuse.template.values import CODES

SHORTEST = 5
"""Characters of a line from which a near miss is a misreading rather than another word."""
USUAL = 0.5
"""Share of the siblings that have a line before another one is held against it."""
MOST = 60
"""Lines of a document, of either kind, that are compared: a document of a thousand odd lines costs no more."""
EDITS = 2
"""Characters that a misread line differs in, at most."""


def noisy(documents: Sequence[Document]) -> bool:
    """Whether some document has, instead of a line that most siblings have, one that is all but the same.

    Lines count that have no figures, nor letters in the place of figures once both are taken alike; of a line that
    states an amount, what is left without it, if its letters look like the usual ones.
    """
    return _differ(documents, _words, _misread) or _differ(documents, _label, _looks_like)


def _differ(
    documents: Sequence[Document], said_in: Callable[[Document, int], str], misread_as: Callable[[str, str], bool]
) -> bool:
    counts: Counter[str] = Counter()
    lines = []
    for document in documents:
        said = {said_in(document, row) for row in range(len(document.rows))}
        lines.append(said)
        counts.update(said)
    usual = [line for line, count in sorted(counts.items()) if count >= max(2, USUAL * len(documents)) and _plain(line)]
    for said in lines:
        missing = [line for line in usual if line not in said][:MOST]
        odd = [line for line in sorted(said) if counts[line] == 1 and len(line) >= SHORTEST - 1][:MOST]
        if any(misread_as(one, other) for one in missing for other in odd):
            return True
    return False


def _words(document: Document, row: int) -> str:
    cells = document.rows[row]
    return "".join(document.tokens[cells[0].lo : cells[-1].hi])


def _label(document: Document, row: int) -> str:
    """The words of a line that have letters, but for currencies."""
    cells = document.rows[row]
    words = document.raw(cells[0].lo, cells[-1].hi).split()
    return "".join(word for word in words if any(map(str.isalpha, word)) and word not in CODES)


def _plain(line: str) -> bool:
    return len(line) >= SHORTEST and not any(char.isdigit() for char in line)


def _looks_like(line: str, other: str) -> bool:
    return abs(len(line) - len(other)) <= EDITS and smeared(line) == smeared(other)


def _misread(line: str, other: str) -> bool:
    if abs(len(line) - len(other)) > EDITS:
        return False
    return smeared(line) == smeared(other) or edits(line, other, EDITS) <= (1 if len(line) < 2 * SHORTEST else EDITS)


def misread(document: Document, answer: Any) -> bool:
    """Whether a value of an answer stands in the document only when letters are taken for figures they look like."""
    if isinstance(answer, dict | list):
        return any(misread(document, one) for one in (answer.values() if isinstance(answer, dict) else answer))
    if isinstance(answer, bool) or not isinstance(answer, str | int | float) or stands(document, answer):
        return False
    wanted = blurred(f"{answer:.2f}" if isinstance(answer, float) else str(answer))
    return len(wanted) >= SHORTEST - 1 and wanted in blurred(document.text)
