"""Bills of lading and air waybills: what they say."""

from decimal import Decimal
from random import Random

from bench.documents_b import words
from bench.documents_b.content import Box, Freight, address, cents, day, digits, fill


def lading(rng: Random, pattern: str) -> Freight:
    """A bill of lading of 1-6 containers."""
    when = day(rng)
    boxes = tuple(
        Box(
            fill(rng, "@@@U#######", when),
            fill(rng, "@@######", when),
            rng.choice(("20GP", "40HC", "40GP", "45HC")),
            rng.randint(1, 900),
            Decimal(rng.randint(500_000, 28_000_000)) / 1000,
            Decimal(rng.randint(5_000, 76_000)) / 1000,
        )
        for _ in range(rng.choice((1, 1, 2, 3, 6)))
    )
    loading, discharge = rng.sample(words.PORTS, 2)
    consignee = address(rng, rng.choice(words.LANGUAGES), abroad=True)
    return Freight(
        {
            "bl_number": fill(rng, pattern, when),
            "booking": digits(rng, 9) if rng.random() < 0.7 else None,
            "vessel": rng.choice(words.VESSELS),
            "voyage": fill(rng, "###@", when),
            "loading": loading,
            "discharge": discharge,
            "delivery": discharge if rng.random() < 0.4 else rng.choice(words.PORTS),
            "terms": rng.choice(("PREPAID", "COLLECT")),
            "issued": when,
            "place": loading if rng.random() < 0.6 else rng.choice(words.PORTS),
            "packages": sum(box.packages for box in boxes),
            "weight": sum((box.weight for box in boxes), Decimal(0)),
            "volume": sum((box.volume for box in boxes), Decimal(0)),
        },
        {
            "shipper": address(rng, rng.choice(words.LANGUAGES), abroad=True),
            "consignee": consignee,
            "notify": consignee if rng.random() < 0.5 else address(rng, rng.choice(words.LANGUAGES)),
        },
        boxes,
        goods=tuple(rng.sample(words.GOODS, rng.choice((1, 1, 2)))),
    )


def waybill(rng: Random, prefix: str) -> Freight:
    """An air waybill with charge codes."""
    weight = Decimal(rng.randint(20, 40_000)) / 10
    chargeable = weight if rng.random() < 0.3 else weight + Decimal(rng.randint(1, 900)) / 2
    rate = Decimal(rng.randint(95, 900)) / 100
    codes = rng.sample(("AWC", "MYC", "SCC", "FSC", "CHC", "AWA"), rng.choice((0, 1, 2, 3)))
    charges = tuple((code, Decimal(rng.randint(500, 30_000)) / 100) for code in codes)
    freight = cents(chargeable * rate)
    departure, destination = rng.sample(words.AIRPORTS, 2)
    return Freight(
        {
            "mawb": f"{prefix}-{digits(rng, 8)}",
            "hawb": fill(rng, "@@@########", day(rng)) if rng.random() < 0.7 else None,
            "departure": departure,
            "destination": destination,
            "flight": fill(rng, "@@###", day(rng)),
            "issued": day(rng),
            "pieces": rng.randint(1, 120),
            "weight": weight,
            "chargeable": chargeable,
            "rate": rate,
            "currency": rng.choice(("EUR", "EUR", "USD")),
            "total": freight + sum((amount for _, amount in charges), Decimal(0)),
            "declared": Decimal(rng.randint(100, 90_000)) if rng.random() < 0.3 else None,
        },
        {"shipper": address(rng, rng.choice(words.LANGUAGES)), "consignee": address(rng, rng.choice(words.LANGUAGES))},
        charges=charges,
        goods=tuple(rng.sample(words.GOODS, rng.choice((1, 2)))),
    )
