"""What the cache asks of a Pinecone index, over its REST API and our own HTTP client.

Only the calls that `PineconeStore` makes; each is one request. Answers of more than LIMIT bytes are refused.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import orjson

from sluice_sidecar.cache.stores.link import WRITE, Unreachable
from sluice_sidecar.cache.stores.store import StoreError
from sluice_sidecar.upstream.client import Client, Timeouts, parse_url
from sluice_sidecar.upstream.errors import UpstreamError

LIMIT = 16_777_216

VERSION = b"2025-04"
"""The API's, by date."""

SLOWEST = 30.0
"""Seconds for one request; who asks sets shorter ends."""

MOST_FOUND = 10_000
"""Records that one query finds."""

MOST_DELETED = 1000
"""Records that one request deletes by id."""

Filter = dict[str, Any]


class Refused(StoreError):  # noqa: N818  (it says what the server did)
    """The request itself is refused: asking again does not help, asking otherwise may."""


class Index:
    """One namespace of an index; `url` is the index's own host. Every method raises StoreError, Unreachable, Refused.

    Raises ValueError where `url` cannot be part of a request.
    """

    def __init__(self, client: Client, url: str, namespace: str, api_key: bytes) -> None:
        self._client, self._namespace = client, namespace
        self._origin, self._base = parse_url(url)
        self._headers = [
            (b"content-type", b"application/json"), (b"api-key", api_key), (b"x-pinecone-api-version", VERSION)
        ]  # fmt: skip

    async def about(self) -> dict[str, Any]:
        """Dimension, metric and number of records; the last lags behind."""
        found: dict[str, Any] = await self._call(b"POST", b"/describe_index_stats", {})
        return found

    async def fetch(self, ident: str) -> dict[str, Any] | None:
        """The metadata of one record."""
        asked = f"/vectors/fetch?ids={quote(ident, safe='')}&namespace={quote(self._namespace, safe='')}"
        found = (await self._call(b"GET", asked.encode())).get("vectors", {}).get(ident)
        return None if found is None else found.get("metadata") or {}

    async def query(self, vector: Any, chosen: Filter, limit: int, *, metadata: bool) -> list[dict[str, Any]]:
        """Records (id, score, metadata) near a vector (a float32 array) that match, best first."""
        asked = {
            "vector": vector, "topK": limit, "filter": chosen, "namespace": self._namespace,
            "includeMetadata": metadata, "includeValues": False,
        }  # fmt: skip
        return list((await self._call(b"POST", b"/query", asked)).get("matches", []))

    async def upsert(self, ident: str, vector: Any, metadata: dict[str, Any]) -> None:
        """Writes one record; it can be found some time after this returns."""
        record = {"id": ident, "values": vector, "metadata": metadata}
        await self._call(b"POST", b"/vectors/upsert", {"vectors": [record], "namespace": self._namespace})

    async def delete(self, idents: Sequence[str]) -> None:
        """Deletes records by id."""
        for start in range(0, len(idents), MOST_DELETED):
            batch = list(idents[start : start + MOST_DELETED])
            await self._call(b"POST", b"/vectors/delete", {"ids": batch, "namespace": self._namespace})

    async def delete_matching(self, chosen: Filter) -> None:
        """Deletes what matches, everything where nothing is asked for. Raises Refused where an index cannot do that."""
        what: dict[str, Any] = {"filter": chosen} if chosen else {"deleteAll": True}
        await self._call(b"POST", b"/vectors/delete", {**what, "namespace": self._namespace}, missing_ok=True)

    async def _call(
        self, method: bytes, target: bytes, body: dict[str, Any] | None = None, *, missing_ok: bool = False
    ) -> dict[str, Any]:
        data = b"" if body is None else orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
        try:
            response = await self._client.send(
                self._origin, method, self._base + target, self._headers, data, Timeouts(WRITE, SLOWEST, SLOWEST)
            )
            answer = await response.read(LIMIT)
        except (UpstreamError, ValueError) as error:
            raise Unreachable(str(error)) from error
        if response.status == 200:
            return _parsed(answer, f"{self._origin} does not answer as Pinecone does")
        why = f"{response.status} {answer[:300].decode(errors='replace')}"
        if response.status == 404 and missing_ok:  # no record of this namespace was ever written
            return {}
        if response.status in (401, 403):
            raise Unreachable(f"the API key is refused or may not do that: {why}")
        if response.status == 404 or response.status >= 500 or response.status == 429:
            raise Unreachable(why)
        raise Refused(f"Pinecone refuses a request: {why}")


def _parsed(answer: bytes, otherwise: str) -> dict[str, Any]:
    try:
        found = orjson.loads(answer)
    except orjson.JSONDecodeError as error:
        raise Unreachable(otherwise) from error
    if not isinstance(found, dict):
        raise Unreachable(otherwise)
    return found
