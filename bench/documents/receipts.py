"""Receipts of shops, as a scanner's OCR reads them: characters taken for others, lost spaces, broken lines."""

import datetime
from dataclasses import dataclass
from random import Random
from typing import Any

from bench.documents.locales import Locale, locale
from bench.documents.vocabulary import STREETS, THINGS, firm

TAKEN_FOR = {
    "0": "O",
    "O": "0",
    "1": "l",
    "l": "1",
    "5": "S",
    "S": "5",
    "8": "B",
    "B": "8",
    "i": "1",
    "o": "0",
    "e": "c",
    "a": "o",
    "n": "ri",
    "m": "rn",
    "t": "f",
    ".": ",",
    ",": ".",
    "6": "G",
    "2": "Z",
    "u": "v",
    "9": "g",
}


WORDS = (
    ("DATE", "TIME", "RECEIPT NO", "ITEM", "PRICE", "TOTAL"),
    ("Date:", "Time:", "Trans:", "Description", "Amount", "Total due"),
    ("Datum", "Zeit", "Bon-Nr.", "Artikel", "EUR", "SUMME"),
    ("Le", "Heure", "Ticket", "Article", "Montant", "TOTAL TTC"),
    ("Sold on", "at", "Slip #", "Goods", "Sum", "TO PAY"),
)


@dataclass(frozen=True)
class Shop:
    """The layout of one shop's receipts."""

    name: str
    title: str
    street: str
    locale: Locale
    wide: int
    taxed: bool
    thanks: str
    words: tuple[str, str, str, str, str, str]

    def document(self, rng: Random, noise: float) -> tuple[str, Any]:
        """A receipt with OCR noise (share of characters misread) and what a model makes of it: names of items as they
        stand, figures and dates mended, the shop's name as it is known."""
        local, says = self.locale, self.words
        day = datetime.date(2024, 1, 1) + datetime.timedelta(days=rng.randrange(700))
        rows, items, total = [], [], 0.0
        for _ in range(rng.randint(1, 7)):
            what, price = misread(rng.choice(THINGS), rng, noise), round(rng.uniform(0.4, 60), 2)
            total += price
            rows.append(f"{what:<{self.wide}}" + misread(f"{local.number(price):>8}", rng, noise))
            items.append({"item": what, "price": price})
        total = round(total, 2)
        number = f"{rng.randint(1000, 9999)}"
        time = f"{rng.randint(8, 20):02d}:{rng.randint(0, 59):02d}"
        head = [
            self.title,
            self.street,
            "",
            f"{says[0]} {local.date(day)}   {says[1]} {time}",
            f"{says[2]} {number}",
            "",
            f"{says[3]:<{self.wide}}{says[4]:>8}",
        ]
        foot = ["", f"{says[5]:<{self.wide}}{local.number(total):>8}"]
        if self.taxed:
            foot.append(f"{'INCL. VAT':<{self.wide}}{local.number(round(total / 6, 2)):>8}")
        foot += ["", self.thanks]
        answer = {"store": self.title, "date": day.isoformat(), "receipt": number, "items": items, "total": total}
        text = "\n".join([misread("\n".join(head), rng, noise), *rows, misread("\n".join(foot), rng, noise)])
        return text, answer


def misread(text: str, rng: Random, noise: float) -> str:
    """A character is taken for a similar one with probability `noise`; a space is lost or doubled a fifth as often."""
    out = []
    for char in text:
        if char in TAKEN_FOR and rng.random() < noise:
            out.append(TAKEN_FOR[char])
        elif char == " " and rng.random() < noise / 5:
            out.append("" if rng.random() < 0.5 else "  ")
        else:
            out.append(char)
    return "".join(out)


def shop(seed: int) -> Shop:
    """Shop number `seed`."""
    rng = Random(7000 + seed)
    return Shop(
        f"receipt-{seed}",
        firm(rng),
        f"{rng.randint(1, 99)} {rng.choice(STREETS)}",
        locale(rng, rng.choice(("en", "de", "fr"))),
        rng.choice((24, 28, 34)),
        rng.random() < 0.5,
        rng.choice(("THANK YOU", "Have a nice day", "Please come again")),
        rng.choice(WORDS),
    )
