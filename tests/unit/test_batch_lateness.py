"""The latest safe start of a queue that has a deadline."""

import math

import pytest

from sluice_sidecar.batch.lateness import latest_start


def test_it_is_the_deadline_less_the_run_and_its_margin() -> None:
    assert latest_start(10_000.0, 300, 0.5, margin=0.25) == 10_000 - 750
    assert latest_start(10_000.0, 0, 0.5) == 10_000


@pytest.mark.parametrize(
    ("queued", "throughput", "margin"),
    [(1, 0.0, 0.1), (1, math.nan, 0.1), (1, math.inf, 0.1), (-1, 1.0, 0.1), (1, 1.0, -0.1), (1, 1.0, math.nan)],
)
def test_what_tells_nothing_is_refused(queued: int, throughput: float, margin: float) -> None:
    with pytest.raises(ValueError, match=r"throughput|negative"):
        latest_start(10_000.0, queued, throughput, margin)
