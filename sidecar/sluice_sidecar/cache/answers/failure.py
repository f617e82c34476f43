"""Answers that are none: nothing, an error that came with status 200, a refusal. The cache keeps none of them."""

import re
from functools import lru_cache

import orjson

LONGEST = 600
"""Characters from which on a text is an answer, whatever it begins with."""

_ERROR = re.compile(
    r"""\W*(?:(?:http(?:/\d(?:\.\d)?)?|status|code|error|err)?\W{0,3}(?:4\d\d|5\d\d)\W{1,3})?
    (?:(?:fatal|unexpected|upstream|api|openai|anthropic|request|an?|there\ was\ an?|the)\s+){0,3}
    (?:internal\ (?:server\ )?error|(?:server|service|api|upstream|gateway|proxy|network)\ error
    |rate\ ?-?limit(?:ed|\ (?:was\ |has\ been\ |is\ )?(?:exceeded|reached|hit))|too\ many\ requests|bad\ gateway
    |(?:service|server|model|engine)(?:\ is)?(?:\ (?:temporarily|currently))?\ (?:unavailable|overloaded|at\ capacity)
    |gateway\ time-?out|request\ timed?[\ -]?out|connection\ (?:refused|reset|timed\ out|error)|quota\ exceeded
    |you(?:\ have|'ve)?\ exceeded\ your\ (?:current\ )?quota|(?:in(?:valid|correct))\ api\ key|unauthori[sz]ed\b
    |model\ not\ found|context\ length\ exceeded|(?:unexpected\ )?error\ (?:occurred|while\ processing|processing)
    |something\ went\ wrong|that\ model\ is\ currently\ overloaded)
    |\W*(?:[\w.]*(?:error|exception)\s*:\s*\S|traceback\ \(most\ recent\ call\ last\)|<html[\s>].{0,200}?\b[45]\d\d\b)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_EXPLAINS = re.compile(
    r"\b(?:means?|occurs?|happens?|indicates?|is (?:returned|raised|thrown|a|an|the|when)|refers?|to fix|because you|"
    r"usually|typically|solution|can be caused)\b",
    re.IGNORECASE,
)
_SORRY = (
    r"(?:(?:i(?:'m| am) (?:very |so |truly )?sorry|sorry|i apologi[sz]e|my apologies|unfortunately|regrettably|no"
    r"|as an? (?:ai|artificial|large|language)[^,.]{0,60}|thank(?:s| you)[^,.!]{0,60})"
    r"[\s,.;:!—-]*(?:but\b|however\b|and\b)?[\s,]*){0,3}"
)
_NOT_ABLE = (
    r"(?:can(?:no|')?t|can not|could(?: not|n't)|(?:am|'m) (?:not able|unable)|am not (?:allowed|permitted)|won't"
    r"|will not|must (?:decline|refuse)|have to decline|(?:do not|don't) feel comfortable)"
)
_TASKS = (
    r"(?:(?:help|assist)(?:ing)?\b(?! but\b)|aid\b|comply|fulfil|provid|answer|do (?:that|this)|discuss|creat|generat"
    r"|engag|participat|continu|support|process|respond|complet|share|produce|write"
    r"|give (?:you )?(?:advice|instructions))"
)
_REFUSAL = re.compile(
    rf"\W*{_SORRY}(?:i\s?{_NOT_ABLE}\s+(?:(?:to|directly|be|able|actually)\s+)*{_TASKS}"
    r"|i (?:must|have to|need to|respectfully)\s+(?:\w+\s+)?(?:decline|refuse)"
    r"|(?:this|that|your) (?:request|content|prompt|question|message)\s(?:violates|goes against"
    r"|was (?:flagged|blocked|rejected)|cannot be (?:processed|completed|fulfilled))"
    r"|es tut mir leid,?\s(?:aber\s)?(?:ich kann|dabei kann ich)|(?:je suis )?désolée?,?\s(?:mais\s)?je ne peux pas"
    r"|lo siento,?\s(?:pero\s)?no puedo)",
    re.IGNORECASE,
)
_INSTEAD = re.compile(
    r"\b(?:but|however|instead|though)\b[^.]*\b(?:you (?:can|could|may|might)|here(?:'s| is| are))\b", re.IGNORECASE
)
_ERROR_TEXT = (
    "error errors message code status type detail details param request_id requestid success ok title instance trace "
    "timestamp path statuscode status_code error_code error_message"
)
_ERROR_KEYS = frozenset(_ERROR_TEXT.split())


@lru_cache(maxsize=256)
def is_failure(text: str) -> str | None:
    """Why a text is no answer: "empty", "error" or "refusal"; None for an answer.

    An explanation of an error and a class named after one ("timeout") are answers. "I cannot change it, but you can in
    Settings" is one as well. A text of more than LONGEST characters always is, but for an error page.
    """
    text = text.strip()
    if not any(char.isalnum() or ord(char) > 0x2000 for char in text) and not any(char in "+-*/=<>%$" for char in text):
        return "empty"
    text = text[: 4 * LONGEST].replace("’", "'")
    if text[0] == "{":
        return "error" if _is_error_object(text) else None
    if text[0] == "<" and _ERROR.match(text):
        return "error"
    if len(text) > LONGEST:
        return None
    if _ERROR.match(text) and not _EXPLAINS.search(text) and "\n\n" not in text:
        return "error"
    if _REFUSAL.match(text) and not _INSTEAD.search(text):
        return "refusal"
    return None


def _is_error_object(text: str) -> bool:
    """Whether a JSON object says nothing but that, and how, something failed."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    keys = {str(key).casefold() for key in value}
    told = next((value[key] for key in value if str(key).casefold() in {"error", "errors", "detail"}), None)
    # {"error": "timeout"} may be the class of a log line; an error says more, or says it in fields
    says = bool(told) and (not isinstance(told, str) or " " in told.strip() or len(keys) > 1)
    return says and keys <= _ERROR_KEYS
