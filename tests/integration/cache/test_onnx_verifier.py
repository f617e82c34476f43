"""A folder with an ONNX cross-encoder or NLI model is a verifier, or has no verdict, with the reason."""

import math
from pathlib import Path
from typing import Any

import pytest

from doubles.onnx_folders import folder, pair_folder
from sluice_sidecar.cache.verifiers.onnx_pair import OnnxPair
from sluice_sidecar.cache.verifiers.verifier import VerifierError


async def scored(path: Path, one: str, other: str) -> float:
    verifier = OnnxPair(path)
    try:
        return await verifier(one, other)
    finally:
        verifier.close()


def sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


async def test_one_class_is_its_sigmoid_and_the_lower_order_counts(tmp_path: Path) -> None:
    path = pair_folder(tmp_path, {"red": [3.0], "not": [-2.0]})
    assert await scored(path, "red house", "red red") == pytest.approx(sigmoid(3.0), abs=1e-6)
    assert await scored(path, "red", "not red") == pytest.approx(sigmoid(1.0), abs=1e-6)
    assert await scored(path, "not red", "red") == pytest.approx(sigmoid(1.0), abs=1e-6)


async def test_of_several_classes_the_named_one_counts(tmp_path: Path) -> None:
    labels = ("contradiction", "Entailment", "neutral")
    path = pair_folder(tmp_path, {"red": [0.0, 5.0, 1.0]}, classes=3, labels=labels)
    wanted = math.exp(5.0) / (1.0 + math.exp(5.0) + math.exp(1.0))
    assert await scored(path, "red", "red a") == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(
    ("weights", "more", "reason"),
    [
        ({"red": [math.nan]}, {}, "one that is none"),
        ({"red": [math.inf]}, {}, "one that is none"),
        ({"red": [1.0, 2.0]}, {"classes": 2}, "id2label names none"),
        ({"red": [1.0, 2.0]}, {"classes": 2, "labels": ("yes", "no")}, "id2label names none"),
        ({"red": [1.0]}, {"longest": 6}, "reads 6 tokens"),
    ],
)
async def test_what_is_no_score_is_none(tmp_path: Path, weights: Any, more: Any, reason: str) -> None:
    path = pair_folder(tmp_path, weights, **more)
    with pytest.raises(VerifierError, match=reason):
        await scored(path, "red a a", "red house")


async def test_a_folder_that_is_no_verifier_is_told(tmp_path: Path) -> None:
    with pytest.raises(VerifierError, match=r"has no model\.onnx"):
        await scored(tmp_path, "a", "b")
    (tmp_path / "broken").mkdir()
    for name in ("model.onnx", "tokenizer.json"):
        (tmp_path / "broken" / name).write_bytes(b"{}")
    with pytest.raises(VerifierError, match="cannot be loaded from"):
        await scored(tmp_path / "broken", "a", "b")


async def test_an_embedding_model_is_no_verifier(tmp_path: Path) -> None:
    with pytest.raises(VerifierError, match="gave"):
        await scored(folder(tmp_path), "red", "blue")


async def test_after_closing_there_is_no_verdict(tmp_path: Path) -> None:
    verifier = OnnxPair(pair_folder(tmp_path, {"red": [3.0]}))
    assert await verifier("red", "red") > 0.9
    verifier.close()
    with pytest.raises(VerifierError, match="closed"):
        await verifier("red", "red")
