"""What an expired document taught is read by no more, even where a later sibling lives on."""

import random

from doubles.cached import Hands
from doubles.invoices import asked, invoice, invoices
from doubles.shelf import Shelf
from sluice_sidecar.cache.cache import Cache


async def test_a_layout_ends_with_the_first_document_it_was_learned_from() -> None:
    clock, rng, kept = Hands(), random.Random(1), invoices()
    cache = Cache(Shelf(), None, clock=clock, monotonic=clock)
    for _ in range(3):
        await asked(cache, *invoice(rng), kept)
    clock.at += 3000.0
    await asked(cache, *invoice(rng), kept)
    known = cache._meaning._layouts._known
    late = list(known)[-1]
    assert known[late].until < clock.at + 3600.0
    clock.at += 700.0
    await asked(cache, *invoice(rng), kept)
    assert late not in known, "its siblings have expired, it has not"
