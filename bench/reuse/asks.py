"""Streams of asks: texts, the keys that say which of them want the same answer, and their vectors."""

import asyncio
import csv
import hashlib
import json
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sluice_sidecar.cache.embed import EmbeddingError, MiniLM, checked

Array = npt.NDArray[np.float32]

TOGETHER = 64
"""Texts that are given to the model at once."""


@dataclass(frozen=True)
class Stream:
    """Unique texts in the order of the data set. `vectors`: one unit row a text, zeros where it cannot be embedded."""

    name: str
    texts: tuple[str, ...]
    keys: tuple[str, ...]
    vectors: Array
    scopes: tuple[str, ...] = ()
    """What went before each ask, where they do not all stand alone: asks of two scopes are no neighbours."""

    def shuffled(self, seed: int, limit: int | None = None) -> "Stream":
        """The same asks in a random order, the first `limit` of them."""
        order = list(range(len(self.texts)))
        random.Random(seed).shuffle(order)
        return self.at(order[:limit])

    def at(self, order: list[int]) -> "Stream":
        """The asks at these places."""
        texts, keys, scopes = (
            tuple(row[i] for i in order) if row else () for row in (self.texts, self.keys, self.scopes)
        )
        return Stream(self.name, texts, keys, self.vectors[order], scopes)


def _banking77(folder: Path) -> Iterator[tuple[str, str]]:
    for split in ("train", "test"):
        with (folder / f"{split}.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                yield row["text"].strip(), row["category"]


def _clinc150(folder: Path) -> Iterator[tuple[str, str]]:
    """Out of scope: every ask wants an answer of its own."""
    for split, rows in json.loads((folder / "data_full.json").read_text()).items():
        for at, (text, intent) in enumerate(rows):
            yield text, intent if intent != "oos" else f"oos-{split}-{at}"


def _nlu_home(folder: Path) -> Iterator[tuple[str, str]]:
    """Strict: intent and every entity."""
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text().splitlines():
            row = json.loads(line)
            yield row["text"], ("e-" if row["entities"] else "n-") + row["answer_key"]


READERS: dict[str, Callable[[Path], Iterator[tuple[str, str]]]] = {
    "banking77": _banking77,
    "clinc150": _clinc150,
    "nlu_home": _nlu_home,
}


def load(name: str, datasets: Path) -> Stream:
    """One data set as a stream, embedded; a text with two labels keeps its first. Raises SystemExit: not there."""
    folder = datasets / name
    if not folder.is_dir():
        raise SystemExit(f"bench: {folder} is not there; name the folder of the data sets with --datasets")
    keys: dict[str, str] = {}
    for text, key in READERS[name](folder):
        keys.setdefault(text, key)
    return Stream(name, tuple(keys), tuple(keys.values()), embedded(list(keys)))


def embedded(texts: list[str]) -> Array:
    """One unit row a text; kept in the user's cache folder, so that a second run starts at once."""
    digest = hashlib.sha256("\x00".join(texts).encode()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sluice" / "bench"
    path = cache / f"{digest}.npy"
    if path.exists():
        rows: Array = np.load(path)
        return rows
    rows = asyncio.run(_embed(texts))
    cache.mkdir(parents=True, exist_ok=True)
    np.save(path, rows)
    return rows


async def _embed(texts: list[str]) -> Array:
    model = MiniLM()
    rows = np.zeros((len(texts), 384), np.float32)
    for start in range(0, len(texts), TOGETHER):
        some = [_one(model, text) for text in texts[start : start + TOGETHER]]
        rows[start : start + TOGETHER] = await asyncio.gather(*some)
    model.close()
    return rows


async def _one(model: MiniLM, text: str) -> Array:
    try:
        return checked(await model(text))
    except EmbeddingError:
        return np.zeros(384, np.float32)
