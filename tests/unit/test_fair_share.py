"""Who makes room in a full policy."""

from hypothesis import given
from hypothesis import strategies as st

from sluice_sidecar.cache.stores.fair import givers, surplus


def test_a_hundredth_goes_at_once_and_nothing_where_there_is_room() -> None:
    assert [surplus(count, 1000) for count in (999, 1000, 1001, 1500)] == [0, 0, 11, 510]


def test_whoever_holds_most_gives() -> None:
    assert givers({"flood": 95, "acme": 5}, "flood", 10) == {"flood": 10}
    assert givers({"flood": 95, "acme": 6}, "acme", 10) == {"flood": 10}


def test_among_equals_whoever_puts_gives() -> None:
    assert givers({"acme": 50, "flood": 50}, "flood", 1) == {"flood": 1}
    assert givers({"acme": 50, "flood": 50}, "acme", 1) == {"acme": 1}


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 40), min_size=1), st.integers(0, 60))
def test_nobody_with_an_equal_share_of_what_is_left_loses_anything(held: dict[str, int], number: int) -> None:
    putter = next(iter(held))
    given_up = givers(held, putter, number)
    left = {tenant: count - given_up[tenant] for tenant, count in held.items()}
    assert sum(given_up.values()) == min(number, sum(held.values()))
    share = sum(left.values()) // len(left)
    assert all(given_up[tenant] == 0 for tenant, count in held.items() if count <= share)
    assert all(count >= 0 for count in left.values())
