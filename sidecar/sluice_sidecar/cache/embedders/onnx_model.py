"""A sentence embedding model in ONNX: opened from its folder, or refused with the reason. Synchronous."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import orjson

from sluice_sidecar.cache.embedders.embedder import WIDTH, EmbeddingError, TooLong
from sluice_sidecar.cache.embedders.windows import MOST, joined, windows
from sluice_sidecar.cache.onnx_runtime import runtime

if TYPE_CHECKING:
    from sluice_sidecar.cache.embedders.embedder import Vector

MODEL, TOKENIZER = "model.onnx", "tokenizer.json"
POOLING, LENGTH = "1_Pooling/config.json", "sentence_bert_config.json"
"""What sentence-transformers writes beside a model: how tokens become one vector, and how many are read."""

TOKENS = 256
"""Tokens that a model reads where its folder does not say."""

MOST_TOKENS = 8192

TOKEN_CHARACTERS = 16
"""Characters a token beyond which a text is not tokenised at all: 3 to 5 are usual, and some tokenisers make one
unknown token of a word of any length."""

ROOM = 4096
"""Tokens of one run, padding included: bounds what attention needs to about 50 MB."""

Pooling = Literal["mean", "cls"]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the graph calls its inputs, each int64 of shape (batch, tokens); `types` where it wants token types."""

    ids: str
    mask: str
    types: str | None


class OnnxModel:
    """Texts to unit vectors. A vector depends on its own text alone, whatever runs beside it."""

    def __init__(
        self,
        tokenizer: Any,
        session: Any,
        inputs: Inputs,
        output: str,
        *,
        pooling: Pooling | None,
        tokens: int,
        width: int,
    ) -> None:
        """`pooling` None: the graph's output is one vector a text. `tokens` that it reads count the special ones."""
        self._encode: Callable[[str], Any] = tokenizer.encode
        self._run: Callable[..., Any] = session.run
        self._inputs, self._output, self._pooling, self._tokens = inputs, output, pooling, tokens
        self._width = width
        # A window stands between the same special tokens as a whole text.
        sample = tokenizer.encode("a")
        special = sample.special_tokens_mask
        before = special.index(0) if 0 in special else 0
        after = special[::-1].index(0) if 0 in special else 0
        self._before, self._after = sample.ids[:before], sample.ids[len(special) - after :]

    @classmethod
    def opened(cls, folder: Path, width: int = WIDTH) -> "OnnxModel":
        """The model in a folder, whose vectors have `width` dimensions.

        Raises EmbeddingError, which says what of it does not fit.
        """
        tokenizer, session = opened(folder, "embedding model")
        pooling, tokens = _pooling(folder), _tokens(folder)
        inputs = graph_inputs(folder, session)
        output, pooled = _output(folder, session, width)
        model = cls(tokenizer, session, inputs, output, pooling=None if pooled else pooling, tokens=tokens, width=width)
        if tokens <= len(model._before) + len(model._after) + 1:
            raise EmbeddingError(f"the embedding model in {folder} reads {tokens} tokens: too few for any text")
        return model

    def __call__(self, texts: Sequence[str]) -> list["Vector | EmbeddingError"]:
        """A unit vector of float32 for each text, or why it has none. Raises EmbeddingError when the model fails."""
        import numpy as np

        cut: list[list[list[int]] | EmbeddingError] = []
        for text in texts:
            try:
                cut.append(self._windows(text))
            except EmbeddingError as error:
                cut.append(error)
        rows = [window for one in cut if not isinstance(one, EmbeddingError) for window in one]
        found = np.empty((len(rows), self._width), np.float32)
        try:
            for batch in batches([len(row) for row in rows]):
                found[batch] = self._vectors([rows[index] for index in batch])
        except EmbeddingError:
            raise
        except Exception as error:
            raise EmbeddingError(f"the embedding model failed: {error}") from error
        vectors: list[Vector | EmbeddingError] = []
        start = 0
        for one in cut:
            if isinstance(one, EmbeddingError):
                vectors.append(one)
                continue
            try:
                vectors.append(joined(found[start : start + len(one)]))
            except EmbeddingError as error:
                vectors.append(error)
            start += len(one)
        return vectors

    def _windows(self, text: str) -> list[list[int]]:
        if len(text) > self._tokens * MOST * TOKEN_CHARACTERS:
            raise TooLong(f"a text of {len(text)} characters")
        try:
            ids: list[int] = self._encode(text).ids
        except Exception as error:
            raise EmbeddingError(f"the embedding model's tokenizer failed: {error}") from error
        if len(ids) <= self._tokens:
            return [ids]
        inner = ids[len(self._before) : len(ids) - len(self._after)]
        size = self._tokens - len(self._before) - len(self._after)
        return [[*self._before, *window, *self._after] for window in windows(inner, size)]

    def _vectors(self, rows: Sequence[Sequence[int]]) -> "Vector":
        import numpy as np

        ids = np.zeros((len(rows), max(map(len, rows))), np.int64)
        mask = np.zeros_like(ids)
        for index, row in enumerate(rows):
            ids[index, : len(row)], mask[index, : len(row)] = row, 1
        feed = {self._inputs.ids: ids, self._inputs.mask: mask}
        if self._inputs.types is not None:
            feed[self._inputs.types] = np.zeros_like(ids)
        out: Vector = self._run([self._output], feed)[0]
        if self._pooling == "cls":
            out = out[:, 0]
        elif self._pooling == "mean":
            weight = mask[..., None].astype(np.float32)
            out = (out * weight).sum(axis=1) / weight.sum(axis=1)
        if out.ndim != 2 or out.shape[1] != self._width:
            raise EmbeddingError(f"the embedding model gave shape {out.shape[1:]}, not ({self._width},)")
        out = np.asarray(out, np.float32)
        lengths = np.linalg.norm(out, axis=1, keepdims=True)
        # A vector without direction stays as it is: whoever asked checks it.
        unit: Vector = np.divide(out, lengths, out=out.copy(), where=lengths > 0)
        return unit


def opened(folder: Path, what: str) -> tuple[Any, Any]:
    """(tokenizer that neither pads nor cuts, session of one thread) of a folder. Raises EmbeddingError, which names it
    as `what`."""
    for name in (MODEL, TOKENIZER):
        if not (folder / name).is_file():
            raise EmbeddingError(f"the {what} cannot be loaded: {folder} has no {name}")
    try:
        from tokenizers import Tokenizer

        onnxruntime = runtime()
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        # Many shipped files pad to and cut at 128 tokens.
        tokenizer.no_padding()
        tokenizer.no_truncation()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        session = onnxruntime.InferenceSession(str(folder / MODEL), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's and tokenizers' own errors have no common type
        raise EmbeddingError(f"the {what} cannot be loaded from {folder}: {error}") from error
    return tokenizer, session


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Indices of rows that are run together: of like length, so that none is padded to more than twice its own."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        longest = lengths[batch[0]] if batch else 0
        if batch and (longest * (len(batch) + 1) > ROOM or longest > 2 * max(lengths[index], 8)):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def digest(folder: Path) -> str:
    """SHA-256, in hex, over every file that a vector depends on. Raises EmbeddingError."""
    names = (MODEL, TOKENIZER, POOLING, LENGTH)
    weights = (path for pattern in ("*.onnx_data", "*.onnx.data", "*.data") for path in folder.glob(pattern))
    hasher = hashlib.sha256()
    try:
        for path in (*(folder / name for name in names), *sorted(set(weights))):
            if path.is_file():
                with path.open("rb") as file:
                    sum_ = hashlib.file_digest(file, "sha256").hexdigest()
                hasher.update(f"{sum_}  {path.relative_to(folder)}\n".encode())
    except OSError as error:
        raise EmbeddingError(f"the embedding model in {folder} cannot be read: {error}") from error
    return hasher.hexdigest()


def settings_in(folder: Path, name: str) -> dict[str, Any]:
    """A JSON file of the folder; empty where there is none. Raises EmbeddingError for one that is no JSON object."""
    try:
        found = orjson.loads((folder / name).read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, orjson.JSONDecodeError) as error:
        raise EmbeddingError(f"{folder / name} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise EmbeddingError(f"{folder / name} is not a JSON object")
    return found


def _pooling(folder: Path) -> Pooling:
    wanted = [
        name for name, on in settings_in(folder, POOLING).items() if name.startswith("pooling_mode_") and on is True
    ]
    if wanted in ([], ["pooling_mode_mean_tokens"]):
        return "mean"
    if wanted == ["pooling_mode_cls_token"]:
        return "cls"
    raise EmbeddingError(
        f"{folder / POOLING} wants {', '.join(wanted)}; what is pooled here is one of pooling_mode_mean_tokens and "
        "pooling_mode_cls_token"
    )


def _tokens(folder: Path) -> int:
    tokens = settings_in(folder, LENGTH).get("max_seq_length") or TOKENS
    if not isinstance(tokens, int) or not 0 < tokens <= MOST_TOKENS:
        raise EmbeddingError(f"{folder / LENGTH}: max_seq_length must be 1 to {MOST_TOKENS}, not {tokens!r}")
    return tokens


def graph_inputs(folder: Path, session: Any) -> Inputs:
    """What the graph calls its inputs. Raises EmbeddingError where it takes anything else."""
    given = {one.name: one for one in session.get_inputs()}
    ids = next((name for name in ("input_ids", "ids") if name in given), None)
    mask = next((name for name in ("attention_mask", "mask") if name in given), None)
    types = "token_type_ids" if "token_type_ids" in given else None
    if ids is None or mask is None or len(given) != 2 + (types is not None):
        raise EmbeddingError(
            f"the graph in {folder} takes {', '.join(sorted(given))}; "
            "it must take input_ids, attention_mask and at most token_type_ids"
        )
    if any(one.type != "tensor(int64)" for one in given.values()):
        raise EmbeddingError(f"the graph in {folder} must take its inputs as int64")
    if any(isinstance(length, int) for one in given.values() for length in one.shape):
        raise EmbeddingError(f"the graph in {folder} has inputs of fixed shape; export it with dynamic axes")
    return Inputs(ids, mask, types)


def _output(folder: Path, session: Any, wanted: int) -> tuple[str, bool]:
    """(name, whether it is one vector a text already) of the output that is used."""
    given = {one.name: one for one in session.get_outputs()}
    for name in ("sentence_embedding", "embedding", "last_hidden_state", "token_embeddings", *given):
        one = given.get(name)
        if one is None or len(one.shape) not in (2, 3):
            continue
        width = one.shape[-1]
        if isinstance(width, int) and width != wanted:
            raise EmbeddingError(f"the graph in {folder} gives {width} dimensions; the policy says {wanted}")
        return name, len(one.shape) == 2
    raise EmbeddingError(f"the graph in {folder} has no output of shape (batch, width) or (batch, tokens, width)")
