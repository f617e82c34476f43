"""Numbers, dates and currencies in running text, in the ways that documents write them."""

import datetime
import re
from typing import NamedTuple


class NumberAt(NamedTuple):
    """A number in text[start:end]."""

    start: int
    end: int
    value: float
    plain: str
    """Without grouping, with a decimal point."""


class DateAt(NamedTuple):
    """A date in text[start:end]; `iso` has one entry for each order of its parts that gives a day of the calendar."""

    start: int
    end: int
    iso: dict[str, str]


class MarkAt(NamedTuple):
    """A currency in text[start:end] and its ISO 4217 code."""

    start: int
    end: int
    code: str


LONGEST = 24
"""Characters of a number, at most; what is longer is no amount."""
_SPACES = "\u0020\u00a0\u2009\u202f"
_FORMS = {"dot": (",'’", "."), "comma": (".", ","), "space": (_SPACES, ".,")}
STYLES = tuple(_FORMS)
"""1,234.56; 1.234,56; 1 234,56 (with either decimal sign)."""
_NUMBER = {
    style: re.compile(
        rf"(?<![\dOIlSBZ])(?<!\d[.,'’])(?:\d{{1,3}}(?:[{groups}]\d{{3}})+|\d+)(?:[{points}]\d+)?(?![.,'’]?[\dOoISZ])"
    )
    for style, (groups, points) in _FORMS.items()
}
_MINUS = re.compile(
    r"(?:(?<=[\s€$£¥₹])|(?<=EUR|USD|GBP|CHF|JPY|PLN|SEK|NOK|DKK|CAD|AUD)|^)[-−](?:[€$£¥₹]|[A-Z]{3})?$|\([€$£¥₹]?$"
)
SYMBOLS = {
    "€": "EUR", "$": "USD", "US$": "USD", "£": "GBP", "¥": "JPY", "₹": "INR", "zł": "PLN", "C$": "CAD", "CA$": "CAD",
    "A$": "AUD", "AU$": "AUD", "NZ$": "NZD", "HK$": "HKD", "S$": "SGD", "R$": "BRL", "₩": "KRW", "₺": "TRY", "₽": "RUB",
    "Kč": "CZK", "Ft": "HUF", "₫": "VND", "฿": "THB", "₪": "ILS", "₴": "UAH", "RM": "MYR", "Rp": "IDR",
}  # fmt: skip
CODES = frozenset(
    [
        "EUR",
        "USD",
        "GBP",
        "JPY",
        "INR",
        "PLN",
        "CAD",
        "AUD",
        "NZD",
        "HKD",
        "SGD",
        "BRL",
        "KRW",
        "TRY",
        "RUB",
        "CZK",
        "HUF",
        "VND",
        "THB",
        "ILS",
        "UAH",
        "MYR",
        "IDR",
        "CHF",
        "SEK",
        "NOK",
        "DKK",
        "CNY",
        "ZAR",
        "MXN",
        "AED",
        "SAR",
        "RON",
        "BGN",
        "ISK",
        "PHP",
        "TWD",
        "CLP",
        "COP",
        "PEN",
        "ARS",
        "EGP",
        "QAR",
        "KWD",
    ]
)
_MARK = re.compile(r"(?<![^\W\d_])(?:[A-Z]{3}|zł|Kč|Ft|RM|Rp)(?![^\W\d_])|(?:US|CA|C|AU|A|NZ|HK|S|R)?\$|[€£¥₹₩₺₽₫฿₪₴]")
_MONTHS = (
    "january jan januar janvier janv enero ene gennaio gen januari janeiro stycznia styczeń sty",
    "february feb februar février févr fév febrero febbraio februari fevereiro fev lutego luty lut",
    "march mar märz mär mrz mars marzo maart mrt março marca marzec",
    "april apr avril avr abril abr aprile kwietnia kwiecień kwi",
    "may mai mayo maggio mag mei maio maja maj",
    "june jun juni juin junio giugno giu junho czerwca czerwiec cze",
    "july jul juli juillet juil julio luglio lug julho lipca lipiec lip",
    "august aug août aout agosto ago augustus augusti sierpnia sierpień sie",
    "september sep sept septembre septiembre settembre set setembro września wrzesień wrz",
    "october oct oktober okt octobre octubre ottobre ott outubro out oktobris października paź",
    "november nov novembre noviembre novembro listopada listopad lis",
    "december dec dezember dez décembre déc diciembre dic dicembre dezembro grudnia grudzień gru",
)
MONTHS = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}
_NAME = r"[^\W\d_]{3,12}"
_DATE = re.compile(
    rf"(?<![\w.,/-])(?:(?P<y>\d{{4}})(?P<s>[-/.])(?P<m>\d{{1,2}})(?P=s)(?P<d>\d{{1,2}})"
    rf"|(?P<a>\d{{1,2}})(?P<t>[-/.])(?P<b>\d{{1,2}})(?P=t)(?P<c>\d{{4}}|\d{{2}})"
    rf"|(?P<d2>\d{{1,2}})(?:st|nd|rd|th|\.)?(?:\sde\s|\s|-|/)?(?P<n2>{_NAME})\.?,?(?:\s|-|/|\sde\s)?(?P<y2>\d{{4}}|\d{{2}})"
    rf"|(?P<c8>(?:19|20)\d{{6}}))(?![\w/-])(?!\.\d)"
    rf"|\b(?P<n3>{_NAME})\.?[\s-](?P<d3>\d{{1,2}})(?:st|nd|rd|th)?,?[\s-](?P<y3>\d{{4}})(?!\d)",
    re.IGNORECASE,
)


def numbers(text: str, style: str) -> list[NumberAt]:
    """Numbers as `style` reads them; a minus or a parenthesis right before counts, a minus right after too."""
    groups, _ = _FORMS[style]
    found = []
    for match in _NUMBER[style].finditer(text):
        start, end = match.span()
        if end - start > LONGEST:
            continue
        plain = "".join(char for char in match[0] if char not in groups).replace(",", ".")
        before = text[max(0, start - 5) : start]
        negative = bool(_MINUS.search(before)) or (
            text[end : end + 1] in {"-", "−"} and text[end + 1 : end + 2] in " \n"
        )
        if negative and before.endswith("("):
            negative = text[end : end + 1] == ")"
        if negative:
            plain = "-" + plain
        found.append(NumberAt(start, end, float(plain), plain))
    return found


def dates(text: str) -> list[DateAt]:
    """Dates, each with the orders of its parts that are possible."""
    found = []
    for match in _DATE.finditer(text):
        part = match.groupdict()
        if part["y"]:
            tried = {"ymd": (part["y"], part["m"], part["d"])}
        elif part["c8"]:
            tried = {"ymd": (part["c8"][:4], part["c8"][4:6], part["c8"][6:])}
        elif part["a"]:
            tried = {"dmy": (part["c"], part["b"], part["a"]), "mdy": (part["c"], part["a"], part["b"])}
            if len(part["c"]) == 2 and len(part["a"]) == 2:
                tried["yymd"] = (part["a"], part["b"], part["c"])
        else:
            if (part["n2"] or part["n3"]).casefold() not in MONTHS:
                continue
            year, name, day = (
                (part["y2"], part["n2"], part["d2"]) if part["n2"] else (part["y3"], part["n3"], part["d3"])
            )
            tried = {"name": (year, str(MONTHS[name.casefold()]), day)}
        iso = {order: day for order, parts in tried.items() if (day := _day(*parts))}
        if iso:
            found.append(DateAt(*match.span(), iso))
    return found


def _day(year: str, month: str, day: str) -> str | None:
    full = int(year) + 2000 if len(year) == 2 else int(year)
    try:
        return datetime.date(full, int(month), int(day)).isoformat()
    except ValueError:
        return None


def marks(text: str) -> list[MarkAt]:
    """Currency symbols and codes. A symbol that several currencies share is read as the most traded one."""
    found = ((match, SYMBOLS.get(match[0], match[0])) for match in _MARK.finditer(text))
    return [MarkAt(*match.span(), code) for match, code in found if code in CODES]
