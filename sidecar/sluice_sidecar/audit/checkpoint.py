"""Keeps an audit's answers in a file of JSON lines, so that it goes on where it was broken off."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


class Forgetful:
    """Keeps nothing."""

    def load(self) -> Iterator[Mapping[str, Any]]:
        """Nothing."""
        yield from ()

    def add(self, record: Mapping[str, Any]) -> None:
        """Drops it."""


class FileCheckpoint:
    """One audit of one prompt in one file. A last line that was cut off in the middle is dropped."""

    def __init__(self, path: Path, *, prompt: str, against: str) -> None:
        """`prompt` is the digest of what is audited, `against` names the model that answers.

        Raises ValueError where the file is of another audit."""
        self._path, self._head = path, {"prompt": prompt, "against": against}
        path.parent.mkdir(parents=True, exist_ok=True)
        self._records = self._read()
        if not self._records:
            path.write_text(json.dumps(self._head) + "\n", encoding="utf-8")
        self._file = path.open("a", encoding="utf-8")

    def load(self) -> Iterator[Mapping[str, Any]]:
        """What was kept before this start."""
        yield from self._records[1:]

    def add(self, record: Mapping[str, Any]) -> None:
        """Writes one line, and gives it to the disk."""
        self._file.write(json.dumps(record, ensure_ascii=False) + "\n")
        self._file.flush()
        os.fdatasync(self._file.fileno())

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _read(self) -> list[Mapping[str, Any]]:
        if not self._path.exists():
            return []
        whole = self._path.read_bytes()
        kept = whole[: whole.rfind(b"\n") + 1]
        if kept != whole:
            self._path.write_bytes(kept)
        records = [json.loads(line) for line in kept.splitlines()]
        if records and records[0] != self._head:
            raise ValueError(
                f"{self._path} is the checkpoint of another audit (prompt {records[0].get('prompt')}, "
                f"answered by {records[0].get('against')}): give another file, or remove it to start afresh"
            )
        return records
