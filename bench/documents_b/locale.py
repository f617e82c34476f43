"""How amounts and dates are written, by country."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "de": ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
           "Dezember"),
    "fr": ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
           "décembre"),
    "es": ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre",
           "noviembre", "diciembre"),
    "nl": ("januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober",
           "november", "december"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Locale:
    """Separators, place of the currency and pattern of a date (strftime; `%B` is the month in `language`)."""

    language: str
    thousands: str
    decimal: str
    money: str
    when: str

    def number(self, value: Decimal, places: int = 2) -> str:
        """The value with separators, `places` decimals."""
        text = f"{value:,.{places}f}"
        return "".join({",": self.thousands, ".": self.decimal}.get(char, char) for char in text)

    def amount(self, value: Decimal, symbol: str) -> str:
        """A sum of money, as `money` says: `{v}`, `{s}{v}`, `{v} {s}`."""
        return self.money.format(v=self.number(value), s=symbol)

    def date(self, when: date) -> str:
        """The day as written here."""
        return when.strftime(self.when.replace("%B", MONTHS[self.language][when.month - 1]))


DATES = {
    "en": ("%d/%m/%Y", "%d %B %Y", "%B %d, %Y", "%Y-%m-%d", "%m/%d/%Y"),
    "de": ("%d.%m.%Y", "%d. %B %Y", "%d.%m.%y"),
    "fr": ("%d/%m/%Y", "%d %B %Y", "%d/%m/%y"),
    "es": ("%d/%m/%Y", "%d de %B de %Y", "%d-%m-%Y"),
    "nl": ("%d-%m-%Y", "%d %B %Y"),
}
SEPARATORS = {
    "en": ((",", "."), ("", ".")),
    "de": ((".", ","), ("", ",")),
    "fr": ((" ", ","), ("\u00a0", ",")),
    "es": ((".", ","), ("", ",")),
    "nl": ((".", ","),),
}
SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$", "CHF": "CHF"}
