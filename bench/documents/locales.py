"""Numbers, dates and amounts as a locale writes them."""

import datetime
from dataclasses import dataclass
from random import Random

GROUPS = {"dot": (",", "."), "comma": (".", ","), "space": (" ", ","), "thin": ("\u202f", ","), "bare": ("", ".")}
DATES = {
    "iso": "%Y-%m-%d",
    "german": "%d.%m.%Y",
    "british": "%d/%m/%Y",
    "american": "%m/%d/%Y",
    "words": "%d %B %Y",
    "us words": "%B %d, %Y",
    "short": "%d-%b-%Y",
    "two": "%d.%m.%y",
    "dashes": "%d-%m-%Y",
}
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "PLN": "zł", "JPY": "¥", "CHF": "CHF"}


@dataclass(frozen=True)
class Locale:
    """`mark`: how a currency is written: code or symbol, before or behind, or not at amounts at all."""

    groups: str
    date_form: str
    mark: str

    def number(self, value: float, decimals: int = 2) -> str:
        group, point = GROUPS[self.groups]
        return f"{value:,.{decimals}f}".replace(",", "\0").replace(".", point).replace("\0", group)

    def quantity(self, value: float) -> str:
        return self.number(value, 0 if value == int(value) else 2)

    def date(self, day: datetime.date) -> str:
        return day.strftime(DATES[self.date_form])

    def amount(self, value: float, currency: str) -> str:
        text, symbol = self.number(value), SYMBOLS[currency]
        return {
            "none": text,
            "code before": f"{currency} {text}",
            "code behind": f"{text} {currency}",
            "symbol": f"{symbol}{text}",
            "symbol behind": f"{text} {symbol}",
        }[self.mark]


LANGUAGES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "en": (("dot", "bare"), ("iso", "british", "american", "words", "us words", "short")),
    "de": (("comma",), ("german", "two", "iso")),
    "fr": (("space", "thin"), ("british", "german")),
    "nl": (("comma",), ("dashes", "german")),
    "pl": (("space",), ("german", "iso")),
    "es": (("comma",), ("british", "dashes")),
}


def locale(rng: Random, language: str) -> Locale:
    """A locale that the language may use."""
    groups, dates = LANGUAGES[language]
    marks = ("none", "none", "code before", "code behind", "symbol", "symbol behind")
    return Locale(rng.choice(groups), rng.choice(dates), rng.choice(marks))
