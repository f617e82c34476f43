"""Bills of lading and air waybills."""

from random import Random
from typing import Any

from bench.documents.layout import Field, compose, header, parties, table, totals
from bench.documents.sender import Layout, day_of, has, mixed, party
from bench.documents.vocabulary import AIRPORTS, CITIES, VESSELS, address, firm, thing


def lading(where: Layout, rng: Random) -> tuple[str, Any]:
    say, task, local = where.labels, where.task, where.locale
    day, number = day_of(rng), f"{rng.choice(('MAEU', 'HLCU', 'MSCU'))}{rng.randint(10**6, 10**7)}"
    shipper, consignee, notify = ((firm(rng), address(rng)) for _ in range(3))
    blocks = [(say["shipper"], [shipper[0], *shipper[1]]), (say["consignee"], [consignee[0], *consignee[1]])]
    has_notify = has(where, "notify", rng)
    if has_notify:
        blocks.append((say["notify"], [notify[0], *notify[1]]))
    booking = f"BK{rng.randint(10**5, 10**6)}" if has(where, "booking", rng) else None
    place = rng.choice(CITIES)[0] if has(where, "place", rng) else None
    vessel, voyage = rng.choice(VESSELS), f"{rng.randint(100, 999)}{rng.choice('EWNS')}"
    loading, discharge = rng.sample([city for city, _ in CITIES], 2)
    terms = rng.choice(("PREPAID", "COLLECT"))
    fields: list[Field] = [
        (say["number"], number),
        (say["date"], local.date(day)),
        (say["vessel"], vessel),
        (say["voyage"], voyage),
        (say["loading"], loading),
        (say["discharge"], discharge),
        (say["freight"], terms),
        *([(say["booking"], booking)] if booking else []),
        *([(say["place"], place)] if place else []),
    ]
    rows, items, total = [], [], 0.0
    for _ in range(rng.choice((1, 1, 2, 3, 5))):
        box = f"{rng.choice(('MSKU', 'TGHU', 'CAIU'))}{rng.randint(10**6, 10**7 - 1)}"
        count, what, weight, volume = (
            rng.randint(1, 900),
            thing(rng),
            float(rng.randint(200, 24000)),
            round(rng.uniform(1, 60), 3),
        )
        total += weight
        row = [box, str(count), what, local.quantity(weight), local.number(volume, 3)]
        rows.append(row)
        items.append(
            {
                "container": box,
                "packages": count,
                "goods": what,
                "weight_kg": task.number(weight, row[3]),
                "volume": task.number(volume, row[4]),
            }
        )
    answer = {
        "bl_number": number,
        "issue_date": task.date(day, local.date(day)),
        "shipper": party(where, *shipper),
        "consignee": party(where, *consignee),
        "notify_party": party(where, *notify) if has_notify else None,
        "vessel": vessel,
        "voyage": voyage,
        "port_of_loading": loading,
        "port_of_discharge": discharge,
        "freight_terms": terms.lower() if task.camel else terms,
        "booking": booking,
        "place_of_delivery": place,
        "containers": items,
        "total_weight": task.number(total, local.quantity(total)),
    }
    heads = [say["container"], say["packages"], say["goods"], say["weight"], say["volume"]]
    text = compose(
        where.style,
        where.prompt,
        [
            [where.sender],
            ["BILL OF LADING"],
            parties(where.style, blocks),
            header(where.style, mixed(where, fields)),
            table(where.style, heads, rows, [False, True, False, True, True]),
            totals(where.style, [(say["total"], local.quantity(total) + " kg")]),
            ["SHIPPED in apparent good order and condition."],
        ],
    )
    return text, answer


def waybill(where: Layout, rng: Random) -> tuple[str, Any]:
    say, task, local = where.labels, where.task, where.locale
    day, number = day_of(rng), f"{rng.choice(('020', '157', '176'))}-{rng.randint(10**7, 10**8 - 1)}"
    shipper, consignee = ((firm(rng), address(rng)) for _ in range(2))
    start, end = rng.sample(AIRPORTS, 2)
    pieces, weight, rate = rng.randint(1, 40), round(rng.uniform(5, 2000), 1), round(rng.uniform(1, 9), 2)
    chargeable = weight + rng.randint(0, 20)
    charge, other = round(chargeable * rate, 2), round(rng.uniform(10, 200), 2) if has(where, "other", rng) else None
    declared = round(rng.uniform(100, 9000), 2) if has(where, "declared", rng) else None
    total = round(charge + (other or 0), 2)
    goods, flight = thing(rng), f"{rng.choice(('LH', 'CX', 'SQ', 'BA'))}{rng.randint(10, 9999)}"
    amounts = [("charge", charge), ("other", other), ("total", total)]
    fields: list[Field] = [
        (say["number"], number),
        (say["departure"], start),
        (say["destination"], end),
        (say["flight"], flight),
        (say["date"], local.date(day)),
        (say["pieces"], str(pieces)),
        (say["weight"], f"{local.number(weight, 1)} kg"),
        (say["chargeable"], f"{local.number(chargeable, 1)} kg"),
        (say["rate"], local.number(rate)),
        (say["goods"], goods),
        (say["currency"], where.currency),
        *([(say["declared"], local.number(declared))] if declared else []),
    ]
    answer = {
        "awb": number,
        "shipper": party(where, *shipper),
        "consignee": party(where, *consignee),
        "carrier": where.sender,
        "from": start,
        "to": end,
        "flight": flight,
        "flight_date": task.date(day, local.date(day)),
        "pieces": pieces,
        "gross_weight": task.number(weight, local.number(weight, 1)),
        "chargeable_weight": task.number(chargeable, local.number(chargeable, 1)),
        "rate": task.number(rate, local.number(rate)),
        "goods": goods,
        "currency": where.currency,
        "declared_value": None if declared is None else task.number(declared, local.number(declared)),
        "weight_charge": task.number(charge, local.amount(charge, where.currency)),
        "other_charges": None if other is None else task.number(other, local.amount(other, where.currency)),
        "total": task.number(total, local.amount(total, where.currency)),
    }
    text = compose(
        where.style,
        where.prompt,
        [
            ["AIR WAYBILL"],
            [f"{say['carrier']}: {where.sender}"],
            parties(
                where.style,
                [(say["shipper"], [shipper[0], *shipper[1]]), (say["consignee"], [consignee[0], *consignee[1]])],
            ),
            header(where.style, mixed(where, fields)),
            totals(
                where.style,
                [(say[key], local.amount(value, where.currency)) for key, value in amounts if value is not None],
            ),
            ["It is agreed that the goods are accepted in apparent good order."],
        ],
    )
    return text, answer
