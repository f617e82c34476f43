"""What is said around an answer and changes nothing: openings, closings, marks of layout."""

import re
import unicodedata

_NOUN = (
    r"(?:answer|label|category|class|classification|intent|result|sentiment|output|topic|language|type|tag|option|"
    r"choice|verdict|value|response|priority|severity|urgency|emotion|genre|tone|stance|rating|score|grade|status)"
)
_OF = r"(?: (?:of|for|to|in) (?:this|the|that|your|it)(?: [\w'-]+){0,4}?)?"
OPENING = re.compile(
    rf"(?:(?:sure(?: thing)?|certainly|of course|okay|ok|great(?: question)?|good question|absolutely|alright|got it|"
    rf"no problem|(?:i'd be )?happy to help|(?:thanks|thank you) for (?:asking|reaching out)"
    rf"|hi(?: there)?|hello(?: there)?)(?:[!,.:]+\s*|\s+[-–—]\s+)"
    rf"|here (?:you go|you are|it is|(?:is|are) (?:the|your) [\w ]{{1,40}}?)(?:[!,.:]+\s*|\s+(?=[\[{{\"'`*]))"
    rf"|based on (?:the|this|your|what)[^,.:\n]{{0,60}},\s+"
    rf"|(?:so,? |therefore,? |thus,? )?(?:the|my|your|its?) (?:final |correct |best |right |most likely |detected )?"
    rf"{_NOUN}{_OF}(?: is| would be| are|:)\s*:?\s*"
    rf"|(?:that|this|it)(?: would be|'s| is| will be)\s+(?=[\[\"'`*]|\S+[.!]?\s*$)"
    rf"|(?:that|this|it)(?: would be|'s| is| will be)\s+(?=(?:\S+\s+){{0,2}}\S+$)"
    rf"|i(?:'d| would|'ll| will)? (?:classify|label|categori[sz]e|tag) (?:this|it)(?: \w+)? as:?\s+"
    rf"|(?:this|it|that)(?: \w+)? (?:belongs (?:to|in)|falls (?:under|into)) (?:the )?(?:{_NOUN} )?(?:of )?:?\s*"
    rf"|(?:final )?{_NOUN}\s*[:=]\s*)",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"(?:\s|^)(?:(?:please )?(?:let me know|feel free)\b[^.!?\n]{0,120}[.!?]*"
    r"|i hope (?:this|that|it) (?:helps|answers)[^.!?\n]{0,40}[.!?]*|hope (?:this|that) helps[^.!?\n]{0,20}[.!?]*"
    r"|(?:is there )?anything else (?:i can|you(?:'d| would)?)[^.!?\n]{0,80}[.!?]*"
    r"|if you have any (?:more |other |further )?questions?[^.!?\n]{0,80}[.!?]*"
    r"|have a (?:great|nice|good|wonderful) \w+[.!]*|happy to help(?: further)?[.!]*|you're welcome[.!]*)\s*$",
    re.IGNORECASE,
)
_MARKS = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|[-*•][ \t]+|\d{1,2}[.)][ \t]+(?=\S))|\*\*|__", re.MULTILINE)
_PAIRED = re.compile(r"_(.+)_|<(\w+)>(.+)</\2>", re.DOTALL)
_START = "\"'`*[({“‘«"
_END = "\"'`*])}.!”’»,;"
_BETWEEN = re.compile(r"(?<=[^\W\d_])[-_](?=[^\W\d_])")
_DASHES = str.maketrans("–—−‐‑’‘“”", "-----''\"\"")


def opened(text: str) -> str:
    """The text without up to three openings one after the other ("Sure! Here you go: ...")."""
    for _ in range(3):
        found = OPENING.match(text)
        if found is None or found.end() == len(text):
            break
        text = text[found.end() :]
    return text


def essence(text: str) -> str:
    """The text without openings, closings, marks of lists and emphasis."""
    text = opened(text)
    for _ in range(3):
        found = _CLOSING.search(text, max(0, len(text) - 240))
        if found is None or found.start() == 0:
            break
        text = text[: found.start()].rstrip()
    return _MARKS.sub("", text).strip()


def bare(text: str) -> tuple[str, bool]:
    """The text without quotes, brackets and end marks around it; and whether brackets or quotes set it apart."""
    text = text.strip()
    apart = len(text) > 2 and text[0] in '[`"“*{' and text.rstrip(".!,")[-1:] in ']`"”*}'
    while (shorter := text.lstrip(_START).rstrip(_END).strip()) != text:
        text = shorter
    paired = _PAIRED.fullmatch(text)
    return ((paired[1] or paired[3]).strip() if paired else text), apart


def canonical(text: str) -> str:
    """One form of a short answer: case, kinds of dash and quote, white space, "_" and "-" between words aside."""
    text = text if text.isascii() else unicodedata.normalize("NFKC", text).translate(_DASHES)
    return " ".join(_BETWEEN.sub(" ", text).casefold().split())
