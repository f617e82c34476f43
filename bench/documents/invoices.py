"""Invoices."""

import datetime
from random import Random
from typing import Any

from bench.documents.layout import Field, compose, header, parties, table, totals
from bench.documents.sender import Layout, day_of, has, mixed, number_of, party
from bench.documents.vocabulary import address, firm, thing


def invoice(where: Layout, rng: Random) -> tuple[str, Any]:
    say, task, local = where.labels, where.task, where.locale
    day, number, buyer, lines = day_of(rng), number_of(rng, where), firm(rng), address(rng)
    fields: list[Field] = [(say["number"], number), (say["date"], local.date(day))]
    due = day + datetime.timedelta(days=rng.choice((10, 14, 30))) if has(where, "due", rng) else None
    order = f"PO{rng.randint(1000, 99999)}" if has(where, "order", rng) else None
    if due:
        fields.append((say["due"], local.date(due)))
    if order:
        fields.append((say["order"], order))
    rows, items, net = [], [], 0.0
    for _ in range(rng.choice((1, 2, 3, 3, 4, 6, 9))):
        what, count, price = thing(rng), rng.randint(1, 60), round(rng.uniform(0.5, 900), 2)
        amount = round(count * price, 2)
        net += amount
        code = f"{rng.choice('ABX')}{rng.randint(100, 999)}"
        row = [what, str(count), local.number(price), local.number(amount)]
        item = {
            "description": what,
            "quantity": count,
            "unit_price": task.number(price, row[2]),
            "amount": task.number(amount, row[3]),
        }
        if where.coded:
            row.insert(0, code)
            item["code"] = code
        rows.append(row)
        items.append(item)
    heads = [say["item"], say["quantity"], say["price"], say["amount"]]
    if where.coded:
        heads.insert(0, say["code"])
    discount = round(net * 0.05, 2) if has(where, "discount", rng) else None
    shipping = float(rng.randint(5, 90)) if has(where, "shipping", rng) else None
    base = round(net - (discount or 0) + (shipping or 0), 2)
    tax = round(base * (0.19, 0.2, 0.21, 0.08)[where.shuffle % 4], 2)
    foot: list[tuple[str, float | None, str]] = [
        ("net", round(net, 2), "subtotal"),
        ("discount", discount, "discount"),
        ("shipping", shipping, "shipping"),
        ("tax", tax, "tax"),
        ("total", round(base + tax, 2), "total"),
    ]
    shown = [(key, value, local.amount(value, where.currency), name) for key, value, name in foot if value is not None]
    answer: dict[str, Any] = {
        "supplier": where.sender,
        "invoice_number": number,
        "invoice_date": task.date(day, local.date(day)),
        "due_date": task.date(due, local.date(due)) if due else None,
        "order_number": order,
        "customer": party(where, buyer, lines),
        "currency": where.currency,
        "line_items": items,
        **{name: None for _, value, name in foot if value is None},
        **{name: task.number(value, text) for _, value, text, name in shown},
    }
    if where.locale.mark == "none":
        foot_note = [f"{'Currency' if where.shuffle % 2 else 'All amounts in'}: {where.currency}"]
    else:
        foot_note = []
    text = compose(
        where.style,
        where.prompt,
        [
            [where.sender, *where.sender_address],
            [say["title"]],
            header(where.style, mixed(where, fields)),
            parties(where.style, [(say["customer"], [buyer, *lines])]),
            table(where.style, heads, rows, [False] * (len(heads) - 3) + [True] * 3),
            totals(where.style, [(say[key], amount) for key, _, amount, _ in shown]),
            foot_note,
            ["Thank you for your business."],
        ],
    )
    return text, answer
