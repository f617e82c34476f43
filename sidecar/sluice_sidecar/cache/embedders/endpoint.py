"""An address that answers as OpenAI's /embeddings: https://platform.openai.com/docs/api-reference/embeddings"""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from sluice_sidecar.ask import Problem
from sluice_sidecar.cache.embedders.batches import Batches
from sluice_sidecar.cache.embedders.embedder import EmbeddingError, TooLong
from sluice_sidecar.config import EmbeddingEndpoint
from sluice_sidecar.upstream.client import Client
from sluice_sidecar.upstream.errors import UpstreamError
from sluice_sidecar.upstream.headers import Header
from sluice_sidecar.upstream.request import Timeouts, parse_url
from sluice_sidecar.upstream.target import Values, json_headers

if TYPE_CHECKING:
    from sluice_sidecar.cache.embedders.embedder import Vector

LONGEST = 2000
"""Characters of a text that is sent. How many tokens the model reads is not known here, and servers may cut in
silence: what is longer than any model's window of 512 tokens of English is not embedded."""

TIMEOUTS = Timeouts(connect=1.0, first_byte=2.0, total=2.0)

BATCH, LANES = 32, 4
"""Texts of one call, and calls at a time."""

ANSWER = 8_388_608
"""Largest answer that is read, bytes."""

FAILURES, REST = 3, 5.0
"""After that many failed calls in a row the endpoint is left alone for so many seconds."""


class Endpoint:
    """An embeddings endpoint as an embedder. The credential is read for every call, so a new value is taken up.

    The number of dimensions is asked for; a server that refuses such a request is asked without it from then on.
    """

    def __init__(
        self, settings: EmbeddingEndpoint, client: Client, secrets: Values, *,
        seconds: Callable[[], float] = time.monotonic, timeouts: Timeouts = TIMEOUTS,
    ) -> None:  # fmt: skip
        """Raises ValueError for a URL that is none."""
        self._settings, self._client, self._secrets, self._seconds = settings, client, secrets, seconds
        self._origin, path = parse_url(settings.url)
        self._path = path + b"/embeddings"
        self._timeouts = timeouts
        self._batches = Batches(self._together, lanes=LANES, most=BATCH)
        self._names_dimensions = True
        self._failures, self._rests_until = 0, 0.0

    @property
    def identity(self) -> str:
        """See OwnEmbedder. A model that its server replaces under the same name is not noticed."""
        return f"endpoint {self._settings.url} {self._settings.model} {self._settings.dimensions}"

    async def __call__(self, text: str) -> "Vector":
        """See Embedder."""
        if len(text) > LONGEST:
            raise TooLong(f"a text of {len(text)} characters; an endpoint is sent up to {LONGEST}")
        return await self._batches(text)

    def close(self) -> None:
        """See OwnEmbedder. The client is its maker's to close."""
        self._batches.close()

    async def _together(self, texts: Sequence[str]) -> "Sequence[Vector | EmbeddingError]":
        if self._seconds() < self._rests_until:
            raise EmbeddingError(f"{self._where} failed {FAILURES} times in a row and is left alone for {REST:g} s")
        try:
            vectors = await self._asked(texts)
        except EmbeddingError:
            self._failures += 1
            if self._failures >= FAILURES:
                self._failures, self._rests_until = 0, self._seconds() + REST
            raise
        self._failures = 0
        return vectors

    async def _asked(self, texts: Sequence[str]) -> "Sequence[Vector | EmbeddingError]":
        status, raw = await self._send(texts)
        if status in (400, 422) and self._names_dimensions:
            self._names_dimensions = False
            status, raw = await self._send(texts)
            self._names_dimensions = status != 200
        if status != 200:
            said = raw[:200].decode("utf-8", "replace")
            raise EmbeddingError(f"{self._where} answered {status}: {said}")
        return self._read(raw, len(texts))

    async def _send(self, texts: Sequence[str]) -> tuple[int, bytes]:
        body: dict[str, Any] = {"model": self._settings.model, "input": list(texts), "encoding_format": "float"}
        if self._names_dimensions:
            body["dimensions"] = self._settings.dimensions
        try:
            response = await self._client.send(
                self._origin, b"POST", self._path, self._headers(), orjson.dumps(body), self._timeouts
            )
            return response.status, await response.read(ANSWER)
        except (UpstreamError, ValueError, TypeError) as error:  # a text that is no Unicode cannot be written as JSON
            raise EmbeddingError(f"{self._where} cannot be asked: {error}") from error

    def _headers(self) -> list[Header]:
        try:
            return json_headers(self._secrets, self._settings.credential, self._where)
        except Problem as problem:
            raise EmbeddingError(problem.message) from None

    def _read(self, raw: bytes, count: int) -> "list[Vector | EmbeddingError]":
        import numpy as np

        width = self._settings.dimensions
        try:
            data = orjson.loads(raw)["data"]
            rows = {one["index"]: one["embedding"] for one in data}
            if len(data) != count or rows.keys() != set(range(count)):
                raise EmbeddingError(f"{self._where} gave {len(data)} vectors for {count} texts")
            with np.errstate(over="ignore"):  # what is infinite then has no direction
                vectors = [np.asarray(rows[index], np.float32) for index in range(count)]
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise EmbeddingError(f"{self._where} did not answer with embeddings: {error}") from error
        if wrong := {vector.shape for vector in vectors} - {(width,)}:
            raise EmbeddingError(f"{self._where} gave vectors of shape {wrong.pop()}, not ({width},)")
        return [_unit(vector) for vector in vectors]

    @property
    def _where(self) -> str:
        return f"the embeddings endpoint {self._origin}"


def _unit(vector: "Vector") -> "Vector | EmbeddingError":
    import numpy as np

    length = float(np.linalg.norm(vector.astype(np.float64)))
    if not 1e-6 < length < 1e6:  # NaN compares false
        return EmbeddingError("the embeddings endpoint gave a vector without direction (zero, infinite or NaN)")
    unit: Vector = vector / np.float32(length)
    return unit
