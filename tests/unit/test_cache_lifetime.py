"""How long an answer lives."""

import pytest

from doubles.cached import Hands, policy
from sluice_sidecar.cache.clock import SteadyClock
from sluice_sidecar.cache.ttl import lifetime


def test_a_life_is_the_policys() -> None:
    assert lifetime(policy(ttl=60.0, stale_while_revalidate=10.0), 1000.0) == (1060.0, 1070.0)


@pytest.mark.parametrize(("share", "expires"), [(0.0, 1100.0), (0.5, 1095.0), (1.0, 1090.0)])
def test_jitter_only_shortens(share: float, expires: float) -> None:
    assert lifetime(policy(ttl=100.0, jitter=0.1), 1000.0, share=lambda: share)[0] == pytest.approx(expires)


def test_a_caller_can_shorten_it() -> None:
    assert lifetime(policy(ttl=60.0), 1000.0, max_age=5.0)[0] == 1005.0
    assert lifetime(policy(ttl=60.0), 1000.0, max_age=500.0)[0] == 1060.0
    assert lifetime(policy(ttl=60.0), 1000.0, max_age=-1.0)[0] == 1000.0


def test_a_clock_set_back_goes_on() -> None:
    wall, monotonic = Hands(1000.0), Hands(0.0)
    clock = SteadyClock(wall, monotonic)
    wall.at, monotonic.at = 400.0, 10.0
    assert clock() == 1010.0
    wall.at, monotonic.at = 405.0, 15.0
    assert clock() == 1015.0


def test_a_clock_set_forward_is_followed() -> None:
    wall, monotonic = Hands(1000.0), Hands(0.0)
    clock = SteadyClock(wall, monotonic)
    wall.at, monotonic.at = 5000.0, 1.0
    assert clock() == 5000.0
    wall.at, monotonic.at = 1002.0, 2.0
    assert clock() == 5001.0
