"""What can be read off a text's function words: the kind of question, tense, language."""

from itertools import pairwise

from sluice_sidecar.cache.reuse import lexicon as lex

QUESTIONS = {
    "who": "who", "whom": "who", "whose": "who", "who's": "who", "when": "when", "when's": "when", "where": "where",
    "where's": "where", "why": "why", "why's": "why", "what": "what", "which": "what", "what's": "what",
    "whats": "what", "how": "how", "how's": "how",
}  # fmt: skip
MEASURES = frozenset(
    "many much long often far old big tall deep fast soon late early heavy high wide hot".split()  # noqa: SIM905
)
ASKING = frozenset(
    "is are was were am do does did can could will would shall should must may might has have had isn't aren't don't "  # noqa: SIM905
    "doesn't didn't can't couldn't won't wouldn't shouldn't".split()
)


def stem(word: str) -> str:
    """A crude stem: plural and verb endings off, never shorter than three letters."""
    for ending, put in (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("es", ""), ("s", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word[: -len(ending)] + put
            break
    if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "sz":
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 4 else word


def question(words: list[str]) -> str | None:
    """The kind of answer wanted: who, what, when, where, why, how, "how many" and the like, yesno, None for none."""
    if not words:
        return None
    polite = words[0] in {"can", "could", "would", "will"} and len(words) > 1 and words[1] == "you"
    if words[0] in ASKING and not polite and words[:3] != ["do", "you", "know"]:
        return "yesno"
    for place, word in enumerate(words):
        after = words[place + 1] if place + 1 < len(words) else ""
        kind = QUESTIONS.get(word)
        if kind == "how" and after in MEASURES:
            return "how many" if after == "much" else f"how {after}"
        if kind == "how" and after == "come":
            return "why"
        if kind == "what":
            following = words[place + 1 : place + 5]
            if not {"way", "ways", "steps", "method", "procedure"}.isdisjoint(following):
                return "how"
            if not {"reason", "reasons"}.isdisjoint(following):
                return "why"
        if kind is not None:
            return kind
    return None


def modal(words: list[str]) -> str | None:
    """What is asked of an action: its possibility, its being right, its being required."""
    for word, after in pairwise(words):
        if after in {"i", "we", "he", "she", "they", "it", "one"}:
            if word in {"can", "could", "may", "might"}:
                return "can"
            if word in {"should", "shall", "ought"}:
                return "should"
            if word == "must":
                return "must"
    return "must" if "must" in words or "have to" in " ".join(words) else None


def past(words: list[str]) -> bool | None:
    """Whether be and do stand in the past alone, in the present alone, or (None) in both or neither."""
    gone = not {"was", "were", "did", "wasn't", "weren't", "didn't"}.isdisjoint(words)
    present = not {"is", "are", "am", "do", "does", "isn't", "aren't", "don't", "doesn't", "what's"}.isdisjoint(words)
    return None if gone == present else gone


def scripts(text: str) -> frozenset[str]:
    """The writing systems of a text's letters, roughly by block; Latin alone for ASCII."""
    if text.isascii():
        return frozenset({"latin"})
    found = set()
    for char in text:
        if char.isalpha():
            code = ord(char)
            found.add("latin" if code < 0x250 or 0x1E00 <= code < 0x1F00 else f"block {code >> 8}")
    return frozenset(found)


def language(words: list[str]) -> str | None:
    """The language whose function words are clearly the most frequent; None when there are none."""
    counts = {name: sum(word in known for word in words) for name, known in lex.STOPWORDS.items()}
    best = max(counts, key=lambda name: counts[name])
    if counts[best] == 0:
        return None
    return "en" if counts["en"] == counts[best] else best
