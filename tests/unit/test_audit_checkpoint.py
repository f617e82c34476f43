"""A checkpoint gives back what was kept, drops a line that was cut off, and refuses another audit's file."""

from pathlib import Path

import pytest

from sluice_sidecar.audit.checkpoint import FileCheckpoint


def opened(path: Path, prompt: str = "sha256:a") -> FileCheckpoint:
    return FileCheckpoint(path, prompt=prompt, against="small")


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    first = opened(tmp_path / "deep" / "audit.jsonl")
    first.add({"variant": "a", "sample": "1", "loss": 0.0})
    first.close()
    second = opened(tmp_path / "deep" / "audit.jsonl")
    assert list(second.load()) == [{"variant": "a", "sample": "1", "loss": 0.0}]
    second.close()


def test_a_line_that_was_cut_off_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    first = opened(path)
    first.add({"sample": "1"})
    first.close()
    path.write_bytes(path.read_bytes() + b'{"sample": "2", "lo')
    second = opened(path)
    assert list(second.load()) == [{"sample": "1"}]
    second.add({"sample": "3"})
    second.close()
    third = opened(path)
    assert [one["sample"] for one in third.load()] == ["1", "3"]
    third.close()


def test_another_audit_is_refused(tmp_path: Path) -> None:
    opened(tmp_path / "audit.jsonl").close()
    with pytest.raises(ValueError, match=r"checkpoint of another audit .*give another file"):
        opened(tmp_path / "audit.jsonl", prompt="sha256:b")
