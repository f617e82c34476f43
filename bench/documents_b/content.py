"""What a document says, before it is set: addresses, lines, sums; all exact."""

import datetime
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from bench.documents_b import words

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Address:
    """A firm or person with 2-5 lines below the name."""

    name: str
    street: str
    postcode: str
    city: str
    extra: tuple[str, ...]
    land: str | None

    def lines(self) -> list[str]:
        """As set on paper."""
        land = [self.land] if self.land else []
        return [self.name, *self.extra, self.street, f"{self.postcode} {self.city}", *land]


@dataclass(frozen=True, slots=True)
class Item:
    """A line of an invoice. `rebate` is in percent."""

    sku: str
    description: tuple[str, ...]
    quantity: Decimal
    unit: str
    price: Decimal
    rebate: int
    rate: int
    total: Decimal


@dataclass(frozen=True, slots=True)
class Invoice:
    """Everything an invoice says."""

    number: str
    date: datetime.date
    due: datetime.date
    days: int
    customer_no: str
    po: str | None
    delivery_note: str | None
    customer: Address
    currency: str
    items: tuple[Item, ...]
    net: Decimal
    discount: Decimal
    shipping: Decimal
    taxes: tuple[tuple[int, Decimal, Decimal], ...]
    gross: Decimal
    reverse: bool
    clerk: str


@dataclass(frozen=True, slots=True)
class Box:
    """A container."""

    number: str
    seal: str
    size: str
    packages: int
    weight: Decimal
    volume: Decimal


@dataclass(frozen=True, slots=True)
class Freight:
    """A bill of lading or air waybill: plain values by name, parties, containers, charges (code, amount)."""

    values: dict[str, str | int | Decimal | datetime.date | None]
    parties: dict[str, Address | None]
    boxes: tuple[Box, ...] = ()
    charges: tuple[tuple[str, Decimal], ...] = ()
    goods: tuple[str, ...] = field(default=())


def cents(value: Decimal) -> Decimal:
    """Rounded half up to the cent."""
    return value.quantize(CENT, ROUND_HALF_UP)


def digits(rng: Random, count: int) -> str:
    """So many digits, the first not 0."""
    return str(rng.randint(10 ** (count - 1), 10**count - 1))


def fill(rng: Random, pattern: str, when: datetime.date) -> str:
    """`#` is a digit, `@` a letter, `YYYY` and `YY` the year."""
    text = pattern.replace("YYYY", f"{when:%Y}").replace("YY", f"{when:%y}")
    swap = {"#": lambda: str(rng.randint(0, 9)), "@": lambda: rng.choice("ABCDEFGHKLMNPRSTUVWX")}
    return "".join(swap[char]() if char in swap else char for char in text)


def address(rng: Random, language: str, *, abroad: bool | None = None) -> Address:
    """A made-up one with 3-6 lines in all."""
    city = rng.choice(words.CITIES[language])
    street, house = rng.choice(words.STREETS[language]), rng.randint(1, 240)
    first = language in ("en", "fr")
    extra = []
    if rng.random() < 0.35:
        extra.append(rng.choice(("c/o ", "Attn. ", "z.Hd. ", "")) + rng.choice(words.PEOPLE))
    if rng.random() < 0.25:
        extra.append(rng.choice(("Unit 4", "Building C", "2nd floor", "Postfach 1204", "Dept. Accounts")))
    code = f"{rng.choice('BLNGS')}{rng.choice('SENR')}{rng.randint(1, 20)} {rng.randint(1, 9)}{rng.choice('ABDEH')}X"
    dutch = f"{digits(rng, 4)} {rng.choice('ABCD')}{rng.choice('EFGH')}"
    post = {"en": code, "nl": dutch}.get(language, digits(rng, 5))
    shown = rng.random() < 0.4 if abroad is None else abroad
    return Address(
        f"{rng.choice(words.FIRMS[language])} {rng.choice(words.FORMS[language])}",
        f"{house} {street}" if first else f"{street} {house}",
        post,
        city,
        tuple(extra),
        words.LANDS[language] if shown else None,
    )


def day(rng: Random) -> datetime.date:
    """A day of three years."""
    return datetime.date(2022, 1, 1) + timedelta(days=rng.randint(0, 1095))


def item(rng: Random, language: str, rates: tuple[int, ...], rebates: bool, tails: float) -> Item:
    """A line that adds up."""
    what = f"{rng.choice(words.ADJECTIVES[language])} {rng.choice(words.NOUNS[language])}"
    more: list[str] = []
    while rng.random() < tails and len(more) < 2:
        more.append(rng.choice(words.TAILS[language]).format(n=rng.randint(3, 9999)))
    quantity = Decimal(rng.choice((1, 1, 2, 5, 10, 25))) if rng.random() < 0.8 else Decimal(rng.randint(1, 400)) / 4
    price = Decimal(rng.randint(50, 90000 if rng.random() < 0.2 else 9000)) / 100
    rebate = rng.choice((0, 0, 5, 10)) if rebates else 0
    total = cents(quantity * price * (100 - rebate) / 100)
    sku = fill(rng, rng.choice(("@@-####", "######", "###.###", "@###")), datetime.date(2024, 1, 1))
    unit = rng.choice(words.UNITS[language])
    return Item(sku, (what, *more), quantity, unit, price, rebate, rng.choice(rates), total)
