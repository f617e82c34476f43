"""The data folder: one run at a time, files replaced whole."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sluice_cli.supervisor.data_dir import DataDirError, claim, write


def test_a_second_claim_is_refused_and_names_the_first(tmp_path: Path) -> None:
    first = claim(tmp_path / "d")
    try:
        with pytest.raises(DataDirError, match=rf"pid {os.getpid()}.*--data"):
            claim(tmp_path / "d", patience=0.0)
    finally:
        first.close()
    claim(tmp_path / "d", patience=0.0).close()


def test_what_an_earlier_run_told_is_gone(tmp_path: Path) -> None:
    first = claim(tmp_path)
    write(first.config, b"old")
    first.close()
    second = claim(tmp_path)
    assert not second.config.exists()
    second.close()


def test_a_dead_runs_worker_is_waited_for(tmp_path: Path) -> None:
    """The lock is inherited by workers: one that still drains holds it, although its supervisor is gone."""
    first = claim(tmp_path)
    os.pwrite(first.lock, b"999999999\n", 0)  # no such process
    os.ftruncate(first.lock, 10)
    code = "import sys; sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, pass_fds=[first.lock]) as worker:
        first.close()
        with pytest.raises(DataDirError):
            claim(tmp_path, patience=0.0)
        assert worker.stdin is not None
        worker.stdin.close()
        claim(tmp_path, patience=5.0).close()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataDirError, match="--data"):
        claim(tmp_path / "file")


def test_a_written_file_is_whole_and_private(tmp_path: Path) -> None:
    write(tmp_path / "f", b"one")
    write(tmp_path / "f", b"two")
    assert (tmp_path / "f").read_bytes() == b"two"
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["f"]
