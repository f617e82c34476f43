"""Asks whose answer is true for a moment only: today, now, the latest, a price, the weather."""

import re

READ = 4_000
"""Characters that are read of an ask."""

_TIMELY = re.compile(
    r"\b(?:today(?:'s)?|tonight|tomorrow|yesterday|right now|at the moment|currently|nowadays|as of now|so far this"
    r"|this (?:morning|afternoon|evening|week|month|year|season|quarter)"
    r"|(?:last|past|next) (?:\d+ )?(?:minutes?|hours?|days?|weeks?|months?|night)"
    r"|latest|newest|most recent|up[- ]to[- ]date|breaking news|headlines"
    r"|what(?:'s| is) the (?:time|date|weather|score|price|status)|what time is it|what day is it"
    r"|weather|forecast|temperature outside|exchange rates?|stock price|share price|live score|traffic"
    r"|current (?:\w+ )?(?:price|rate|status|version|president|ceo|time|date|weather|events|score|temperature))\b"
    r"|\b(?:price of|cost of|how much (?:is|are|does)) (?:bitcoin|gold|oil|ethereum|gas|petrol|a barrel)",
    re.IGNORECASE,
)


def timely(text: str) -> bool:
    """Whether the ask speaks of the present moment; English. About 5 us for a sentence."""
    return _TIMELY.search(text[:READ]) is not None
