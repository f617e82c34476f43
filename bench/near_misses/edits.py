"""Changes that move, insert or drop words of a real ask, so that another answer is wanted."""

import re

from bench.near_misses.pair import Change

_START = r"^(?:please |can you |could you )?"
_THING = r"((?:the |a |an |my )?[\w'-]+(?: [\w'-]+)?)"
_ONE = r"(?!(?:the|a|an|my|your|this|that|his|her|here|new|i|we|you|it)\b)([\w'-]+)"


def _sub(pattern: str, *puts: str) -> Change:
    compiled = re.compile(pattern, re.IGNORECASE)

    def change(text: str, pick: float) -> str | None:
        found = compiled.search(text)
        if found is None:
            return None
        new = text[: found.start()] + found.expand(puts[int(pick * len(puts))]) + text[found.end() :]
        return None if new.casefold() == text.casefold() else new[:1].upper() + new[1:] if text[:1].isupper() else new

    return change


def _figure(text: str, pick: float) -> str | None:
    """Another number, of as many digits."""
    found = list(re.finditer(r"(?<![\w.,])\d+(?![\w.,]*\d)", text))
    if not found:
        return None
    at = found[int(pick * len(found))]
    value, size = int(at[0]), len(at[0])
    new = str((value + 1 + int(pick * 7919) % (10 ** min(size, 3) - 1)) % 10**size).zfill(size)
    if size > 1 and new[0] == "0":
        new = at[0][0] + new[1:]
    return None if new == at[0] else text[: at.start()] + new + text[at.end() :]


def _digits(text: str, pick: float) -> str | None:
    """Two digits change places."""
    found = re.search(r"\d*(\d)(?!\1)(\d)\d*", text)
    if found is None or found[2] == "0":
        return None
    at = found.start(1)
    return f"{text[:at]}{found[2]}{found[1]}{text[at + 2 :]}"


def _names(text: str, pick: float) -> str | None:
    """Two names of the text change places where each first stands; both stay in the text."""
    names: list[str] = list(dict.fromkeys(re.findall(r"(?<=[a-z,] )[A-Z][a-z]{2,}\b(?! [A-Z])(?<![A-Z]\w \w)", text)))
    if len(names) < 2 or re.search(rf"{names[0]}(?:,|,? and|,? or| versus| vs\.?) {names[1]}", text):
        return None
    one, other = names[:2]
    a, b = text.index(one), text.index(other)
    if b < a:
        a, b, one, other = b, a, other, one
    return text[:a] + other + text[a + len(one) : b] + one + text[b + len(other) :]


EDITS: dict[str, tuple[tuple[str, Change], ...]] = {
    "number": (
        ("figure", _figure),
        ("digits", _digits),
        ("count put in", _sub(rf"{_START}(list|name|give me|suggest|write) (?:a few |some |the )?(?=[\w-]+s\b)",
                              r"\1 three ", r"\1 7 ", r"\1 ten ")),
        ("singular counted", _sub(r"\b(write|give me|suggest|generate) an? ([\w-]+ )?(poem|story|name|tip|joke)\b",
                                  r"\1 two \2\3s", r"\1 five \2\3s")),
    ),
    "negation": (
        ("not after be", _sub(r"\b(which|what) ([\w-]+(?: [\w-]+)?) (are|is) ", r"\1 \2 \3 not ")),
        ("auxiliary", _sub(r"\b(i|we|they|you) (can|could|do|did|should|will|would|have) (?!not)", r"\1 \2 not ")),
        ("have to", _sub(r"\b(i) (need|want|have) to\b", r"\1 don't \2 to")),
        ("be", _sub(r"\b(is|are|was|were|am) (?!not|there|it|a |an |the |my |your )(?=\w+(?:ing|ed|able|ful)\b)",
                    r"\1 not ")),
        ("never", _sub(r"\b(should|must|can) (i|we|you|one) ", r"\1 \2 never ", r"\1 \2 not ")),
        ("contraction", _sub(r"\b(why|who|which \w+|what) (does|do|did|is|are|was|has|have|should|could|would) "
                             r"(?=i |you |he |she |it |we |they |my |the )", r"\1 \2n't ")),
        ("avoid", _sub(r"\bhow (?:do|can|would|should) (i|you|we) (\w+)", r"how do \1 avoid having to \2")),
        ("don't", _sub(r"^(give|use|include|show|list|tell|play|turn|set|remind|add|make|put|send|call|start)\b",
                       r"don't \1")),
        ("that not", _sub(r"\b(that|which|who) (is|are|was|were|can|will|do|does|have|has) (?!not)", r"\1 \2 not ")),
        ("wasn't", _sub(r"\b(was|were|is|has been|have been) (charged|declined|sent|received|approved|made|used)\b",
                        r"\1 not \2")),
    ),
    "antonym": (
        ("un-", _sub(r"\b(known|usual|common|popular|verified|authorized|limited|expected|successful|helpful|important|"
                     r"related|employed|stable|fair|married|paid|able|available|likely|necessary)\b", r"un\1")),
        ("-less", _sub(r"\b(use|harm|pain|care|power|meaning)ful\b", r"\1less")),
        ("dis-", _sub(r"\b(appear|agree|connect|continue|approve|assemble|like|obey|trust)\b", r"dis\1")),
    ),
    "date": (
        ("year", _sub(r"\b(1[0-9]|20)([0-9])([0-9])\b(?!\d)", r"\g<1>\g<3>9", r"\g<1>\g<2>1", r"\g<1>\g<3>4")),
        ("clock", _sub(r"\b(\d{1,2})(:\d\d)? ?am\b", r"\1\2 pm")),
        ("clock pm", _sub(r"\b(\d{1,2})(:\d\d)? ?pm\b", r"\1\2 am")),
        ("hour", _sub(r"\bat (?:\d{1,2}|two|three|four|five|six|seven|eight|nine|ten)\b", "at 11", "at noon")),
        ("century", _sub(r"\b(\d)(\d)?th century\b", "12th century", "5th century")),
        ("put in", _sub(r"(\w)[?.]?$", r"\1 on Monday?", r"\1 in 1990?", r"\1 next month?", r"\1 at 6 am?")),
    ),
    "entity": (
        ("surname", _sub(r"(?<=[a-z] )([A-Z][a-z]+) (?!The|And|Of)[A-Z][a-z]+\b", r"\1 Anderson", r"\1 Kowalski")),
        ("a name", _sub(r"(?<=[a-z] )(?!I\b|The\b|English|French|German|Spanish)[A-Z][a-z]{3,}\b(?! [A-Z])",
                        "Singapore", "Einstein", "Nokia", "Brooklyn")),
        ("acronym", _sub(r"\b(?!I\b|OK\b|US\b|USA\b|UK\b|PIN\b|AM\b|PM\b)[A-Z]{3,4}\b", "NATO", "GDP", "FIFA", "CPU")),
        ("object", _sub(rf"{_START}(write|compose|draft) (?:a|an) (short |long )?([\w-]+) about\b",
                        r"\1 a \2limerick about", r"\1 a \2speech about")),
        ("topic", _sub(r"\babout (?:the |a |my )?\w+(?: \w+)?([.?!]?)$", r"about volcanoes\1", r"about friendship\1")),
    ),
    "unit": (
        ("symbol", _sub(r"\$(?=\d)", "€", "£", "¥")),
        ("percent", _sub(r"(\d) ?(?:%|percent)", r"\1 dollars", r"\1 points")),
        ("in unit", _sub(r"^(how (?:far|tall|high|long|deep) (?:is|was|are) .*\w)\?$", r"\1 in meters?",
            r"\1 in feet?")),
        ("price in", _sub(r"^(how much (?:is|does|do|did|was) .*\w)\?$", r"\1 in euros?", r"\1 in yen?")),
    ),
    "language": (
        ("put in", _sub(r"(\w)[.?]?$", r"\1 in French.", r"\1 in German.", r"\1 in Japanese.", r"\1 in Hindi.")),
        ("answer in", _sub(r"(\w[.?]?)$", r"\1 Answer in Italian.", r"\1 Reply in Korean.")),
    ),
    "roles": (
        ("names", _names),
        ("than", _sub(rf"\b{_ONE} (is|are|was|be) ([\w]+er|more \w+) than {_ONE}\b", r"\4 \2 \3 than \1")),
        ("is than", _sub(rf"^(is|are|was|were) {_THING} ([\w]+er|better|worse|more \w+) than {_THING}",
            r"\1 \4 \3 than \2")),
        ("verb", _sub(r"\b(the \w+) (helped|beat|hit|saw|paid|called|chased|taught|owes?|loves?|hired) (the \w+)",
                      r"\3 \2 \1")),
        ("do", _sub(r"\b(do|does|did|can) ((?!i\b|you\b|we\b|they\b|it\b)\w+) (eat|cause|help|beat|attack|affect) "
                    r"((?!the\b|a\b|my\b|your\b|this\b|that\b|me\b|to\b)\w+)\b", r"\1 \4 \3 \2")),
        ("passive", _sub(r"(?<![\w-] )\b(the \w+|[A-Z][a-z]\w+) (was|were|is|are) (\w+ed|written|built|taken) by "
                         r"(the \w+|[A-Z]\w+)",
                         r"\4 \2 \3 by \1")),
    ),
    "order": (
        ("from to", _sub(rf"\bfrom {_ONE} to {_ONE}\b", r"from \2 to \1")),
        ("to from", _sub(rf"\bto {_ONE} from {_ONE}\b", r"to \2 from \1")),
        ("convert", _sub(rf"\b(convert|translate|turn) {_ONE} (to|into) {_ONE}\b", r"\1 \4 \3 \2")),
        ("divide", _sub(r"\b(\w+) (divided by|minus|plus the square of) (\w+)\b", r"\3 \2 \1")),
        ("instead", _sub(rf"\b{_ONE} (instead of|rather than) {_ONE}\b", r"\3 \2 \1")),
        ("between", _sub(r"\bbetween (\d+) and (\d+)\b", r"beyond \1 and \2")),
    ),
    "question": (
        ("when to", _sub(r"^when (was|is|were|did|do|does|are)\b", r"where \1", r"why \1", r"how \1")),
        ("where to", _sub(r"^where (was|is|were|did|do|does|are|can)\b", r"when \1", r"why \1")),
        ("who to", _sub(r"^who (is|was|were|are)\b", r"where \1", r"why \1", r"when \1")),
        ("how to", _sub(r"^how (do|can|does|did|is|are|should)\b", r"why \1", r"when \1", r"where \1")),
        ("why to", _sub(r"^why (do|does|did|is|are|was|were)\b", r"how \1", r"since when \1", r"where \1")),
        ("what to", _sub(r"^what (are|is) (?=the |a )", r"where \1 ", r"who \1 ")),
        ("yes or no", _sub(r"^(?:why|when|how) (do|does|did|is|are|was|were|can|should)\b", r"\1")),
        ("how many to", _sub(r"^how many ([\w-]+)", r"which \1", r"what kind of \1")),
        ("how to to", _sub(r"^how to\b", "why", "when to", "where to")),
    ),
    "pronoun": (
        ("who acts", _sub(r"\b(do|can|should|could|will|did) i\b", r"\1 they", r"\1 we", r"\1 my parents")),
        ("whose", _sub(r"\bmy (?=\w)", "my sister's ", "my boss's ", "someone else's ", "the company's ")),
        ("to whom", _sub(r"\b(give|tell|send|show|remind|call|help) me\b", r"\1 him", r"\1 them", r"\1 my mother")),
        ("i am", _sub(r"\bi am\b", "she is", "they are", "you are")),
    ),
    "quantity": (
        ("all put in", _sub(r"\b(play|show|delete|list|name|turn off|remove|cancel|read) (?:the |my |some )",
            r"\1 all my ",
                            r"\1 one of my ", r"\1 none of my ")),
        ("a to every", _sub(r"\b(for|with|in|on|of) (?:a|an|the|my) (?=\w)", r"\1 every ", r"\1 each second ")),
        ("some", _sub(r"\bsome (?=\w+s\b)", "all ", "no ", "exactly one of the ")),
        ("are all", _sub(r"^(are|do|can|were) (?=[\w-]+s\b)", r"\1 all ", r"\1 only some ", r"\1 most ")),
    ),
    "comparative": (
        ("most to least", _sub(r"\bmost (?=\w+(?:ful|ous|ive|al|ant|ent|ar|ed)\b)", "least ")),
        ("best to", _sub(r"\b(?:the )?best (?=\w)", "the second best ", "the cheapest ", "the worst ")),
        ("good to", _sub(r"\b(?:a )?good (?=\w+)", "a better ", "a bad ")),
        ("more than", _sub(r"\bmore than\b", "less than", "as much as", "exactly")),
        ("put in", _sub(r"\b(write|give me|make|tell me) (?:a|an) (?=\w)", r"\1 a longer ", r"\1 a shorter ",
            r"\1 a funnier ")),
    ),
    "scope": (
        ("only", _sub(r"^(list|name|show|play|give me|tell me about) ", r"\1 only ", r"\1 everything but ")),
        ("except", _sub(r"(\w)[?.]?$", r"\1, except on weekends?", r"\1 for beginners?", r"\1 in rural areas?",
                        r"\1 without a computer?", r"\1 for people over 60?")),
        ("only in", _sub(r"\b(in|with|on|for) (the |my |a )", r"only \1 \2", r"anywhere but \1 \2")),
        ("qualified", _sub(r"\b(?:a|the|my) (card|account|payment|transfer|book|car|dog|cat|house|computer|phone|game|"
                           r"light|list|event|email|movie|recipe|team|company|city|country|animal|food)\b",
                           r"a stolen \1", r"a second \1", r"a fictional \1", r"a shared \1")),
    ),
}  # fmt: skip
"""Kind -> named changes."""
