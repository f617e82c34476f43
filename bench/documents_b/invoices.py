"""Invoices of one supplier: what varies from document to document, and how it is set."""

from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

from bench.documents_b import words
from bench.documents_b.answers import WORKLOADS
from bench.documents_b.content import Address, Invoice, address, cents, day, digits, fill, item
from bench.documents_b.locale import SYMBOLS
from bench.documents_b.page import Table, beside, fields, table
from bench.documents_b.supplier import Supplier

UNITS = ("EUR", "GBP", "USD", "CHF")


def invoice(supplier: Supplier, rng: Random, customers: list[Address]) -> Invoice:
    """What the next invoice says; sums add up."""
    when = day(rng)
    days = rng.choice(supplier.days)
    count = rng.choice((1, 1, 2, 3, 4, 5, 8, 12) if not supplier.long else (6, 14, 20, 30))
    tails = 0.0 if supplier.look.style == "markdown" else 0.3
    items = tuple(item(rng, supplier.local.language, supplier.rates, supplier.rebates, tails) for _ in range(count))
    net = sum((one.total for one in items), Decimal(0))
    discount = cents(net * rng.choice((2, 3, 5)) / 100) if supplier.discounts and rng.random() < 0.4 else Decimal(0)
    shipping = Decimal(rng.choice((0, 490, 1200, 2550))) / 100 if supplier.shipping else Decimal(0)
    reverse = rng.random() < supplier.reverse
    taxes = []
    for rate in sorted({one.rate for one in items}, reverse=True):
        base = sum((one.total for one in items if one.rate == rate), Decimal(0))
        if rate == max(one.rate for one in items):
            base += shipping - discount
        taxes.append((rate, base, Decimal(0) if reverse else cents(base * rate / 100)))
    gross = net - discount + shipping + sum((tax for _, _, tax in taxes), Decimal(0))
    return Invoice(
        fill(rng, supplier.pattern, when),
        when,
        when + timedelta(days=days),
        days,
        digits(rng, 5),
        fill(rng, rng.choice(("45########", "PO-#####", "@@#####")), when) if rng.random() < supplier.with_po else None,
        fill(rng, "LS######", when) if rng.random() < supplier.with_note else None,
        rng.choice(customers) if rng.random() < 0.8 else address(rng, supplier.local.language),
        rng.choice(supplier.currencies),
        items,
        net,
        discount,
        shipping,
        tuple(taxes),
        gross,
        reverse,
        rng.choice(words.PEOPLE),
    )


def show(supplier: Supplier, said: Invoice) -> tuple[str, dict[str, Any]]:
    """The prompt with the invoice in it, and what a model answers."""
    look, local, label = supplier.look, supplier.local, supplier.label
    symbol = SYMBOLS[said.currency] if supplier.symbol else said.currency

    def money(value: Decimal) -> str:
        return local.amount(value, symbol)

    known = {
        "number": said.number,
        "date": local.date(said.date),
        "due": local.date(said.due),
        "customer_no": said.customer_no,
        "po": said.po,
        "delivery_note": said.delivery_note,
    }
    head = [(label(name), str(known[name])) for name in supplier.head if known[name]]
    if "{s}" not in local.money:
        head.append((label("currency"), said.currency))
    sender = [*supplier.address.lines(), f"{label('vat_id')}: {supplier.vat_id}"]
    if look.style == "mail":
        first = [
            f"From: {supplier.address.name} <billing@example.com>",
            f"Subject: {label('title')} {said.number}",
            "",
            f"Hello {said.clerk},",
            "",
        ]
        top = [*first, *fields(look, head), "", f"{label('bill_to')}:", *said.customer.lines()]
    else:
        heading = f"# {label('title')}" if look.style == "markdown" else label("title")
        to = [f"{label('bill_to')}:", *said.customer.lines()]
        pairs = fields(look, head)
        split = beside(look, to, pairs, 44) if supplier.mirrored else beside(look, pairs, to, 50)
        top = [*sender, "", heading, "", *split]
    sums = [(label("net"), money(said.net))]
    if said.discount:
        sums.append((label("discount"), "-" + money(said.discount)))
    if said.shipping:
        sums.append((label("shipping"), money(said.shipping)))
    sums += [(_tax(supplier, rate, base), money(tax)) for rate, base, tax in said.taxes]
    sums.append((label("gross"), money(said.gross)))
    end = [words.REVERSE[local.language]] if said.reverse else []
    end.append(words.TERMS[local.language][supplier.term].format(n=said.days))
    if supplier.banked:
        wide = f"IBAN: {supplier.iban}   BIC: {supplier.bic}"
        end.append(wide if look.style == "layout" else f"IBAN {supplier.iban}")
    end.append(words.THANKS[local.language])
    total = [(" " * supplier.indent + line) if look.style == "layout" else line for line in fields(look, sums)]
    lines = [*top, "", *table(look, grid(supplier, said)), "", *total, "", *end]
    prompt, answer = WORKLOADS["invoice"][supplier.workload]
    printed = {
        "name": supplier.address.name,
        "vat_id": supplier.vat_id if look.style != "mail" else None,
        "iban": supplier.iban if supplier.banked else None,
    }
    return prompt.replace("{text}", "\n".join(lines)), answer(said, printed, local)


def _tax(supplier: Supplier, rate: int, base: Decimal) -> str:
    if supplier.based:
        return f"{supplier.label('vat')} {rate}% ({supplier.local.number(base)})"
    return f"{supplier.label('vat')} {rate} %"


def grid(supplier: Supplier, said: Invoice) -> Table:
    """The table of the lines, with sums of groups where the supplier prints them."""
    local = supplier.local
    rows: list[Any] = []
    sums: list[str] = []
    running = Decimal(0)
    for place, one in enumerate(said.items):
        whole = one.quantity == one.quantity.to_integral_value()
        known = {
            "pos": (str(place + 1),),
            "sku": (one.sku,),
            "description": one.description,
            "quantity": (local.number(one.quantity, 0 if whole else 2),),
            "unit": (one.unit,),
            "price": (local.number(one.price),),
            "rebate": (str(one.rebate),),
            "rate": (str(one.rate),),
            "total": (local.number(one.total),),
        }
        sums.append(local.number(running))
        rows.append(tuple(known[name] for name in supplier.columns))
        running += one.total
        if supplier.grouped and place % 4 == 3 and place + 1 < len(said.items):
            part = sum((other.total for other in said.items[place - 3 : place + 1]), Decimal(0))
            sums.append(local.number(running))
            rows.append((supplier.label("group"), local.number(part)))
    numeric = tuple(name in ("quantity", "price", "rebate", "rate", "total") for name in supplier.columns)
    headings = tuple(supplier.column(name) for name in supplier.columns)
    page = f"{supplier.address.name}   {supplier.label('title')} {said.number}   {supplier.label('page')} {{page}}"
    label = supplier.label("carried") if supplier.carries else ""
    return Table(headings, tuple(rows), numeric, supplier.per_page, (label, tuple(sums)), (page,))
