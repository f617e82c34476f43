"""An order of the streams that was measured is not measured again, unless something about it is another."""

from pathlib import Path

from bench.reuse.figures import Kept, counted, pooled
from bench.reuse.replay import Served

ROWS = [Served(True, at == 9, "e-lamp" if at % 2 else "n-time") for at in range(10)]


def test_a_kept_order_is_read_and_another_one_is_run(tmp_path: Path) -> None:
    runs: list[str] = []

    def run() -> list[Served]:
        runs.append("run")
        return ROWS

    first = Kept(tmp_path / "orders").order(("stream", "way", 0, None), run)
    assert Kept(tmp_path / "orders").order(("stream", "way", 0, None), run) == first == counted(ROWS)
    assert len(runs) == 1
    Kept(tmp_path / "orders").order(("stream", "way", 1, None), run)
    Kept(None).order(("stream", "way", 0, None), run)
    assert len(runs) == 3


def test_an_order_that_was_cut_off_is_run_again(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.order(("stream",), lambda: ROWS)
    (path,) = tmp_path.glob("*.json")
    path.rename(path.with_suffix(".part"))
    assert kept.order(("stream",), lambda: ROWS[:5]).whole.asked == 5


def test_orders_are_pooled_by_count() -> None:
    whole, last = counted(ROWS).whole, counted(ROWS).last_fifth
    assert (whole.asked, whole.hits, whole.wrong, whole.special_asked, whole.special_wrong) == (10, 10, 1, 5, 1)
    assert (last.asked, last.wrong) == (2, 1)
    assert pooled([whole, last]).asked == 12


def test_an_audited_answer_stays_wrong_and_is_counted_as_noise() -> None:
    pair = ("please shut off.", "please shut off")
    rows = [Served(True, True, "n-off", ask=one, filled_by=other) for one, other in (pair, pair[::-1], ("off", "on"))]
    assert (counted(rows).whole.wrong, counted(rows).whole.noise) == (3, 2)
