"""Whether an ask means the same wherever it is asked."""

from sluice_sidecar.cache.reuse import lexicon as lex
from sluice_sidecar.cache.reuse.facts import facts


def standalone(text: str) -> bool:
    """Whether a text can be understood by itself and in English: else it is not matched by meaning."""
    found = facts(text)
    if len(found.opening) < 3 or found.scripts != {"latin"} or found.language not in {None, "en"}:
        return False
    first, second, _ = found.opening
    if first in lex.OPENERS or (first, second) in {("what", "about"), ("how", "about"), ("why", "not")}:
        return False
    if not lex.BACKWARDS.isdisjoint(found.words):
        return False
    subject = len(set(found.content)) + len(found.literals)
    return subject >= (3 if not lex.ANAPHORA.isdisjoint(found.words) else 1)
