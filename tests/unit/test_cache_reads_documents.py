"""A document of a known layout gets its own values without a model, once earlier ones prove that this works."""

import json
import random

from doubles.cached import Hands
from doubles.invoices import asked, content, invoice, invoices
from doubles.shelf import Shelf
from sluice_sidecar.cache.cache import Cache


async def test_a_new_document_gets_its_own_values() -> None:
    clock, rng, kept = Hands(), random.Random(1), invoices()
    cache = Cache(Shelf(), None, clock=clock, monotonic=clock)
    served = 0
    for count in range(160):
        if count % 10 == 5:
            await cache.upkeep()
        text, answer = invoice(rng)
        look = await asked(cache, text, answer, kept)
        if look.hit is not None:
            assert look.hit.how == "template"
            assert content(look) == json.loads(answer)
            served += 1
    assert served > 40
    changed = text.replace("Total due", "Amount after discount of 5 %: 3.00\nTotal due")
    look = await asked(cache, changed, answer, kept)
    assert look.hit is None, "a line that no earlier document had"


async def test_a_document_is_no_paraphrase_of_another() -> None:
    clock, rng = Hands(), random.Random(1)
    cache = Cache(Shelf(), None, clock=clock, monotonic=clock)
    text, answer = invoice(rng)
    await asked(cache, text, answer, invoices())
    assert (await asked(cache, text.replace("R-", "S-"), answer, invoices())).hit is None
