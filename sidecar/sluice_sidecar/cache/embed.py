"""The builtin embedding model. What embedders have in common, and the others, are in `embedders`."""

from pathlib import Path
from typing import TYPE_CHECKING

from sluice_sidecar.cache.embedders.embedder import WIDTH, Embedder, EmbeddingError, TooLong, checked
from sluice_sidecar.cache.embedders.onnx_folder import BATCH, OnnxFolder
from sluice_sidecar.cache.embedders.onnx_model import TOKENS

if TYPE_CHECKING:
    from sluice_sidecar.cache.embedders.embedder import Vector as Vector

__all__ = ["TOKENS", "WIDTH", "Embedder", "EmbeddingError", "MiniLM", "TooLong", "checked"]


class MiniLM(OnnxFolder):
    """all-MiniLM-L6-v2 with its weights in 8-bit blocks: a vector depends on its own text alone.

    Loads at the first text (about 0.2 s; where the model was never converted on this machine, 10 s more, in a child
    process), then 1-2 ms for a short text and 20 ms for 200 tokens on one core.
    """

    def __init__(self, folder: Path | None = None, *, threads: int = 1, keep: int = 512, batch: int = BATCH) -> None:
        super().__init__(lambda: folder or _ready(), threads=threads, keep=keep, batch=batch)


def _ready() -> Path:
    from sluice_sidecar.cache import minilm_onnx

    try:
        return minilm_onnx.ready()
    except minilm_onnx.ModelMissing as error:
        raise EmbeddingError(str(error)) from error
