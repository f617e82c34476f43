"""Receipts of shops that share five tills: the same labels and setting in many shops, read by OCR."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

from bench.documents_b import words
from bench.documents_b.content import cents, day, digits
from bench.documents_b.ocr import dusty, scanned

WIDTH = 40


@dataclass(frozen=True, slots=True)
class Till:
    """A kind of point of sale: its words, and how it sets lines."""

    subtotal: str
    tax: str
    total: str
    cash: str
    card: str
    change: str
    number: str
    clerk: str
    when: str
    thanks: str
    counted: str
    comma: bool
    centred: bool
    dots: bool


TILLS = (
    Till("SUBTOTAL", "SALES TAX", "TOTAL", "CASH", "VISA", "CHANGE", "RECEIPT #", "CASHIER", "%m/%d/%Y {t}",
         "THANK YOU COME AGAIN", "ITEMS SOLD", False, True, False),
    Till("Zwischensumme", "MwSt", "SUMME EUR", "BAR", "EC-Karte", "RÜCKGELD", "Bon-Nr.", "Bediener", "%d.%m.%Y {t}",
         "Vielen Dank für Ihren Einkauf", "Posten", True, True, False),
    Till("SOUS-TOTAL", "DONT TVA", "TOTAL TTC", "ESPECES", "CB", "RENDU", "TICKET N°", "VENDEUR", "Le %d/%m/%y à {t}",
         "MERCI DE VOTRE VISITE", "NB ARTICLES", True, False, True),
    Till("Sub Total", "GST 6%", "Total Amount", "Cash", "Card", "Change", "Invoice No", "Cashier", "Date: %d-%m-%Y {t}",
         "GOODS SOLD ARE NOT RETURNABLE", "Total Qty", False, False, False),
    Till("Subtotaal", "BTW", "TE BETALEN", "CONTANT", "PIN", "WISSELGELD", "Bonnr", "Kassa", "{t}  %d-%m-%Y",
         "Bedankt en tot ziens", "Aantal art.", True, True, True),
)  # fmt: skip

GOODS = ("MILK 1L", "BREAD WW", "EGGS 12", "COFFEE 250G", "BATTERY AA", "SOAP BAR", "RICE 5KG", "TEA BOX", "PEN BLUE",
         "NOTEBOOK A5", "LAMP E27", "CHEESE", "APPLES KG", "BANANA", "OLIVE OIL", "NAPKINS", "YOGHURT")  # fmt: skip
SHOPS = ("MINI MART", "Papier & Co", "SUPER U", "HARDWARE 24", "Bakkerij Smit", "CORNER CAFE", "Drogerie Kolb",
         "ELECTRO", "FRESH FOODS", "GARDEN HUT")  # fmt: skip
PROMPTS = (
    "Extract company, address, date and total from this receipt as JSON.\n\n{text}",
    "{text}\n\nGive merchant, number, date, items (description, amount), subtotal, tax, total, paid_by as JSON.",
    "Receipt:\n{text}\n\nReturn {date, time, total, change} as JSON. Numbers as numbers.",
)


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop with its till, address and the workload its receipts go to."""

    name: str
    till: Till
    title: str
    street: str
    city: str
    phone: str
    workload: int
    cards: float


def shop(place: int, seed: int) -> Shop:
    """The place-th shop; shop `place` has till `place % 5`."""
    rng = Random(seed * 6029 + place)
    language = rng.choice(words.LANGUAGES)
    return Shop(
        f"shop-{place}",
        TILLS[place % len(TILLS)],
        f"{rng.choice(SHOPS)} {rng.choice(('', 'No. ' + str(rng.randint(2, 90)), 'SDN BHD', 'GmbH', 'B.V.'))}".strip(),
        f"{rng.choice(words.STREETS[language])} {rng.randint(1, 99)}",
        f"{digits(rng, 5)} {rng.choice(words.CITIES[language])}",
        f"{digits(rng, 3)}-{digits(rng, 7)}",
        place // len(TILLS) % len(PROMPTS),
        rng.choice((0.0, 0.5, 1.0)),
    )


def receipt(at: Shop, rng: Random, rate: float) -> tuple[str, dict[str, Any]]:
    """The prompt with a misread receipt, and what a careful model answers from it."""
    till = at.till
    when, clock = day(rng), f"{rng.randint(8, 21):02}:{rng.randint(0, 59):02}"
    goods = [(rng.choice(GOODS), Decimal(rng.randint(49, 4999)) / 100) for _ in range(rng.choice((1, 2, 3, 4, 6, 9)))]
    subtotal = sum((price for _, price in goods), Decimal(0))
    tax = cents(subtotal * 6 / 100)
    total = subtotal + tax
    card = rng.random() < at.cards
    cash = total if card else (total // 10 + 1) * 10
    number = digits(rng, 6)
    lines: list[str] = []
    taken: dict[str, str] = {}

    def line(*parts: tuple[str, str | None] | str) -> None:
        out = ""
        for part in parts:
            text, name = part if isinstance(part, tuple) else (part, None)
            seen, understood = scanned(rng, text, rate, solid=name is not None)
            out += seen
            if name:
                taken[name] = understood
        lines.append(dusty(rng, out, rate).rstrip())

    def money(value: Decimal) -> str:
        return f"{value:.2f}".replace(".", ",") if till.comma else f"{value:.2f}"

    def row(label: str, value: Decimal, name: str | None) -> None:
        room = " " if till.dots is False else "."
        gap = room * max(1, WIDTH - len(label) - len(money(value)))
        lines_before = len(lines)
        line(label, (money(value), name))
        whole = lines[lines_before]
        at_ = len(whole) - len(money(value))
        lines[lines_before] = whole[:at_].rstrip() + " " + gap[1:-1] + " " + whole[at_:].lstrip()

    for text, name in ((at.title, "title"), (at.street, "street"), (at.city, "city")):
        pad = " " * ((WIDTH - len(text)) // 2) if till.centred else ""
        line(pad, (text, name))
    line(f"TEL {at.phone}")
    line("")
    line(f"{till.number} ", (number, "number"), f"   {till.clerk} {rng.randint(1, 9)}")
    stamp = when.strftime(till.when)
    before, after = stamp.split("{t}")
    shape = {"%m/%d/%Y": "%m/%d/%Y", "%d.%m.%Y": "%d.%m.%Y", "%d/%m/%y": "%d/%m/%y", "%d-%m-%Y": "%d-%m-%Y"}
    printed = next(when.strftime(one) for one in shape if one in till.when)
    if before.strip():
        line(before.split(printed)[0], (printed, "date"), before.split(printed)[1], (clock, "time"))
    else:
        line((clock, "time"), after.split(printed)[0], (printed, "date"))
    line("-" * WIDTH)
    for place, (what, price) in enumerate(goods):
        gap = " " * max(2, WIDTH - len(what) - len(money(price)))
        line((what, f"what{place}"), gap, (money(price), f"price{place}"))
    line("-" * WIDTH)
    row(till.subtotal, subtotal, "subtotal")
    row(till.tax, tax, "tax")
    row(till.total, total, "total")
    row(till.card if card else till.cash, cash, None)
    if not card:
        row(till.change, cash - total, "change")
    line(f"{till.counted}: {len(goods)}")
    line(till.thanks)

    def number_of(name: str) -> float | int:
        value = Decimal(taken[name].replace(",", "."))
        return int(value) if value == value.to_integral_value() else float(value)

    if at.workload == 0:
        answer: dict[str, Any] = {
            "company": at.title,
            "address": f"{at.street}, {at.city}",
            "date": taken["date"],
            "total": taken["total"],
        }
    elif at.workload == 1:
        answer = {
            "merchant": at.title,
            "number": taken["number"],
            "date": taken["date"],
            "items": [
                {"description": taken[f"what{place}"], "amount": number_of(f"price{place}")}
                for place in range(len(goods))
            ],
            "subtotal": number_of("subtotal"),
            "tax": number_of("tax"),
            "total": number_of("total"),
            "paid_by": "card" if card else "cash",
        }
    else:
        answer = {
            "date": taken["date"],
            "time": taken["time"],
            "total": number_of("total"),
            "change": None if card else number_of("change"),
        }
    return PROMPTS[at.workload].replace("{text}", "\n".join(lines)), answer


def receipts(shops: int, each: int, rate: float, seed: int) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Kind, shop, prompt, answer; shops interleaved."""
    rng = Random(seed + 2)
    made = [shop(place, seed) for place in range(shops)]
    order = [place for place in range(shops) for _ in range(each)]
    rng.shuffle(order)
    for place in order:
        text, answer = receipt(made[place], rng, rate)
        yield "receipt", made[place].name, text, answer
