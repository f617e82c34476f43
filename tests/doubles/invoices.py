"""Invoices of one layout, and a cache that is asked to read them."""

import json
import random
from typing import Any

from doubles.cached import ACME, policy, printed, put
from doubles.classes import said
from sluice_sidecar.cache.cache import Cache
from sluice_sidecar.cache.look import Look
from sluice_sidecar.config import Policy


def invoices() -> Policy:
    """A policy that reads documents, at most every tenth of them wrongly."""
    return policy(template=True, bound=0.1)


def invoice(rng: random.Random) -> tuple[str, str]:
    """A text and the answer that a model gives."""
    number, total = f"R-{rng.randrange(10_000, 99_999)}", f"{rng.randrange(100, 9_999)}.{rng.randrange(100):02d}"
    day = f"2026-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}"
    customer = f"{rng.choice(('Blue', 'Green', 'Tall', 'Quick', 'Old'))} {rng.choice(('Mill', 'Harbour', 'Forge'))} Ltd"
    text = (
        "ACME Supplies GmbH\nIndustrial Road 5, 20095 Hamburg\n\n"
        f"Invoice number: {number}\nInvoice date: {day}\nBill to: {customer}\n\n"
        f"Total due: {total} EUR\nThank you for your order.\n"
    )
    return text, json.dumps({"number": number, "date": day, "customer": customer, "total": float(total)})


async def asked(cache: Cache, text: str, answer: str, kept: Policy) -> Look:
    """One ask; a miss and a shadowed hit are answered by the model and kept."""
    fp = printed(text, kept=kept)
    look = await cache.look(fp, kept)
    if look.hit is None or look.shadow:
        await put(cache, fp, kept, ACME, whole=said(answer), look=look)
    return look


def content(look: Look) -> Any:
    """The JSON that a hit answers."""
    assert look.hit is not None
    return json.loads(look.hit.entry.whole["choices"][0]["message"]["content"])
