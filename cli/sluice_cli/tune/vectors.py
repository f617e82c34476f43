"""Vectors of all texts of some data, computed once: a run that was stopped goes on where it was."""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sluice_cli.tune.data import Recorded
from sluice_sidecar.cache.answers.gist import gist
from sluice_sidecar.cache.embed import WIDTH, Embedder, TooLong, checked
from sluice_sidecar.cache.meaning import COMPARABLE
from sluice_sidecar.cache.reuse.paraphrase import eligible

if TYPE_CHECKING:
    from sluice_sidecar.cache.embed import Vector

CHUNK = 128
"""Texts that are computed, and kept, together: what a killed run loses at most."""

Told = Callable[[int], None]
"""Is told how many texts more are done."""


@dataclass(frozen=True, slots=True)
class Table:
    """An embedder that only looks up. A row of zeros is a text that the model does not embed."""

    rows: "dict[str, Vector]"

    async def __call__(self, text: str) -> "Vector":
        """See Embedder."""
        row = self.of(text)
        if row is None:
            raise TooLong("this text has no vector")
        return row

    def of(self, text: str) -> "Vector | None":
        """The text's vector, None where it has none."""
        row = self.rows.get(text)
        return row if row is not None and row.any() else None

    def cosine(self, one: str, other: str) -> float:
        """Similarity of two texts; NaN where one has no vector."""
        a, b = self.of(one), self.of(other)
        return float("nan") if a is None or b is None else float(a @ b)


def wanted(asks: Sequence[Recorded]) -> list[str]:
    """Every text that a replay may compare by meaning, once: asks, and answers unless all are compared exactly."""
    texts = {ask.fp.text: None for ask in asks if ask.fp.text is not None and eligible(ask.fp.text)}
    said = {gist(answer) for answer in {ask.answer: None for ask in asks}}
    if any(one.kind in ("prose", "code") for one in said):
        texts |= {one.text: None for one in sorted(said, key=lambda one: one.text) if len(one.text) <= COMPARABLE}
    return [text for text in texts if text]


async def embedded(texts: Sequence[str], embedder: Embedder, folder: Path, model: str, told: Told) -> Table:
    """The vectors of `texts`; chunks that `folder` has of the same texts and `model` are not computed again.

    Raises EmbeddingError when there is no model.
    """
    rows: dict[str, Vector] = {}
    for at in range(0, len(texts), CHUNK):
        chunk = texts[at : at + CHUNK]
        name = blake2b("\x00".join([model, *chunk]).encode("utf-8", "replace"), digest_size=12).hexdigest()
        path = folder / f"{name}.npy"
        found = _kept(path, len(chunk))
        if found is None:
            found = np.stack(await asyncio.gather(*(_row(text, embedder) for text in chunk)))
            written(path, partial(np.save, arr=found))
        rows.update(zip(chunk, found, strict=True))
        told(len(chunk))
    return Table(rows)


def _kept(path: Path, count: int) -> "Vector | None":
    """A chunk that was finished; None where there is none, or a damaged one."""
    try:
        rows: Vector = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return rows if rows.shape == (count, WIDTH) and rows.dtype == np.float32 and np.isfinite(rows).all() else None


async def _row(text: str, embedder: Embedder) -> "Vector":
    try:
        return checked(await embedder(text))
    except TooLong:
        return np.zeros(WIDTH, np.float32)


def written(path: Path, write: Callable[[Path], None]) -> None:
    """Makes a whole file or none: it is written beside its place and then moved there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.stem}.{os.getpid()}.part{path.suffix}")
    write(part)
    part.replace(path)
