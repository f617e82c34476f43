"""How one supplier's (or forwarder's) documents are laid out."""

import dataclasses
from dataclasses import dataclass
from random import Random

from bench.documents_b import words
from bench.documents_b.answers import WORKLOADS, vat_id
from bench.documents_b.content import Address, address, digits
from bench.documents_b.locale import DATES, SEPARATORS, Locale
from bench.documents_b.page import Look

HEAD = ("number", "date", "due", "customer_no", "po", "delivery_note")


@dataclass(frozen=True, slots=True)
class Supplier:
    """A layout. `chosen` says which wording of each label; `head` and `columns` are in printed order."""

    name: str
    kind: str
    local: Locale
    look: Look
    address: Address
    chosen: dict[str, int]
    head: tuple[str, ...]
    columns: tuple[str, ...]
    workload: int
    pattern: str
    vat_id: str
    iban: str
    bic: str
    currencies: tuple[str, ...]
    rates: tuple[int, ...]
    days: tuple[int, ...]
    with_po: float
    with_note: float
    reverse: float
    term: int
    indent: int
    per_page: int
    symbol: bool
    rebates: bool
    discounts: bool
    shipping: bool
    banked: bool
    based: bool
    grouped: bool
    carries: bool
    mirrored: bool
    long: bool

    def label(self, name: str) -> str:
        """The label in this supplier's words."""
        said = words.FREIGHT[name] if self.kind != "invoice" else words.LABELS[name][self.local.language]
        return said[self.chosen.get(name, 0) % len(said)]

    def column(self, name: str) -> str:
        """The heading of a column."""
        said = words.COLUMNS[name][self.local.language]
        return said[self.chosen.get("column_" + name, 0) % len(said)]


def supplier(kind: str, name: str, seed: int) -> Supplier:
    """A layout drawn by `seed`."""
    rng = Random(seed)
    language = rng.choice(words.LANGUAGES)
    separators = rng.choice(SEPARATORS[language])
    local = Locale(
        language, *separators, rng.choice(("{v}", "{v} {s}", "{s} {v}", "{s}{v}")), rng.choice(DATES[language])
    )
    style = rng.choice(("layout", "layout", "layout", "plain", "plain", "mail", "markdown"))
    look = Look(
        style,
        {"layout": rng.choice(("colon", "aligned", "grid")), "plain": rng.choice(("colon", "stacked", "turns"))}.get(
            style, rng.choice(("colon", "grid"))
        ),
        {"layout": rng.choice(("tight", "ruled", "airy"))}.get(style, rng.choice(("lines", "spaces"))),
        rng.choice((2, 3, 5)),
        rng.choice((":", ":", " :", "")),
        rng.random() < 0.3,
    )
    columns = ["sku", "description", "quantity", "unit", "price", "rate", "total"]
    if rng.random() < 0.4:
        columns.remove("rate")
        columns.insert(2, "rate")
    if rng.random() < 0.5:
        columns.insert(0, "pos")
    rebates = rng.random() < 0.25
    if rebates:
        columns.insert(columns.index("total"), "rebate")
    head = list(HEAD)
    rng.shuffle(head)
    long = rng.random() < 0.25
    euro = ("EUR",) if language != "en" else (rng.choice(("GBP", "USD")),)
    return Supplier(
        name=name,
        kind=kind,
        local=local,
        look=look,
        address=address(rng, language),
        chosen={label: rng.randint(0, 11) for label in (*words.LABELS, *words.FREIGHT)}
        | {"column_" + column: rng.randint(0, 11) for column in words.COLUMNS},
        head=tuple(head),
        columns=tuple(columns),
        workload=rng.randrange(len(WORKLOADS[kind])),
        pattern=_pattern(rng, kind),
        vat_id=vat_id(language, digits(rng, 9)),
        iban=_iban(rng, language),
        bic="".join(rng.choice("ABCDEFGHKLMNPR") for _ in range(8)),
        currencies=("EUR", "USD", "CHF", "GBP") if rng.random() < 0.25 else euro,
        rates=rng.choice(((19,), (19, 7), (20,), (21, 10), (0, 20))),
        days=rng.choice(((30,), (14, 30), (10, 30, 60))),
        with_po=rng.choice((0.0, 0.5, 0.8, 1.0)),
        with_note=rng.choice((0.0, 0.4, 1.0)),
        reverse=rng.choice((0.0, 0.0, 0.2)),
        term=rng.randint(0, 1),
        indent=rng.choice((0, 20, 44)),
        per_page=rng.choice((10, 14)) if long else 0,
        symbol=rng.random() < 0.5 and kind == "invoice",
        rebates=rebates,
        discounts=rng.random() < 0.4,
        shipping=rng.random() < 0.4,
        banked=rng.random() < 0.7,
        based=rng.random() < 0.7,
        grouped=rng.random() < 0.2,
        carries=rng.random() < 0.6,
        mirrored=rng.random() < 0.5,
        long=long,
    )


def _pattern(rng: Random, kind: str) -> str:
    if kind == "awb":
        return rng.choice(("020", "176", "057"))
    if kind == "bl":
        return rng.choice(("@@@@#########", "HLCU#########", "BL-YY-#####"))
    return rng.choice(("INV-YYYY-#####", "REYYYY/####", "#######", "F-YY-####", "@#####", "YYYY######"))


def _iban(rng: Random, language: str) -> str:
    code = words.CODES[language] + digits(rng, 2)
    parts = [code, *(digits(rng, 4) for _ in range(4)), digits(rng, 2)]
    return " ".join(parts) if rng.random() < 0.7 else "".join(parts)


def twin(of: Supplier, name: str, seed: int) -> Supplier:
    """Another firm with the same template that has two fields the other way round, as `invoice date` and `due`."""
    rng = Random(seed)
    head, columns = list(of.head), list(of.columns)
    one, two = head.index("date"), head.index("due")
    head[one], head[two] = head[two], head[one]
    if rng.random() < 0.5:
        one, two = columns.index("quantity"), columns.index("price")
        columns[one], columns[two] = columns[two], columns[one]
    return dataclasses.replace(
        of, name=name, head=tuple(head), columns=tuple(columns), address=address(rng, of.local.language),
        vat_id=vat_id(of.local.language, digits(rng, 9)), iban=_iban(rng, of.local.language)
    )  # fmt: skip


def drifted(of: Supplier, seed: int) -> Supplier:
    """The layout after a change: a label renamed, a column more or less, a field moved, dates written otherwise."""
    rng = Random(seed)
    change = rng.choice(("label", "column", "moved", "dates", "mirrored"))
    if change == "label":
        chosen = {name: place + (rng.random() < 0.4) for name, place in of.chosen.items()}
        return dataclasses.replace(of, chosen=chosen)
    if change == "column":
        columns = [name for name in of.columns if name != "unit"] if rng.random() < 0.5 else list(of.columns)
        return dataclasses.replace(of, columns=tuple(columns if "pos" in columns else ["pos", *columns]))
    if change == "moved":
        head = list(of.head)
        head.insert(rng.randrange(len(head)), head.pop(rng.randrange(len(head))))
        return dataclasses.replace(of, head=tuple(head), indent=(of.indent + 20) % 60)
    if change == "dates":
        when = rng.choice(DATES[of.local.language])
        return dataclasses.replace(of, local=dataclasses.replace(of.local, when=when))
    return dataclasses.replace(of, mirrored=not of.mirrored)
