"""Times that would let two lead at once are refused."""

import pytest

from sluice_operator.lease import Times


@pytest.mark.parametrize(("duration", "deadline", "retry"), [(5, 5, 1), (8, 9, 1), (8, 1, 1), (8, 5, 0)])
def test_a_holder_gives_up_before_another_takes_over(duration: float, deadline: float, retry: float) -> None:
    with pytest.raises(ValueError, match="0 < retry < deadline < duration"):
        Times(duration, deadline, retry)
