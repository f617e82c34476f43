"""Folders of tiny models: a table of rows, one a token, and what a test wants wrong with them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from onnx import TensorProto, helper, numpy_helper, save
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

WORDS = ("[PAD]", "[CLS]", "[SEP]", "[UNK]", "a", "red", "blue", "house", "not")


def table(width: int = 384, seed: int = 7) -> Any:
    """The row of every word, shape (words, width)."""
    return np.random.default_rng(seed).standard_normal((len(WORDS), width)).astype(np.float32)


def folder(
    path: Path, *, width: int = 384, seed: int = 7, inputs: Sequence[str] = ("input_ids", "attention_mask"),
    shape: Sequence[Any] = ("batch", "tokens"), kind: int = TensorProto.INT64, pooling: str | None = None,
    tokens: int | None = None,
) -> Path:  # fmt: skip
    """Writes the model into `path`; it gives the tokens' rows. `pooling`, `tokens`: what its settings say."""
    path.mkdir(parents=True, exist_ok=True)
    given = [helper.make_tensor_value_info(name, kind, shape) for name in inputs]
    output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "tokens", width])
    gather = helper.make_node("Gather", ["rows", inputs[0]], ["last_hidden_state"])
    graph = helper.make_graph([gather], "table", given, [output], [numpy_helper.from_array(table(width, seed), "rows")])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), path / "model.onnx")
    tokenizer = Tokenizer(WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", WORDS.index("[CLS]")), ("[SEP]", WORDS.index("[SEP]"))]
    )
    tokenizer.enable_truncation(4)  # as many shipped files do
    tokenizer.save(str(path / "tokenizer.json"))
    if pooling is not None:
        (path / "1_Pooling").mkdir(exist_ok=True)
        (path / "1_Pooling" / "config.json").write_bytes(orjson.dumps({f"pooling_mode_{pooling}": True}))
    if tokens is not None:
        (path / "sentence_bert_config.json").write_bytes(orjson.dumps({"max_seq_length": tokens}))
    return path


def pair_folder(
    path: Path, weights: Mapping[str, Sequence[float]], *, classes: int = 1, labels: Sequence[str] | None = None,
    longest: int | None = None,
) -> Path:  # fmt: skip
    """Writes a cross-encoder into `path`: its logits are the sums of the `weights` of the *first* text's words.

    `weights`: a word's number for each class, 0 where it is not named. `labels`: the classes' names in its settings.
    """
    path.mkdir(parents=True, exist_ok=True)
    rows = np.zeros((len(WORDS), classes), np.float32)
    for word, row in weights.items():
        rows[WORDS.index(word)] = row
    given = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
        for name in ("input_ids", "attention_mask", "token_type_ids")
    ]
    output = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", classes])
    nodes = [
        helper.make_node("Gather", ["rows", "input_ids"], ["each"]),
        helper.make_node("Cast", ["token_type_ids"], ["second"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["one", "second"], ["first"]),
        helper.make_node("Unsqueeze", ["first", "last"], ["mask"]),
        helper.make_node("Mul", ["each", "mask"], ["counted"]),
        helper.make_node("ReduceSum", ["counted", "tokens"], ["logits"], keepdims=0),
    ]
    constants = [
        numpy_helper.from_array(rows, "rows"),
        numpy_helper.from_array(np.ones(1, np.float32), "one"),
        numpy_helper.from_array(np.array([-1], np.int64), "last"),
        numpy_helper.from_array(np.array([1], np.int64), "tokens"),
    ]
    graph = helper.make_graph(nodes, "pairs", given, [output], constants)
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), path / "model.onnx")
    tokenizer = Tokenizer(WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", WORDS.index("[CLS]")), ("[SEP]", WORDS.index("[SEP]"))],
    )
    tokenizer.save(str(path / "tokenizer.json"))
    if labels is not None:
        (path / "config.json").write_bytes(orjson.dumps({"id2label": {str(n): name for n, name in enumerate(labels)}}))
    if longest is not None:
        (path / "tokenizer_config.json").write_bytes(orjson.dumps({"model_max_length": longest}))
    return path
