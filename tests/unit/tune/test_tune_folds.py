"""Replays that were finished are not done again; what is held out is held out of every order."""

from pathlib import Path

from doubles.replayed import classes, labelled
from sluice_cli.tune.folds import Folds, orders


async def test_a_finished_replay_is_read_and_a_damaged_one_done_again(tmp_path: Path) -> None:
    asks, table = classes(60)
    told: list[int] = []
    folds = Folds(tmp_path, asks, table, told.append)
    first = await folds.run(labelled(), range(60), 0)
    assert (await folds.run(labelled(), range(60), 0)) == first
    assert told == [*[1] * 60, 60]
    (file,) = tmp_path.glob("*.json")
    file.write_bytes(file.read_bytes()[:-9])
    assert (await folds.run(labelled(), range(60), 0)) == first
    assert len(told) == 121


async def test_another_policy_order_or_seed_is_another_replay(tmp_path: Path) -> None:
    asks, table = classes(40)
    folds = Folds(tmp_path, asks, table, lambda _: None)
    await folds.run(labelled(), range(40), 0)
    await folds.run(labelled(bound=0.1), range(40), 0)
    await folds.run(labelled(), range(39, -1, -1), 0)
    await folds.run(labelled(), range(40), 1)
    assert len(list(tmp_path.glob("*.json"))) == 4


def test_every_order_holds_the_same_asks_out() -> None:
    found = orders(10, 4, False, 3, seed=1)
    assert len({tuple(order) for order in found}) == 3
    assert len({frozenset(order[-4:]) for order in found}) == 1
    assert all(sorted(order) == list(range(10)) for order in found)


def test_asks_with_times_have_one_order() -> None:
    assert orders(5, 2, True, 3, seed=1) == [[0, 1, 2, 3, 4]]
