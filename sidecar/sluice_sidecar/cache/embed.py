"""Texts to vectors, off the event loop."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vector = npt.NDArray[np.float32]

log = logging.getLogger("sluice.cache")

WIDTH = 384
"""Dimensions of MiniLM's vectors."""

TOKENS = 256
"""What MiniLM reads of a text. A longer one is not embedded: half a text is another text."""


class EmbeddingError(Exception):
    """No vector can be had for this text; the cache counts it as a miss."""


class TooLong(EmbeddingError):  # noqa: N818  (it says what the text is)
    """The text has more tokens than the model reads."""


class Embedder(Protocol):
    """What the cache asks of an embedding model."""

    async def __call__(self, text: str) -> "Vector":
        """Unit vector of `text`: float32, shape (WIDTH,). Raises EmbeddingError."""


class MiniLM:
    """all-MiniLM-L6-v2 with its weights in 8-bit blocks: a vector depends on its own text alone.

    Loads at the first text (about 0.2 s; where the model was never converted on this machine, 10 s more, in a child
    process), then 1-2 ms for a short text and 20 ms for 200 tokens on one core. onnxruntime releases the GIL.
    """

    def __init__(self, folder: Path | None = None, *, threads: int = 1, keep: int = 512) -> None:
        self._folder = folder
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="embed")
        self._loading: asyncio.Future[None] | None = None
        self._encode: Callable[[str], Any] | None = None
        self._run: Callable[..., Any] | None = None
        self._recent: OrderedDict[str, Vector] = OrderedDict()
        self._keep = keep

    async def load(self) -> None:
        """Loads the model now. Raises EmbeddingError, with what to install when it is missing."""
        if self._run is not None:
            return
        if self._loading is None:
            loop = asyncio.get_running_loop()
            self._loading = asyncio.ensure_future(loop.run_in_executor(self._pool, self._load))
            self._loading.add_done_callback(self._loaded)
        await asyncio.shield(self._loading)

    def _loaded(self, loading: "asyncio.Future[None]") -> None:
        self._loading = None
        if not loading.cancelled():
            loading.exception()

    async def __call__(self, text: str) -> "Vector":
        """See Embedder. The last few texts' vectors are remembered: an ask that missed is stored with the same one."""
        known = self._recent.get(text)
        if known is not None:
            return known
        if self._run is None:
            await self.load()
        vector: Vector = await asyncio.get_running_loop().run_in_executor(self._pool, self._embed, text)
        self._recent[text] = vector
        if len(self._recent) > self._keep:
            self._recent.popitem(last=False)
        return vector

    def close(self) -> None:
        """Ends the threads; texts under way are finished."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _load(self) -> None:
        from sluice_sidecar.cache import minilm_onnx

        try:
            folder = self._folder or minilm_onnx.ready()
            import onnxruntime
            from tokenizers import Tokenizer

            tokenizer = Tokenizer.from_file(str(folder / minilm_onnx.TOKENIZER))
            # The shipped file pads to and cuts at 128 tokens.
            tokenizer.no_padding()
            tokenizer.no_truncation()
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
            session = onnxruntime.InferenceSession(
                str(folder / minilm_onnx.MODEL), options, providers=["CPUExecutionProvider"]
            )
        except minilm_onnx.ModelMissing as error:
            raise EmbeddingError(str(error)) from error
        except Exception as error:  # onnxruntime's and tokenizers' own errors have no common type
            raise EmbeddingError(f"the embedding model cannot be loaded: {error}") from error
        self._encode, self._run = tokenizer.encode, session.run

    def _embed(self, text: str) -> "Vector":
        import numpy as np

        assert self._encode is not None
        assert self._run is not None
        # A word piece covers at most 100 characters; past that no need to count.
        if len(text) > TOKENS * 100:
            raise TooLong(f"a text of {len(text)} characters")
        try:
            ids = self._encode(text).ids
            if len(ids) > TOKENS:
                raise TooLong(f"a text of {len(ids)} tokens; the model reads {TOKENS}")
            batch = np.array([ids], np.int64)
            vector: Vector = self._run(["embedding"], {"ids": batch, "mask": np.ones_like(batch)})[0][0]
        except EmbeddingError:
            raise
        except Exception as error:
            raise EmbeddingError(f"the embedding model failed: {error}") from error
        return vector


def checked(vector: "Vector") -> "Vector":
    """`vector` at unit length, if it can be trusted. Raises EmbeddingError for a wrong shape, NaN, infinity or zero."""
    import numpy as np

    vector = np.asarray(vector, np.float32)
    if vector.shape != (WIDTH,):
        raise EmbeddingError(f"the embedder gave shape {vector.shape}, not ({WIDTH},)")
    length = float(np.sqrt(np.dot(vector, vector)))
    if not 1e-6 < length < 1e6:  # NaN compares false
        raise EmbeddingError("the embedder gave a vector without direction (zero, infinite or NaN)")
    return vector if abs(length - 1.0) < 1e-4 else vector / np.float32(length)
