"""Rewriting a model's weights: once, whole, and with llama.cpp's own fallbacks."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType as Type
from gguf import GGUFReader, GGUFWriter
from gguf.quants import dequantize

from doubles.running import ROOT
from sluice_cli.requantise import kept, tensor_type


def write_tiny(path: Path) -> None:
    """A file of two matrices and a norm, as a model has them."""
    random = np.random.default_rng(1)
    writer = GGUFWriter(str(path), "llama")
    writer.add_string("general.name", "tiny")
    writer.add_array("tokenizer.ggml.tokens", ["a", "b"])
    writer.add_tensor("token_embd.weight", random.standard_normal((4, 64)).astype(np.float32))
    writer.add_tensor("blk.0.attn_q.weight", random.standard_normal((8, 64)).astype(np.float32))
    writer.add_tensor("blk.0.attn_norm.weight", random.standard_normal(64).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.mark.parametrize(("kind", "error"), [("F16", 0.01), ("BF16", 0.05), ("Q8_0", 0.05), ("Q4_0", 0.5)])
def test_values_survive_within_the_types_precision(tmp_path: Path, kind: str, error: float) -> None:
    write_tiny(tmp_path / "m.gguf")
    result = kept(tmp_path / "m.gguf", kind, tmp_path / "cache")
    before = {tensor.name: tensor for tensor in GGUFReader(str(tmp_path / "m.gguf")).tensors}
    reader = GGUFReader(str(result))
    assert reader.fields["general.name"].contents() == "tiny"
    assert reader.fields["tokenizer.ggml.tokens"].contents() == ["a", "b"]
    for tensor in reader.tensors:
        original = dequantize(before[tensor.name].data, before[tensor.name].tensor_type)
        assert np.abs(dequantize(tensor.data, tensor.tensor_type) - original).max() <= error
        if tensor.name == "blk.0.attn_q.weight":
            assert tensor.tensor_type == Type[kind]


def test_blocks_that_do_not_fit_fall_back_and_vectors_stay() -> None:
    assert tensor_type("blk.0.ffn.weight", (8, 576), Type.Q4_K) == Type.Q5_0
    assert tensor_type("blk.0.ffn.weight", (8, 512), Type.Q4_K) == Type.Q4_K
    assert tensor_type("blk.0.norm.weight", (576,), Type.Q4_0) == Type.F32
    assert tensor_type("token_embd.weight", (8, 576), Type.Q4_0) == Type.Q8_0


def test_it_is_made_once_and_named_by_content_and_type(tmp_path: Path) -> None:
    write_tiny(tmp_path / "m.gguf")
    first = kept(tmp_path / "m.gguf", "F16", tmp_path / "cache")
    made = first.stat().st_mtime_ns
    assert kept(tmp_path / "m.gguf", "F16", tmp_path / "cache").stat().st_mtime_ns == made
    assert first.name.endswith("-F16.gguf")
    assert not list((tmp_path / "cache").glob("*.new"))


def test_a_damaged_file_fails_with_a_message(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"GGUF" + bytes(60))
    command = [sys.executable, "-m", "sluice_cli.requantise", "--source", "m.gguf", "--type", "F16", "--folder", "c"]
    paths = f"{ROOT / 'cli'}:{ROOT / 'sidecar'}"
    done = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": paths}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("cannot rewrite m.gguf to F16")
    assert not list((tmp_path / "c").glob("*.gguf"))
