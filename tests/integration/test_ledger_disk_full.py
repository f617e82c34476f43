"""A disk that takes no more costs the ledger its persistence for a while, never a request or a total."""

import logging
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from doubles.bookkeeping import hit, route
from sluice_sidecar.ledger.ledger import Ledger


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process may grow past a few bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


async def test_totals_wait_in_memory_for_room(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sluice.ledger")
    ledger = Ledger(tmp_path)
    await ledger.start()
    with full_disk():
        for _ in range(3):
            ledger.record(hit(), route())
            await ledger.flush()
        assert ledger.savings()["requests"] == 3
        assert not ledger.savings()["persistent"]
    assert caplog.text.count("totals stay in memory") == 1
    await ledger.flush()
    assert "written again" in caplog.text
    assert ledger.savings()["persistent"]
    await ledger.close()
    again = Ledger(tmp_path)
    await again.start()
    assert again.savings()["requests"] == 3
    await again.close()


async def test_a_folder_that_comes_late_loses_no_earlier_total(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    first = Ledger(folder)
    await first.start()
    first.record(hit(), route())
    await first.close()
    folder.rename(tmp_path / "away")
    folder.write_text("in the way")
    second = Ledger(folder)
    await second.start()
    second.record(hit(), route())
    await second.flush()
    assert second.savings()["requests"] == 1
    folder.unlink()
    (tmp_path / "away").rename(folder)
    await second.flush()
    assert second.savings()["requests"] == 2
    await second.close()
    third = Ledger(folder)
    await third.start()
    assert third.savings()["requests"] == 2
    await third.close()
