"""Two gateways with opposite evidence: together neither opens wrongly, and the one that closed closes both."""

from doubles.cached import Hands
from doubles.classes import Classes
from doubles.learning import made, served, sorting
from doubles.shelf import Shelf
from sluice_sidecar.cache.cache import Cache
from sluice_sidecar.cache.risk import Controller, Label, RiskBound, Source


async def exchange(clock: Hands, *caches: Cache) -> None:
    """All write, then all read."""
    for _ in range(2):
        clock.at += 40.0
        for cache in caches:
            await cache.upkeep()


def label(*, wrong: bool, partition: str) -> Label:
    return Label((), 0.99, wrong, partition, Source.MISS, served=False)


def test_opposite_labels_of_one_score_keep_both_closed() -> None:
    sure, wrong = Controller(RiskBound(0.05)), Controller(RiskBound(0.05))
    for number in range(400):
        sure.learn(label(wrong=False, partition=str(number % 40)))
        wrong.learn(label(wrong=number % 2 == 0, partition=str(number % 40)))
    assert sure.decision.at is not None
    told = {"sure": sure.snapshot("sure"), "wrong": wrong.snapshot("wrong")}
    sure.merge(told)
    wrong.merge(told)
    assert not sure.report().open
    assert not wrong.report().open


async def test_neither_is_wrong_on_what_the_other_saw() -> None:
    shelf, clock, kept = Shelf(), Hands(), sorting()
    good, bad = Classes(seed=1), Classes(confused=0.5, seed=2, what="parcel")
    one, two = made(shelf, good, clock, "one"), made(shelf, bad, clock, "two")
    hits = wrong = 0
    for _ in range(4):
        for cache, classes in ((one, good), (two, bad)):
            given, missed = await served(cache, classes, kept, 60)
            hits, wrong = hits + given, wrong + missed
        await exchange(clock, one, two)
    assert hits > 50
    assert wrong <= 0.1 * hits


def test_a_closure_closes_the_other() -> None:
    one, two = Controller(RiskBound(0.05)), Controller(RiskBound(0.05))
    for number in range(400):
        for controller in (one, two):
            controller.learn(label(wrong=False, partition=str(number % 40)))
    assert one.report().open
    for number in range(400):
        if two.closures == 0:
            two.learn(Label((), 0.99, True, str(number), Source.SHADOW, served=True))
    assert two.closures == 1
    one.merge({"two": two.snapshot("two")})
    assert not one.report().open, "though every label of its own was right"
    assert one.report().reason == "drift"
