"""How a text is cut: code, links, quotations, times, dates, paths, figures, names with digits, words, signs."""

import re

TOKEN = re.compile(
    r"""(?P<code>```.*?(?:```|\Z)|`[^`\n]+`)
    |(?P<link>(?:https?://|www\.)\S+|[\w.+-]+@[\w-]+\.[\w.-]+)
    |(?P<quote>"[^"\n]+"|“[^”\n]+”|«[^»\n]+»|(?<!\w)'[^'\n]+'(?!\w)|(?<!\w)‘[^’\n]+’(?!\w))
    |(?P<time>\d{1,2}:\d\d(?::\d\d)?(?:\s?[ap]\.?m\b)?|\b\d{1,2}\s?[ap]\.?m\b)
    |(?P<date>\b\d{4}-\d{1,2}-\d{1,2}\b|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b)
    |(?P<path>(?<!\w)(?:[~.]?/[\w.-]+)+/?|\b\w+(?:[._/-]\w+)*_\w+(?:[._/-]\w+)*|\b[^\W\d]\w*(?:\.\w+)+\b)
    |(?P<number>(?<![\w.])[-+]?\d+(?:,\d{3})*(?:\.\d+)?(?P<suffix>%|°?[^\W\d_]*\b)?(?![\w]))
    |(?P<ident>\b(?=[\w-]*\d)[^\W_][\w-]*\b|\b[A-Za-z]\+\+|\b[A-Z]\#)
    |(?P<word>[^\W\d_]+(?:['’-][^\W\d_]+)*)
    |(?P<symbol>[^\w\s])""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
SENTENCE_END = frozenset(".!?:;\n")
OPERATORS = frozenset("+*/=<>^|&~%$€£¥₹{}[]()#@\\")
PICTURES = frozenset({"So", "Sm"})
"""Unicode categories of signs that stand for words and that an English model does not know: a smile is an anger to it,
and an arrow to the left one to the right."""
MARKS = frozenset("®™©°")
