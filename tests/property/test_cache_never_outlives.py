"""Nothing is given beyond its life, whatever the wall clock does."""

from hypothesis import given, settings
from hypothesis import strategies as st

from doubles.cached import Hands, policy, printed, put
from doubles.shelf import Shelf
from sluice_sidecar.cache.cache import Cache

steps = st.lists(st.tuples(st.floats(0, 100), st.floats(-1e6, 1e6) | st.just(0.0), st.booleans()), max_size=12)


@settings(max_examples=100, deadline=None)
@given(steps, st.floats(0, 50))
async def test_no_answer_outlives_its_life(steps: list[tuple[float, float, bool]], stale: float) -> None:
    wall, monotonic = Hands(), Hands(0.0)
    cache = Cache(Shelf(), None, clock=wall, monotonic=monotonic)
    kept = policy(ttl=60.0, jitter=0.1, stale_while_revalidate=stale)
    fp, stored_at = printed(), None
    for passes, jump, store in steps:
        monotonic.at += passes
        wall.at += passes + jump
        for hit in (cache.identical(fp, kept), (await cache.look(fp, kept)).hit):
            if hit is not None:
                assert stored_at is not None
                age = monotonic.at - stored_at
                assert age < 60.0 + stale + 1e-6
                assert hit.stale or age < 60.0 + 1e-6
        if store:
            await put(cache, fp, kept)
            stored_at = monotonic.at
