"""Deferred requests give way where interactive callers wait longer, and come back where they do not."""

import itertools
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from doubles.bookkeeping import Call
from doubles.serve import route
from sluice_sidecar.batch.gate import BACK_OFF, QUIET, SAMPLES, TOLERANCE, Always, Engines, Pool, Yielding
from sluice_sidecar.config import Backend

most = st.integers(1, 200)
usual = st.floats(0.001, 60.0)


def calm(seconds: float) -> Yielding:
    """One that knows how long answers take in calm moments."""
    made = Yielding()
    for at in range(SAMPLES):
        made.answered(seconds, float(at), places=1, deferred=False)
    return made


def window(of: Yielding, seconds: float, now: float, places: int) -> int:
    """So many answers that one decision is made; the places after it."""
    for _ in range(SAMPLES):
        of.answered(seconds, now, places=places, deferred=True)
    return of.places(places, now)


@given(most, st.lists(st.tuples(st.floats(0.0, 1e4), st.booleans(), st.floats(0.0, 30.0)), max_size=200))
def test_there_is_one_place_at_least_and_never_more_than_all(
    places: int, answers: list[tuple[float, bool, float]]
) -> None:
    made, now = Yielding(), 0.0
    for seconds, deferred, later in answers:
        now += later
        made.answered(seconds, now, places=places, deferred=deferred)
        assert 1 <= made.places(places, now) <= places


@given(most, usual, st.integers(1, 10), st.floats(1.01, 100.0))
def test_each_slow_median_takes_half(places: int, seconds: float, windows: int, slower: float) -> None:
    made = calm(seconds)
    for done in range(1, windows + 1):
        left = window(made, seconds * TOLERANCE * slower, 100.0, places)
        assert left == max(1, int(places * BACK_OFF**done + 1e-9))


@given(most, usual, st.integers(1, 10))
def test_each_good_median_gives_one_back_until_all_are(places: int, seconds: float, slow: int) -> None:
    made = calm(seconds)
    for _ in range(slow):
        before = window(made, seconds * TOLERANCE * 2, 100.0, places)
    for _ in range(places):
        left = window(made, seconds, 100.0, places)
        assert before <= left <= before + 2  # a half that was lost to rounding, and one
        assert left > before or left == places
        before = left
    assert before == places


@given(most, usual, st.lists(st.floats(0.5, 1.2), min_size=SAMPLES, max_size=100))
def test_ordinary_differences_take_nothing(places: int, seconds: float, factors: list[float]) -> None:
    made = calm(seconds)
    for factor in factors:
        made.answered(seconds * factor, 100.0, places=places, deferred=True)
    assert made.places(places, 100.0) == places


@given(most, usual)
def test_where_nobody_asks_any_more_a_place_comes_back_each_second(places: int, seconds: float) -> None:
    made = calm(seconds)
    for _ in range(10):
        window(made, seconds * 10, 100.0, places)
    found = [made.places(places, 100.0 + QUIET + second + 0.5) for second in range(places)]
    assert found == sorted(found)
    assert found[-1] == places
    assert all(after - before <= 1 for before, after in itertools.pairwise(found))


@given(st.integers(4, 100), st.integers(1, 99), usual)
def test_it_settles_below_what_slows_callers_down(places: int, percent: int, seconds: float) -> None:
    """An engine on which callers wait twice as long once more than so many deferred requests run."""
    bearable = max(1, places * percent // 100)
    made, left, found = calm(seconds), places, []
    for _ in range(4 * places):
        left = window(made, seconds if left <= bearable else 2 * seconds, 100.0, places)
        found.append(left)
    settled = found[2 * places :]
    assert max(settled) <= bearable + 1
    assert min(settled) >= max(1, int((bearable + 1) * BACK_OFF) - 1)


@given(most, usual, st.booleans())
def test_a_pool_gives_way_by_its_most_pressed_engine_alone(places: int, seconds: float, stream: bool) -> None:
    always = Always()

    def pool(name: str) -> Pool:
        return Pool(name, frozenset({name}), always, places, 1.0, "Warn")

    pressed, free = Backend(name="house", url="http://pressed/v1"), Backend(name="house", url="http://free/v1")
    night, day = route([pressed, Backend(name="other", url="http://free/v1")], "night"), route([free], "day")
    engines = Engines()
    engines.use([night, day], pool)
    for deferred, factor in ((False, 1.0), (True, 10.0)):
        for _ in range(SAMPLES):
            took = seconds * factor
            call = Call("house", 100.0 if stream else took, first_token=took if stream else None)
            for one in (call, replace(call, backend="gone"), replace(call, seconds=1e6, first_token=1e6, outcome=503)):
                engines.answered(night, one, 100.0, places=places, deferred=deferred)
    assert engines.within(pool("night"), 100.0).concurrency == max(1, places // 2)
    assert engines.within(pool("day"), 100.0) == pool("day")
    assert engines.within(pool("unnamed"), 100.0) == pool("unnamed")
    engines.use([day], pool)
    engines.use([night, day], pool)
    assert engines.within(pool("night"), 100.0) == pool("night")
