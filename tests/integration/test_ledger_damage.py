"""A broken ledger file never stops a gateway, and is kept for whoever wants to look at it."""

import logging
import sqlite3
from pathlib import Path

import pytest

from doubles.bookkeeping import hit, route
from sluice_sidecar.ledger.ledger import Ledger


async def opened(folder: Path) -> Ledger:
    ledger = Ledger(folder)
    await ledger.start()
    return ledger


async def filled(folder: Path, requests: int = 5) -> None:
    ledger = await opened(folder)
    for _ in range(requests):
        ledger.record(hit(), route())
    await ledger.close()


@pytest.mark.parametrize("garbage", [b"not a database, but long enough to be read as one" * 100, b"\0" * 8192])
async def test_a_file_that_is_no_ledger_is_moved_aside(
    tmp_path: Path, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(garbage)
    with caplog.at_level(logging.WARNING, "sluice.ledger"):
        await filled(tmp_path, 3)
    (aside,) = [path for path in tmp_path.glob("ledger.sqlite.damaged-*") if not path.name.endswith(("-wal", "-shm"))]
    assert aside.read_bytes() == garbage
    assert "damaged" in caplog.text
    ledger = await opened(tmp_path)
    assert ledger.savings()["requests"] == 3
    await ledger.close()


async def test_damage_inside_is_found_at_the_start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    await filled(tmp_path)
    path = tmp_path / "ledger.sqlite"
    body = bytearray(path.read_bytes())
    body[4096:] = b"\xa5" * (len(body) - 4096)
    path.write_bytes(body)
    ledger = await opened(tmp_path)
    assert ledger.savings()["requests"] == 0
    assert "damaged" in caplog.text
    await ledger.close()


async def test_damage_while_running_costs_no_total(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ledger = await opened(tmp_path)
    for _ in range(4):
        ledger.record(hit(), route())
    await ledger.flush()
    db = sqlite3.connect(tmp_path / "ledger.sqlite")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    path = tmp_path / "ledger.sqlite"
    body = bytearray(path.read_bytes())
    body[4096:] = b"\xa5" * (len(body) - 4096)
    with path.open("r+b") as file:
        file.write(body)
    ledger.record(hit(), route())
    await ledger.flush()
    await ledger.flush()
    await ledger.close()
    assert "damaged" in caplog.text
    again = await opened(tmp_path)
    assert again.savings()["requests"] == 5
    await again.close()


async def test_one_row_edited_by_hand_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    await filled(tmp_path)
    db = sqlite3.connect(tmp_path / "ledger.sqlite")
    db.execute("UPDATE decisions SET body = 'nonsense' WHERE seq = 1")
    db.execute("UPDATE totals SET numbers = '[]'")
    db.commit()
    db.close()
    ledger = await opened(tmp_path)
    assert len(ledger.recent(10)) == 4
    assert "left out" in caplog.text
    await ledger.close()


async def test_a_newer_release_s_file_is_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    await filled(tmp_path)
    db = sqlite3.connect(tmp_path / "ledger.sqlite")
    db.execute("PRAGMA user_version=99")
    db.close()
    await filled(tmp_path, 2)
    assert "schema 99" in caplog.text
    assert not list(tmp_path.glob("*.damaged-*"))
