"""Real asks: from the folder of data sets, whatever of them is there."""

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

LONGEST = 200
"""Characters of an ask that is changed: in a longer one a changed word is no near miss to an embedding but a drop."""

_ABOUT = re.compile(
    r"\b(passage|paragraph|this text|the text|article|following text|provided|reference)\b", re.IGNORECASE
)
"""An ask about a text that came with it cannot be understood without."""


def _lines(path: Path) -> Iterator[dict[str, str]]:
    for line in path.read_text().split("\n"):
        if line:
            yield json.loads(line)


def _dolly(folder: Path) -> Iterator[tuple[str, str]]:
    for row in _lines(folder / "dolly_instructions.jsonl"):
        yield row["instruction"], ""


def _arena(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.glob("*.jsonl")):
        for row in _lines(path):
            yield row["prompt"], ""


def _gsm8k(folder: Path) -> Iterator[tuple[str, str]]:
    for row in _lines(folder / "gsm8k_test.jsonl"):
        yield row["question"], ""


def _banking77(folder: Path) -> Iterator[tuple[str, str]]:
    with (folder / "train.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            yield row["text"], row["category"]


def _nlu_home(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.glob("*.jsonl")):
        for row in _lines(path):
            yield row["text"], row["answer_key"]


_READERS: dict[str, Callable[[Path], Iterator[tuple[str, str]]]] = {
    "dolly_instructions": _dolly, "arena_hard": _arena, "gsm8k": _gsm8k, "banking77": _banking77,
    "nlu_home": _nlu_home,
}  # fmt: skip

_LIMITS = {"gsm8k": 400}


def prompts(datasets: Path) -> dict[str, dict[str, str]]:
    """Set -> text -> key; asks of one key want the same answer, an empty key says nothing. Raises SystemExit: none."""
    found = {}
    for name, reader in _READERS.items():
        if (datasets / name).is_dir():
            rows = ((" ".join(text.split()), key) for text, key in reader(datasets / name))
            limit = _LIMITS.get(name, LONGEST)
            found[name] = {text: key for text, key in rows if 12 <= len(text) <= limit and not _ABOUT.search(text)}
    if not found:
        raise SystemExit(f"bench: no data set that is known in {datasets}; name the folder with --datasets")
    return found
