"""Rules that word an ask anew and keep what it asks."""

import re

from bench.near_misses.pair import Change


def _lower(text: str) -> str:
    """The text as the rest of a sentence: its first letter small, unless it starts a name."""
    first = text.split(" ", 1)[0]
    return text if first.isupper() or first in {"I", "I'm", "I've"} else text[:1].lower() + text[1:]


def _rule(pattern: str, *puts: str) -> Change:
    compiled = re.compile(pattern, re.IGNORECASE)

    def change(text: str, pick: float) -> str | None:
        found = compiled.fullmatch(text)
        if found is None:
            return None
        rest = {name: _lower(value or "") for name, value in found.groupdict().items()}
        return puts[int(pick * len(puts))].format(**rest)

    return change


def _word(*groups: str) -> Change:
    words = {}
    for group in groups:
        parts = [part.replace("_", " ") for part in group.split()]
        words.update({part: [other for other in parts if other != part] for part in parts})
    pattern = re.compile(r"(?<![\w'-])(" + "|".join(sorted(words, key=len)[::-1]) + r")(?![\w'-])", re.IGNORECASE)

    def change(text: str, pick: float) -> str | None:
        found = pattern.search(text)
        if found is None:
            return None
        others = words[found[1].casefold()]
        new = others[int(pick * len(others))]
        new = new[:1].upper() + new[1:] if found[1][0].isupper() else new
        return text[: found.start()] + new + text[found.end() :]

    return change


def _plain(text: str, pick: float) -> str | None:
    new = re.sub(r"[?.!]+$", "", text).lower()
    return None if new == text or re.search(r"\b[A-Z]{2}", text) else new


def _framed(text: str, pick: float) -> str | None:
    """A question put politely: only such whose words need no other order."""
    if not text.endswith("?") or re.match(r"(what|why|when|where|which|who|how)\b", text, re.IGNORECASE) is None:
        return None
    frames = ("I have a question: {}", "Quick question, {}", "Hi, {}", "Please help: {}", "{} Thanks!", "Hello! {}",
              "Could you help me with this: {}", "I was wondering, {}")  # fmt: skip
    return frames[int(pick * len(frames))].format(_lower(text) if pick < 0.4 else text)


def _typo(text: str, pick: float) -> str | None:
    long = list(re.finditer(r"\b[a-z]{7,}\b", text))
    if not long:
        return None
    at = long[int(pick * len(long))].start() + 3
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :] if text[at] != text[at + 1] else None


_END = r"[?.! ]*"

REWRITES: tuple[tuple[str, Change], ...] = (
    ("plain", _plain),
    ("frame", _framed),
    ("typo", _typo),
    ("how do I", _rule(rf"how (?:do|can|would|should) (?:i|you|we) (?P<a>.+?){_END}", "How can I {a}?",
        "What's the way to {a}?",
                       "How to {a}", "I want to {a}, how do I do that?", "Can you tell me how to {a}?",
                       "Explain how to {a}", "What steps are needed to {a}?", "What do I need to do to {a}?")),
    ("how to", _rule(rf"how to (?P<a>.+?){_END}", "How do I {a}?", "How can I {a}?", "Tell me how to {a}")),
    ("what is", _rule(rf"what(?: is|'s) (?P<a>(?:a|an|the) .+?){_END}", "What's {a}?", "Tell me what {a} is",
        "Explain what {a} is.",
                      "Can you tell me what {a} is?", "I would like to know what {a} is", "Do you know what {a} is?")),
    ("what is x", _rule(rf"what is (?P<a>[\w -]+?){_END}", "What's {a}?", "Explain {a}",
        "Could you explain what {a} is?",
                        "Please define {a}.", "What does {a} mean?")),
    ("what are", _rule(rf"what are (?P<a>the .+?){_END}", "Tell me {a}", "List {a}", "Could you list {a}?",
        "What would be {a}?",
                       "Can you tell me what {a} are?")),
    ("who", _rule(rf"who (?P<v>wrote|invented|discovered|won|founded|painted|directed|is|was) (?P<a>.+?){_END}",
                  "Can you tell me who {v} {a}?", "Do you know who {v} {a}?", "Tell me who {v} {a}")),
    ("why is", _rule(rf"why (?P<v>is|are|was|were) (?P<a>(?:the |my |a )?[\w'-]+) (?P<b>.+?){_END}",
                     "What is the reason {a} {v} {b}?", "Can you explain why {a} {v} {b}?", "How come {a} {v} {b}?")),
    ("why do", _rule(rf"why do (?P<a>[\w'-]+) (?P<b>.+?){_END}", "What is the reason {a} {b}?", "How come {a} {b}?",
                     "Please explain why {a} {b}")),
    ("when did", _rule(rf"when (?P<v>was|is) (?P<a>(?:the )?[\w'-]+(?: [\w'-]+)?) (?P<b>\w+ed|born|built){_END}",
                       "What date {v} {a} {b}?", "Tell me when {a} {v} {b}", "On which day {v} {a} {b}?")),
    ("where is", _rule(rf"where (?P<v>is|are|was) (?P<a>.+?){_END}", "Tell me where {a} {v}",
        "Can you tell me where {a} {v}?",
                       "Where can {a} be found?")),
    ("write", _rule(rf"(?:write|compose|create|generate) (?:me )?(?P<a>an? .+?){_END}", "Please write {a}",
        "Could you write me {a}?",
                    "I need {a}", "Can you come up with {a}?", "Compose {a}", "I want you to write {a}")),
    ("give me", _rule(rf"(?:give me|list|name|tell me|suggest) (?P<a>.+?){_END}", "Please give me {a}",
        "Can you give me {a}?",
                      "I would like {a}", "Could you name {a}?", "Provide {a}", "What are {a}?")),
    ("can I", _rule(rf"can i (?P<a>.+?){_END}", "Am I able to {a}?", "Is it possible to {a}?", "Is there a way to {a}?",
                    "May I {a}?")),
    ("is there", _rule(rf"is there an? (?P<a>.+?){_END}", "Do you have a {a}?", "Does a {a} exist?")),
    ("I need to", _rule(rf"i (?:need|want|would like) to (?P<a>.+?){_END}", "I'd like to {a}", "Please help me {a}",
                        "I have to {a}", "I am looking to {a}")),
    ("play", _rule(r"(?P<a>(?:play|set|turn|remind|add|open|send|call|start|show|put|order|book) .+)", "please {a}",
                   "could you {a}", "can you {a} for me", "i want you to {a}", "hey, {a}")),
    ("two parts", _rule(rf"(?P<a>(?:my|i|the) [^,?]+?), (?P<b>(?:what|how|why|where|when|can) .+?){_END}", "{b}, {a}?",
                        "{b}? {a}.")),
    ("two sentences", _rule(rf"(?P<a>(?:my|i|the) [^.?]+?)\. (?P<b>(?:what|how|why|where|when|can) [^.?]+?){_END}",
        "{b}? {a}.",
                            "{a}, {b}?")),
    ("which of", _rule(rf"which is an? (?P<a>.+?)[?:,.] (?P<b>[\w ']+) or (?P<c>[\w ']+?){_END}",
        "Is {b} or {c} a {a}?",
                       "Out of {c} and {b}, which one is a {a}?")),
    ("contracted", _word("what_is what's", "where_is where's", "who_is who's", "i_am i'm", "i_have i've",
        "cannot can't",
                         "do_not don't", "is_not isn't", "did_not didn't", "it_is it's", "does_not doesn't")),
    ("figures", _word("three 3", "four 4", "five 5", "six 6", "seven 7", "ten 10", "twenty 20", "percent %")),
    ("synonym", _word("purchase buy", "begin start", "huge enormous", "quickly fast", "assist help", "photo picture",
                      "movie film", "doctor physician", "kids children", "reply answer", "fix repair", "get obtain",
                      "cost price", "error mistake", "job occupation", "shop store", "trip journey", "sick ill",
                      "town city", "show display", "choose select", "let allow", "finish complete", "sofa couch",
                      "street road", "advice guidance", "important essential", "different various",
                      "famous well-known")),
    ("spelling", _word("color colour", "favorite favourite", "organize organise", "summarize summarise",
        "center centre",
                       "traveling travelling", "gray grey", "canceled cancelled", "recognize recognise", "ok okay")),
)  # fmt: skip

CHOICES = 8
"""The most wordings that one rule has."""


def rewritten(text: str) -> set[str]:
    """All that the rules that word anew make of an ask, in small letters; not what a slip of the pen does."""
    made = (change(text, pick / CHOICES) for name, change in REWRITES if name != "typo" for pick in range(CHOICES))
    return {new.casefold() for new in made if new is not None} - {text.casefold()}
