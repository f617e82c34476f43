"""Invoices of one sender in one layout, with the answer that a model would give."""

from collections.abc import Sequence
from typing import Any

from sluice_sidecar.cache.reuse.template import Pair

Row = tuple[str, int, float]

ROWS: tuple[tuple[Row, ...], ...] = (
    (("Hammer", 2, 10.5), ("Big saw", 1, 1200.25)),
    (("Nail", 200, 0.05),),
    (("Drill bit", 3, 99.99), ("Saw", 1, 20.0), ("Bolt", 5, 0.7)),
    (("Screw", 12, 0.25), ("Glue", 4, 7.45)),
)
BUYERS = (
    ("Foo Ltd", "1 High Street", "London"),
    ("Bar Trading Inc", "12 Low Road", "Leeds"),
    ("Baz and Sons plc", "7 Mid Lane", "York"),
    ("Qux GmbH", "77 Am Markt", "Bremen"),
)


def invoice(
    place: int, *, due: str | None = None, extra: Sequence[str] = (), rows: Sequence[Row] | None = None, **other: Any
) -> Pair:
    """Invoice number `place`; `due` is an optional field, `extra` are further lines, `other` replaces answers."""
    rows = rows or ROWS[place % len(ROWS)]
    name, street, city = BUYERS[place % len(BUYERS)]
    net = round(sum(count * price for _, count, price in rows), 2)
    tax = round(net * 0.2, 2)
    day = 3 + 4 * place % 25
    lines = [
        "Extract the invoice as JSON.",
        "",
        "ACME Tools GmbH",
        "Hauptstr. 1, 10115 Berlin",
        "",
        f"Invoice No: INV-{1000 + 37 * place}          Date: {day:02d}.04.2024",
        *([f"Due date: {due}"] if due else []),
        *extra,
        "",
        "Bill to:",
        name,
        street,
        city,
        "",
        "Description           Qty    Unit price     Amount",
        *(f"{what:<20}  {count:>3}  {price:>10,.2f} {count * price:>12,.2f}" for what, count, price in rows),
        "",
        f"Subtotal              {net:>12,.2f}",
        f"VAT 20%               {tax:>12,.2f}",
        f"Total EUR             {net + tax:>12,.2f}",
        "",
        "Thank you.",
    ]
    answer = {
        "supplier": "ACME Tools GmbH",
        "number": f"INV-{1000 + 37 * place}",
        "date": f"2024-04-{day:02d}",
        "due": due,
        "customer": {"name": name, "address": f"{street}, {city}"},
        "currency": "EUR",
        "items": [
            {"description": what, "quantity": count, "unit_price": price, "amount": round(count * price, 2)}
            for what, count, price in rows
        ],
        "subtotal": net,
        "tax": tax,
        "total": round(net + tax, 2),
        **other,
    }
    return Pair("\n".join(lines), answer)
