"""Figures with their units as answers write them: currencies, percent, separators of several locales, scales."""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from sluice_sidecar.cache.reuse import lexicon as lex

_GROUP = ",.'’ \u00a0\u202f\u2009"
FIGURE = rf"[-+−]?(?:\d{{1,3}}(?:[{_GROUP}]\d{{3}})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?)(?![\d])"
_QUANTITY = re.compile(
    rf"(?P<about>(?:about|around|approximately|approx\.?|roughly|exactly|~|≈)\s*)?"
    rf"(?P<before>[-+−]?(?:\b(?:us\$|usd|eur|gbp|chf|jpy|inr|cny|cad|aud|btc)|[$€£¥₹]))?\s?(?P<figure>{FIGURE})"
    r"(?:[\s-]?(?P<scale>hundred|thousand|million|billion|trillion|mn|bn|[km](?![^\W\d_])))?"
    r"\s?(?P<after>[$€£¥₹%°]?[^\W\d_]*(?:/[^\W\d_]+)?)",
    re.IGNORECASE,
)
_SHORT = {"m": "meter", "g": "gram", "h": "hour", "l": "liter", "s": "sec"}
_SCALES = {**lex.SCALES, **lex.SUFFIXES, "m": 10**6}
_ONE = Decimal(1)
_BASES: dict[str, tuple[str, Decimal]] = {
    name: (base, Decimal(factor))
    for base, units in {
        "meter": "km 1000 meter 1 cm 0.01 mm 0.001", "gram": "kg 1000 gram 1 mg 0.001", "ml": "liter 1000 ml 1",
        "sec": "week 604800 day 86400 hour 3600 minute 60 sec 1 ms 0.001", "inch": "mi 63360 yard 36 foot 12 inch 1",
        "ounce": "lb 16 ounce 1", "year": "century 100 decade 10 year 1", "watt": "kw 1000 watt 1",
    }.items()
    for name, factor in zip(units.split()[::2], units.split()[1::2], strict=True)
}  # fmt: skip
"""Units that convert exactly, to the one they are counted in: 2 weeks are 14 days, but a mile is no round kilometre."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value and its unit, in the unit's base; unit "" for a plain figure."""

    value: Decimal
    unit: str

    def __str__(self) -> str:
        return f"{plain(self.value)} {self.unit}".rstrip()


def quantity(text: str) -> Quantity | None:
    """The one quantity that a text consists of; None for any other text, and for a code with leading zeros."""
    if len(text) > 48:
        return None
    found = _QUANTITY.fullmatch(text.strip())
    return None if found is None else _read(found)


def quantities(text: str) -> frozenset[Quantity]:
    """Every quantity that stands in a text. O(len(text))."""
    found = (_read(match) or _bare(match["figure"]) for match in _QUANTITY.finditer(text))
    return frozenset(one for one in found if one is not None)


def plain(value: Decimal) -> str:
    """A decimal without trailing zeros; with an exponent only where its digits would fill a page."""
    value = value.normalize()
    exponent = value.as_tuple().exponent
    short = isinstance(exponent, int) and -60 < exponent < 60
    return (format(value, "f") if short else str(value)) if value else "0"


def value_of(figure: str) -> Decimal | None:
    """The value of digits with separators; a single separator before three digits groups if it is no point."""
    text = figure.replace("−", "-")
    for space in "'’ \u00a0\u202f\u2009":
        text = text.replace(space, "")
    digits = text.lstrip("+-")
    if len(digits) > 1 and digits[0] == "0" and digits[1].isdigit():
        return None
    last = max(text.rfind(","), text.rfind("."))
    if "," in text and "." in text:
        mark = text[last]
        text = text.replace("," if mark == "." else ".", "").replace(",", ".")
    elif text.count(",") == 1:
        text = text.replace(",", "" if len(text) - last == 4 and digits[0] != "0" else ".")
    elif text.count(",") > 1 or text.count(".") > 1:
        text = text.replace(",", "").replace(".", "")
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def rounded(one: Decimal, other: Decimal) -> bool:
    """Whether one is the other at fewer decimals, or the same digits read with a point that groups."""
    if one == other:
        return True
    places = max(min(_places(one), _places(other)), 0)
    step = _ONE.scaleb(-places)
    try:
        if places < max(_places(one), _places(other)) and one.quantize(step) == other.quantize(step):
            return True
    except InvalidOperation:
        return False
    small, large = sorted((one, other), key=abs)
    return abs(small) < 1000 and _places(small) > 0 and 1000 * small == large


def readings(measured: Quantity) -> frozenset[Decimal]:
    """The figures with which a quantity is written when its unit is left out: 5 kg as 5 or 5000, 50 % as 0.5."""
    factors = [factor for base, factor in _BASES.values() if base == measured.unit] or [_ONE]
    share = [Decimal(100)] if measured.unit == "%" else []
    return frozenset(measured.value / factor for factor in [*factors, *share])


def _places(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _bare(figure: str) -> Quantity | None:
    value = value_of(figure)
    return None if value is None else Quantity(value, "")


def _read(found: "re.Match[str]") -> Quantity | None:
    value = value_of(found["figure"])
    if value is None:
        return None
    before, after = (found["before"] or "").casefold(), found["after"].casefold()
    if before[:1] in {"-", "+", "−"}:
        value, before = (value if before[0] == "+" else -value), before[1:]
    scale = found["scale"] or ""
    money = lex.UNITS.get(before, "")
    if scale == "m" and not money:  # "5m" is a length, "5M" and "$5m" are millions
        scale, after = "", scale + after
    if scale:
        value *= _SCALES[scale.casefold()]
    unit = _SHORT.get(after) or lex.UNITS.get(after, "")
    if (before and not money) or (after and not unit) or (money and unit and money != unit):
        return None
    base, factor = _BASES.get(unit, (money or unit, _ONE))
    return Quantity(value * factor, base)


def folded(text: str) -> str:
    """Without accents, in lower case, letters and digits alone."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in apart if char.isalnum())
