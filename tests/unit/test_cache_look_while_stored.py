"""Looking while the same text is being stored: a miss or the whole answer, never half of one or an error."""

import asyncio

from doubles.cached import Hands, printed, put
from doubles.classes import Classes, said
from doubles.learning import made, served, sorting
from doubles.shelf import Shelf
from sluice_sidecar.cache.stores.store import Record


class Slow(Shelf):
    """Lets others run before and after each record is written."""

    async def put(self, record: Record, most: int) -> bool:
        await asyncio.sleep(0)
        kept = await super().put(record, most)
        await asyncio.sleep(0)
        return kept


async def test_each_look_finds_nothing_or_what_was_stored() -> None:
    classes, kept = Classes(classes=1), sorting()
    cache = made(Slow(), classes, Hands())
    await served(cache, classes, kept, 20)
    for _ in range(20):
        text, answer = classes.ask()
        fp = printed(text, kept=kept)
        first = await cache.look(fp, kept)
        looks, _ = await asyncio.gather(
            asyncio.gather(*(cache.look(fp, kept) for _ in range(8))),
            asyncio.gather(*(put(cache, fp, kept, whole=said(answer), look=first) for _ in range(2))),
        )
        for look in looks:
            assert look.hit is None or look.hit.entry.whole == said(answer)
        again = (await cache.look(fp, kept)).hit
        assert again is not None
        assert again.how == "identical"
