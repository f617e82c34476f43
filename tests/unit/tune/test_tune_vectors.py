"""Vectors are computed once, and a run that was stopped goes on."""

from pathlib import Path

import numpy as np
import pytest

from sluice_cli.tune.vectors import CHUNK, Table, embedded
from sluice_sidecar.cache.embed import WIDTH, EmbeddingError, TooLong

TEXTS = [f"text {number}" for number in range(2 * CHUNK + 3)]


class Counting:
    """An embedder that fails at a text, and counts."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.asked: list[str] = []
        self.fails_at = fails_at

    async def __call__(self, text: str) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
        if text == "long":
            raise TooLong("long")
        if len(self.asked) == self.fails_at:
            raise EmbeddingError("away")
        self.asked.append(text)
        row = np.zeros(WIDTH, np.float32)
        row[len(text) % WIDTH] = 1.0
        return row


def ignored(_: int) -> None:
    pass


async def test_what_was_computed_before_a_stop_is_not_computed_again(tmp_path: Path) -> None:
    with pytest.raises(EmbeddingError):
        await embedded(TEXTS, Counting(fails_at=CHUNK + 5), tmp_path, "m", ignored)
    second, told = Counting(), list[int]()
    table = await embedded(TEXTS, second, tmp_path, "m", told.append)
    assert len(second.asked) == CHUNK + 3
    assert (sum(told), len(table.rows)) == (len(TEXTS), len(TEXTS))


async def test_another_model_or_a_damaged_file_is_computed_anew(tmp_path: Path) -> None:
    await embedded(TEXTS[:5], Counting(), tmp_path, "m", ignored)
    (file,) = tmp_path.glob("*.npy")
    file.write_bytes(file.read_bytes()[:99])
    again, other = Counting(), Counting()
    await embedded(TEXTS[:5], again, tmp_path, "m", ignored)
    await embedded(TEXTS[:5], other, tmp_path, "n", ignored)
    assert (len(again.asked), len(other.asked)) == (5, 5)


async def test_a_text_too_long_for_the_model_has_no_vector(tmp_path: Path) -> None:
    table = await embedded(["long", "short"], Counting(), tmp_path, "m", ignored)
    with pytest.raises(TooLong):
        await table("long")
    assert np.isnan(table.cosine("long", "short"))
    assert table.cosine("short", "short") == 1.0


async def test_an_unknown_text_has_none_either() -> None:
    with pytest.raises(TooLong):
        await Table({})("never seen")
