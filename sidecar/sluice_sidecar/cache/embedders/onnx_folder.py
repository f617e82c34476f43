"""An ONNX model as an embedder: loaded at the first text, in its own threads, texts that wait batched."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from sluice_sidecar.cache.embedders.batches import WAITING, Batches
from sluice_sidecar.cache.embedders.embedder import WIDTH, EmbeddingError
from sluice_sidecar.cache.embedders.onnx_model import OnnxModel, digest

if TYPE_CHECKING:
    from sluice_sidecar.cache.embedders.embedder import Vector

BATCH = 8
"""Texts that are run together."""

RETRY = 30.0
"""Seconds until a model that could not be loaded is tried again: each try may cost seconds of a core."""


class OnnxFolder:
    """The model in a folder that `find` gives, asked at the first text; see OnnxModel for what fits.

    onnxruntime releases the GIL. `batch` 1 runs every text by itself.
    """

    def __init__(
        self, find: Callable[[], Path], *, threads: int = 1, keep: int = 512, batch: int = BATCH,
        waiting: int = WAITING, width: int = WIDTH, seconds: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """`width`: dimensions that its vectors must have."""
        self._find, self._width = find, width
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="embed")
        self._loading: asyncio.Future[None] | None = None
        self._model: OnnxModel | None = None
        self._identity = ""
        self._seconds = seconds
        self._failed: tuple[float, EmbeddingError] | None = None
        self._batches = Batches(self._together, lanes=threads, most=batch, keep=keep, waiting=waiting)

    @property
    def identity(self) -> str:
        """See OwnEmbedder: what the files hold, not where they lie."""
        return self._identity

    async def load(self) -> None:
        """Loads the model now. Raises EmbeddingError, with what to do about it; for the next RETRY seconds the same."""
        if self._model is not None:
            return
        if self._failed is not None and self._seconds() < self._failed[0] + RETRY:
            raise self._failed[1]
        if self._loading is None:
            loop = asyncio.get_running_loop()
            self._loading = asyncio.ensure_future(loop.run_in_executor(self._pool, self._load))
            self._loading.add_done_callback(self._loaded)
        await asyncio.shield(self._loading)

    def _loaded(self, loading: "asyncio.Future[None]") -> None:
        self._loading = None
        error = None if loading.cancelled() else loading.exception()
        self._failed = (self._seconds(), error) if isinstance(error, EmbeddingError) else None

    async def __call__(self, text: str) -> "Vector":
        """See Embedder."""
        return await self._batches(text)

    def close(self) -> None:
        """Ends the threads; whoever waits gets an EmbeddingError."""
        self._batches.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _together(self, texts: Sequence[str]) -> "Sequence[Vector | EmbeddingError]":
        await self.load()
        assert self._model is not None
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._model, texts)

    def _load(self) -> None:
        folder = self._find()
        self._identity = f"onnx {digest(folder)}"
        self._model = OnnxModel.opened(folder, self._width)
