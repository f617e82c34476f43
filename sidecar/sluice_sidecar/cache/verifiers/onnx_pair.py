"""A cross-encoder or NLI model in ONNX, in this process, in a thread of its own."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from sluice_sidecar.cache.embedders.embedder import EmbeddingError
from sluice_sidecar.cache.embedders.onnx_model import Inputs, graph_inputs, opened, settings_in
from sluice_sidecar.cache.verifiers.verifier import VerifierError, least

T = TypeVar("T")

SAME = ("entailment", "paraphrase", "duplicate", "equivalent")
"""Names of the class that means yes, in `id2label` of config.json; the first that is there, whatever its case."""

TOKENS = 512
"""Tokens of a pair that a model reads where its folder does not say."""

WAITING = 16
"""Pairs that may wait. The next one has no verdict at once: what comes that late is of no use to its asker."""

RETRY = 30.0
"""Seconds until a model that could not be loaded is tried again."""


class PairModel:
    """Two texts to a score. Synchronous.

    The graph gives logits of shape (batch, classes). One class: its sigmoid. More: the softmax of the class that
    config.json names as one of SAME.
    """

    def __init__(self, folder: Path) -> None:
        """Raises VerifierError, which says what of the folder does not fit."""
        self._where = f"the verifier in {folder}"
        try:
            tokenizer, session = opened(folder, "verifier")
            self._inputs: Inputs = graph_inputs(folder, session)
            config = settings_in(folder, "config.json")
            longest = settings_in(folder, "tokenizer_config.json").get("model_max_length")
        except EmbeddingError as error:
            raise VerifierError(str(error)) from error
        self._tokens = longest if isinstance(longest, int) and 0 < longest <= TOKENS else TOKENS
        self._encode: Callable[[str, str], Any] = tokenizer.encode
        self._run: Callable[..., Any] = session.run
        outputs = session.get_outputs()
        self._output = next((one.name for one in outputs if one.name == "logits"), outputs[0].name)
        labels = config.get("id2label")
        self._yes = _yes(labels) if isinstance(labels, Mapping) else None

    def __call__(self, one: str, other: str) -> float:
        """See Verifier. Raises VerifierError."""
        import numpy as np

        try:
            pairs = [self._encode(one, other), self._encode(other, one)]
            if max(len(pair.ids) for pair in pairs) > self._tokens:
                raise VerifierError(f"{self._where} reads {self._tokens} tokens; the pair has more")
            ids = np.zeros((2, max(len(pair.ids) for pair in pairs)), np.int64)
            mask, types = np.zeros_like(ids), np.zeros_like(ids)
            for row, pair in enumerate(pairs):
                length = len(pair.ids)
                ids[row, :length], mask[row, :length], types[row, :length] = pair.ids, 1, pair.type_ids
            feed = {self._inputs.ids: ids, self._inputs.mask: mask}
            if self._inputs.types is not None:
                feed[self._inputs.types] = types
            logits = np.asarray(self._run([self._output], feed)[0], np.float64)
        except VerifierError:
            raise
        except Exception as error:  # onnxruntime's and tokenizers' own errors have no common type
            raise VerifierError(f"{self._where} failed: {error}") from error
        return least(self._scores(logits), self._where)

    def _scores(self, logits: Any) -> Sequence[float]:
        import numpy as np

        if logits.ndim != 2 or logits.shape[0] != 2 or logits.shape[1] < 1 or not np.isfinite(logits).all():
            raise VerifierError(f"{self._where} gave {logits.shape} numbers, or one that is none; 2 rows are wanted")
        if logits.shape[1] == 1:
            one: list[float] = (1.0 / (1.0 + np.exp(-np.clip(logits[:, 0], -60.0, 60.0)))).tolist()
            return one
        if self._yes is None or self._yes >= logits.shape[1]:
            raise VerifierError(
                f"{self._where} has {logits.shape[1]} classes; id2label names none of {', '.join(SAME)}"
            )
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        found: list[float] = (shares[:, self._yes] / shares.sum(axis=1)).tolist()
        return found


class OnnxPair:
    """A PairModel as a Verifier, loaded at the first pair. While it loads there is no verdict."""

    def __init__(self, folder: Path, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._seconds = folder, seconds
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="verify")
        self._runs: list[Future[float]] = []
        self._model: PairModel | None = None
        self._loading: asyncio.Future[None] | None = None
        self._failed: tuple[float, VerifierError] | None = None

    async def __call__(self, one: str, other: str) -> float:
        """See Verifier."""
        # A run that its late asker left still holds the thread.
        self._runs = [run for run in self._runs if not run.done()]
        if len(self._runs) >= WAITING:
            raise VerifierError(f"{len(self._runs)} pairs wait for their verdict already")
        await self.load()
        assert self._model is not None
        try:
            run = self._pool.submit(self._model, one, other)
        except RuntimeError as error:
            raise VerifierError("the verifier was closed") from error
        self._runs.append(run)
        return await _unless_closed(asyncio.wrap_future(run))

    async def load(self) -> None:
        """Loads the model now. Raises VerifierError; for the next RETRY seconds the same one."""
        if self._model is not None:
            return
        if self._failed is not None and self._seconds() < self._failed[0] + RETRY:
            raise self._failed[1]
        if self._loading is None:
            try:
                loading = asyncio.get_running_loop().run_in_executor(self._pool, self._load)
            except RuntimeError as error:
                raise VerifierError("the verifier was closed") from error
            loading.add_done_callback(self._loaded)
            self._loading = loading
        await _unless_closed(asyncio.shield(self._loading))

    def _load(self) -> None:
        self._model = PairModel(self._folder)

    def _loaded(self, loading: "asyncio.Future[None]") -> None:
        self._loading = None
        error = None if loading.cancelled() else loading.exception()
        self._failed = (self._seconds(), error) if isinstance(error, VerifierError) else None

    def close(self) -> None:
        """See Verifier."""
        self._pool.shutdown(wait=False, cancel_futures=True)


async def _unless_closed(run: "asyncio.Future[T]") -> T:
    """The result of `run`. Raises VerifierError where not the asker but the run was called off."""
    try:
        return await run
    except asyncio.CancelledError:
        asker = asyncio.current_task()
        if asker is not None and asker.cancelling():
            raise
        raise VerifierError("the verifier was closed") from None


def _yes(labels: Mapping[str, Any]) -> int | None:
    named = {str(label).lower(): int(index) for index, label in labels.items() if str(index).isdecimal()}
    return next((named[name] for name in SAME if name in named), None)
