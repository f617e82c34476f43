"""Labels when the set of answers changes: a renamed class closes, and opens again under its new name."""

from doubles.cached import Hands, printed, put
from doubles.classes import Classes, said
from doubles.learning import made, served, sorting
from doubles.shelf import Shelf


class Renaming(Classes):
    """From some moment on the model gives every class another name."""

    name = "class"

    def ask(self) -> tuple[str, str]:
        text, answer = super().ask()
        return text, answer.replace("class", self.name)


async def test_a_renamed_class_closes_and_opens_again() -> None:
    classes, clock, kept = Renaming(classes=2), Hands(), sorting(shadow=0.3)
    cache = made(Shelf(), classes, clock)
    await served(cache, classes, kept, 150)
    assert cache.learner.report()["support"]["label"].open
    classes.name = "kind"
    hits, wrong = await served(cache, classes, kept, 150)
    assert wrong <= 10, "errors are heard at once"
    assert (await served(cache, classes, kept, 20))[1] <= 2
    for _ in range(20):
        clock.at += 400.0  # the old answers end
        hits, wrong = await served(cache, classes, kept, 60)
        if hits > 30:
            break
    assert hits > 30
    assert wrong <= 6


async def test_names_that_hold_each_other_are_told_apart() -> None:
    classes, kept = Renaming(classes=2), sorting(shadow=0.3)
    cache = made(Shelf(), classes, Hands())
    await served(cache, classes, kept, 150)
    classes.name = "new class"
    await served(cache, classes, kept, 200)
    assert (await served(cache, classes, kept, 20))[1] <= 2


async def test_a_class_that_is_new_is_none_of_the_old() -> None:
    classes, kept = Renaming(classes=2), sorting()
    cache = made(Shelf(), classes, Hands())
    await served(cache, classes, kept, 150)
    text, _ = classes.ask()
    fp = printed(text + " by hand", kept=kept)  # far from every class
    look = await cache.look(fp, kept)
    assert look.hit is None
    await put(cache, fp, kept, whole=said("class of its own"), look=look)
    assert cache.learner.report()["support"]["label"].errors == 0
