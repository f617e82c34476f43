"""Reuse by meaning opens on what misses teach, closes on what shadow calls find, and is told to other replicas."""

from doubles.cached import ACME, Hands, printed, put
from doubles.classes import Classes, said
from doubles.learning import asked, made, served, sorting
from doubles.shelf import Shelf


async def test_labels_open_on_evidence_from_misses_alone() -> None:
    classes = Classes()
    cache = made(Shelf(), classes, Hands())
    kept = sorting()
    first, _ = await served(cache, classes, kept, 40)
    assert first == 0, "nothing is proven yet"
    await served(cache, classes, kept, 160)
    hits, wrong = await served(cache, classes, kept, 60)
    assert hits > 50
    assert wrong == 0


async def test_labels_stay_closed_where_they_are_often_wrong() -> None:
    classes = Classes(confused=0.4)
    cache = made(Shelf(), classes, Hands())
    assert (await served(cache, classes, sorting(), 400))[0] == 0


async def test_hits_end_when_they_turn_wrong() -> None:
    classes = Classes()
    cache = made(Shelf(), classes, Hands())
    kept = sorting(shadow=0.2)
    await served(cache, classes, kept, 250)
    assert cache.learner.report()["support"]["label"].open
    classes.confused = 0.6
    await served(cache, classes, kept, 150)
    assert (await served(cache, classes, kept, 200))[0] < 10


async def test_a_restart_forgets_no_evidence() -> None:
    shelf, clock, classes, kept = Shelf(), Hands(), Classes(), sorting()
    cache = made(shelf, classes, clock)
    await served(cache, classes, kept, 250)
    clock.at += 20.0
    await cache.upkeep()
    again = made(shelf, classes, clock)
    assert (await asked(again, classes, kept))[0].hit is None, "not before the evidence was read"
    await again.upkeep()
    assert again.learner.report()["support"]["label"].open


async def test_another_replica_learns_from_the_store() -> None:
    shelf, clock, classes, kept = Shelf(), Hands(), Classes(), sorting()
    cache = made(shelf, classes, clock)
    await served(cache, classes, kept, 250)
    clock.at += 20.0
    await cache.upkeep()
    other = made(shelf, classes, clock, replica="two")
    await asked(other, classes, kept)
    await other.upkeep()
    assert (await served(other, classes, kept, 60))[0] > 30, "fewer asks than it takes to prove anything alone"


async def test_a_purge_of_everything_takes_the_evidence_too() -> None:
    classes, kept = Classes(), sorting()
    cache = made(Shelf(), classes, Hands())
    await served(cache, classes, kept, 250)
    await cache.purge()
    assert (await served(cache, classes, kept, 40))[0] == 0


async def test_an_answer_without_text_is_found_by_its_key_alone() -> None:
    shelf, classes, kept = Shelf(), Classes(), sorting(tool_calls=True)
    cache = made(shelf, classes, Hands())
    text, _ = classes.ask()
    fp = printed(text, kept=kept)
    await put(cache, fp, kept, ACME, whole=said(""), look=await cache.look(fp, kept))
    assert [record.vector for record in shelf.records.values()] == [None]
