"""A folder with an ONNX model is an embedder, or is refused with the reason."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from doubles.cached import Hands
from doubles.onnx_folders import WORDS, folder, table
from sluice_sidecar.cache.embedders.embedder import EmbeddingError, TooLong, checked
from sluice_sidecar.cache.embedders.onnx_folder import RETRY, OnnxFolder


async def embedded(path: Path, *texts: str) -> Any:
    """A row a text, embedded together."""
    embedder = OnnxFolder(lambda: path)
    try:
        return np.stack([checked(one) for one in await asyncio.gather(*map(embedder, texts))])
    finally:
        embedder.close()


def unit(vector: Any) -> Any:
    return vector / np.linalg.norm(vector)


def rows(*words: str) -> Any:
    return table()[[WORDS.index(word) for word in words]]


async def test_tokens_are_pooled_by_their_mean_over_what_is_no_padding(tmp_path: Path) -> None:
    for inputs in (("input_ids", "attention_mask"), ("input_ids", "attention_mask", "token_type_ids")):
        found = await embedded(folder(tmp_path / str(len(inputs)), inputs=inputs), "red house a a", "blue")
        assert found[0] == pytest.approx(unit(rows("[CLS]", "red", "house", "a", "a", "[SEP]").mean(axis=0)), abs=1e-6)
        assert found[1] == pytest.approx(unit(rows("[CLS]", "blue", "[SEP]").mean(axis=0)), abs=1e-6)


async def test_its_settings_choose_the_first_token_instead(tmp_path: Path) -> None:
    found = await embedded(folder(tmp_path, pooling="cls_token"), "red house")
    assert found[0] == pytest.approx(unit(table()[WORDS.index("[CLS]")]), abs=1e-6)


async def test_a_long_text_is_embedded_in_windows_between_the_same_special_tokens(tmp_path: Path) -> None:
    path = folder(tmp_path, tokens=10)
    found = await embedded(path, "red " * 8 + "blue " * 3)  # windows of 8, one shared
    first = unit(rows("[CLS]", *["red"] * 8, "[SEP]").mean(axis=0))
    last = unit(rows("[CLS]", *["red"] * 5, *["blue"] * 3, "[SEP]").mean(axis=0))
    assert found[0] == pytest.approx(unit((first + last) / 2), abs=1e-6)
    with pytest.raises(TooLong):
        await embedded(path, "red " * 100)


async def test_its_identity_is_what_its_files_hold(tmp_path: Path) -> None:
    same, moved = folder(tmp_path / "one"), folder(tmp_path / "two")
    other, pooled = folder(tmp_path / "three", seed=8), folder(tmp_path / "four", pooling="cls_token")
    found = []
    for path in (same, moved, other, pooled):
        embedder = OnnxFolder(lambda path=path: path)  # type: ignore[misc]
        await embedder("red")
        found.append(embedder.identity)
        embedder.close()
    assert found[0] == found[1]
    assert len(set(found)) == 3


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"width": 768}, "gives 768 dimensions; the policy says 384"),
        ({"inputs": ("input_ids",)}, "must take input_ids, attention_mask"),
        ({"inputs": ("input_ids", "attention_mask", "position_ids")}, "takes attention_mask, input_ids, position_ids"),
        ({"shape": (1, 16)}, "dynamic axes"),
        ({"kind": TensorProto.INT32}, "int64"),
        ({"pooling": "max_tokens"}, "pooling_mode_max_tokens"),
        ({"tokens": 2}, "too few"),
        ({"tokens": -1}, "max_seq_length"),
    ],
    ids=str,
)
async def test_what_does_not_fit_is_refused(tmp_path: Path, wrong: dict[str, Any], reason: str) -> None:
    folder(tmp_path, **wrong)
    with pytest.raises(EmbeddingError, match=reason):
        await embedded(tmp_path, "red")


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
async def test_a_missing_or_broken_file_is_named(tmp_path: Path, name: str) -> None:
    path = folder(tmp_path)
    (path / name).write_bytes(b"{")
    with pytest.raises(EmbeddingError, match="cannot be loaded"):
        await embedded(path, "red")
    (path / name).unlink()
    with pytest.raises(EmbeddingError, match=f"has no {name}"):
        await embedded(path, "red")


async def test_a_folder_that_is_repaired_is_used_after_a_while(tmp_path: Path) -> None:
    clock = Hands()
    embedder = OnnxFolder(lambda: tmp_path, seconds=clock)
    for _ in range(2):
        with pytest.raises(EmbeddingError, match="has no model"):
            await embedder("red")
        folder(tmp_path)
    clock.at += RETRY
    assert checked(await embedder("red")).shape == (384,)
    embedder.close()
