"""Whatever is added, ends, fails or is stopped, in any order: no key runs twice at once, none is lost."""

from hypothesis import given
from hypothesis import strategies as st

from sluice_operator.queue import Backoff, Schedule

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "later", "take", "done", "again", "failed", "dropped"]),
        st.sampled_from("abc"),
        st.floats(0.0, 5.0),
    ),
    max_size=60,
)


@given(steps=STEPS, chance=st.floats(0.0, 0.99))
def test_no_key_is_lost_and_none_runs_twice(steps: list[tuple[str, str, float]], chance: float) -> None:
    schedule: Schedule[str] = Schedule(Backoff(first=1.0, most=8.0), lambda: chance)
    now = 0.0
    running: set[str] = set()
    owed: set[str] = set()

    def take() -> str | None:
        key = schedule.take(now)
        if key is not None:
            assert key not in running
            running.add(key)
            owed.discard(key)
        return key

    for step, key, wait in steps:
        now += wait
        if step == "add":
            schedule.add(key, now)
            owed.add(key)
        elif step == "later":
            schedule.add(key, now, delay=wait)
            owed.add(key)
        elif step == "take":
            take()
        elif key in running:
            running.discard(key)
            if step == "done":
                schedule.done(key, now)
            elif step == "again":
                schedule.done(key, now, requeue_after=wait)
                owed.add(key)
            elif step == "failed":
                assert 0.7 <= schedule.failed(key, now) <= 8.0
                owed.add(key)
            else:
                schedule.dropped(key, now)
                owed.add(key)
        assert schedule.running == len(running)

    for key in sorted(running):
        schedule.done(key, now)
    running.clear()
    assert schedule.waiting == len(owed)
    while (due := schedule.next_due()) is not None:
        now = max(now, due)
        taken = take()
        assert taken is not None
        running.discard(taken)
        schedule.done(taken, now)
    assert not owed
