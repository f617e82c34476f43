"""Interleaved streams of the second generator."""

from collections.abc import Iterator
from random import Random
from typing import Any

from bench.documents_b import forwarder, invoices
from bench.documents_b.content import address
from bench.documents_b.freight import lading, waybill
from bench.documents_b.supplier import Supplier, drifted, supplier, twin

KINDS = ("invoice", "invoice", "invoice", "bl", "awb")


def suppliers(count: int, seed: int) -> list[Supplier]:
    """So many layouts; every tenth invoice layout comes with a twin that has two fields swapped."""
    made: list[Supplier] = []
    while len(made) < count:
        place = len(made)
        kind = KINDS[place % len(KINDS)]
        made.append(supplier(kind, f"{kind}-{place}", seed * 7919 + place))
        if place % 10 == 0:
            made.append(twin(made[-1], f"{kind}-{place}-twin", seed * 7919 + place))
    return made


def documents(layouts: int, each: int, seed: int) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Kind, layout, prompt, answer. Every third layout changes at a random place in its middle half."""
    rng = Random(seed + 1)
    made = suppliers(layouts, seed)
    customers = [[address(rng, one.local.language) for _ in range(12)] for one in made]
    changes = [rng.randint(each // 4, 3 * each // 4) if place % 3 == 0 else each for place in range(len(made))]
    order = [place for place in range(len(made)) for _ in range(each)]
    rng.shuffle(order)
    seen = [0] * len(made)
    for place in order:
        if seen[place] == changes[place]:
            made[place] = drifted(made[place], seed * 104_729 + place)
        seen[place] += 1
        by = made[place]
        if by.kind == "invoice":
            text, answer = invoices.show(by, invoices.invoice(by, rng, customers[place]))
        else:
            said = lading(rng, by.pattern) if by.kind == "bl" else waybill(rng, by.pattern)
            text, answer = forwarder.show(by, said)
        yield by.kind, by.name, text, answer
