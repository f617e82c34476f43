"""A verifier at an address that speaks as a reranker, as vLLM and Text Embeddings Inference (TEI) serve one.

vLLM: https://docs.vllm.ai/en/latest/models/pooling_models/scoring.html (POST /score, POST /rerank); TEI: POST /rerank.
"""

import asyncio
from typing import Any

import orjson

from sluice_sidecar.ask import Problem
from sluice_sidecar.cache.verifiers.verifier import VerifierError, least
from sluice_sidecar.config import VerifierEndpoint
from sluice_sidecar.upstream.client import Client
from sluice_sidecar.upstream.errors import UpstreamError
from sluice_sidecar.upstream.headers import Header
from sluice_sidecar.upstream.request import Timeouts, parse_url
from sluice_sidecar.upstream.target import Values, json_headers

ANSWER = 262_144
"""Largest answer that is read, bytes."""

TIMEOUTS = Timeouts(connect=1.0, first_byte=10.0, total=10.0)
"""How long a call may go on at most; how long anybody waits for its verdict the policy says."""


class Endpoint:
    """See Verifier. The credential is read for every call, so a new value is taken up."""

    def __init__(self, settings: VerifierEndpoint, client: Client, secrets: Values) -> None:
        """Raises ValueError for a URL that is none."""
        self._settings, self._client, self._secrets = settings, client, secrets
        self._origin, base = parse_url(settings.url)
        self._path = base + (b"/score" if settings.api == "Score" else b"/rerank")

    async def __call__(self, one: str, other: str) -> float:
        """See Verifier: both orders in one call to /score, in two at the same time to /rerank."""
        if self._settings.api == "Score":
            answer = await self._asked({"text_1": [one, other], "text_2": [other, one]})
            return least(self._read(answer, "data", "score", 2), self._where)
        texts = "texts" if self._settings.api == "TEI" else "documents"
        answers = await asyncio.gather(
            *(self._asked({"query": a, texts: [b]}) for a, b in ((one, other), (other, one)))
        )  # fmt: skip
        if self._settings.api == "TEI":
            return least([self._read(answer, None, "score", 1)[0] for answer in answers], self._where)
        return least([self._read(answer, "results", "relevance_score", 1)[0] for answer in answers], self._where)

    def close(self) -> None:
        """See Verifier. The client is its maker's to close."""

    async def _asked(self, body: dict[str, Any]) -> Any:
        if self._settings.model is not None:
            body = {"model": self._settings.model, **body}
        try:
            response = await self._client.send(
                self._origin, b"POST", self._path, self._headers(), orjson.dumps(body), TIMEOUTS
            )
            status, raw = response.status, await response.read(ANSWER)
            if status != 200:
                said = raw[:200].decode("utf-8", "replace")
                raise VerifierError(f"{self._where} answered {status}: {said}")
            return orjson.loads(raw)
        except (UpstreamError, ValueError, TypeError) as error:  # no JSON, or a text that is no Unicode
            raise VerifierError(f"{self._where} cannot be asked: {error}") from error

    def _headers(self) -> list[Header]:
        try:
            return json_headers(self._secrets, self._settings.credential, self._where)
        except Problem as problem:
            raise VerifierError(problem.message) from None

    def _read(self, answer: Any, rows: str | None, score: str, count: int) -> list[float]:
        """The scores in the order of what was sent. Raises VerifierError for any other shape."""
        try:
            found = answer if rows is None else answer[rows]
            scores = {one["index"]: one[score] for one in found}
            if len(found) != count or scores.keys() != set(range(count)):
                raise VerifierError(f"{self._where} gave {len(found)} scores for {count} pairs")
            if any(isinstance(value, bool) or not isinstance(value, (int, float)) for value in scores.values()):
                raise VerifierError(f"{self._where} gave a score that is no number")
            return [float(scores[index]) for index in range(count)]
        except (KeyError, TypeError, IndexError, OverflowError) as error:
            raise VerifierError(f"{self._where} did not answer with scores: {error!r}") from error

    @property
    def _where(self) -> str:
        return f"the verifier {self._origin}"
