"""A short, seeded run of `make faults`: real processes killed while deferred requests are handed over and fetched."""

from pathlib import Path

from e2e.faults.check import violations
from e2e.faults.history import Acknowledged, Killed
from e2e.faults.run import run


async def test_what_was_acknowledged_outlives_kills_of_gateway_and_supervisor(tmp_path: Path) -> None:
    ran = await run(tmp_path, seed=3, kills=3, seconds=60.0)
    assert violations(ran.history) == []
    assert sum(isinstance(one, Killed) for one in ran.history) == 4
    assert any(isinstance(one, Acknowledged) for one in ran.history)
