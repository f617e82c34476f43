"""What the cache asks of a Qdrant server, over its REST API and our own HTTP client.

Only the calls that `QdrantStore` makes; each is one request. Answers of more than LIMIT bytes are refused.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from sluice_sidecar.cache.stores.link import WRITE, Unreachable
from sluice_sidecar.cache.stores.store import StoreError
from sluice_sidecar.upstream.client import Client, Timeouts, parse_url
from sluice_sidecar.upstream.errors import UpstreamError

LIMIT = 16_777_216

Filter = dict[str, Any]


SLOWEST = 30.0
"""Seconds for one request; who asks sets shorter ends."""


class Missing(Unreachable):
    """There is no such collection."""


class Forbidden(Unreachable):
    """The key is known, and may not do that."""


class Full(StoreError):  # noqa: N818  (it says what the server is)
    """The server has no room for new points."""


class Collection:
    """One collection; `url` is the server's. Every method raises StoreError, most often one of its kinds above.

    Raises ValueError where `url` or `name` cannot be part of a request.
    """

    def __init__(self, client: Client, url: str, name: str, api_key: bytes | None) -> None:
        self._client = client
        self._origin, base = parse_url(url)
        if not name or not name.isascii() or not name.replace("-", "").replace("_", "").replace(".", "").isalnum():
            raise ValueError(f"the collection's name {name!r} may hold letters, digits, '-', '_' and '.' only")
        self._path = b"%b/collections/%b" % (base, name.encode())
        self._headers = [(b"content-type", b"application/json")]
        if api_key is not None:
            self._headers.append((b"api-key", api_key))

    async def about(self) -> dict[str, Any]:
        """Its description."""
        found: dict[str, Any] = await self._call(b"GET", b"")
        return found

    async def make(self, vector: str, width: int) -> None:
        """Makes it, with one named vector compared by cosine."""
        vectors = {vector: {"size": width, "distance": "Cosine"}}
        await self._call(b"PUT", b"", {"vectors": vectors})

    async def index(self, label: str, schema: dict[str, Any]) -> None:
        """Makes the index of one label."""
        await self._call(b"PUT", b"/index?wait=true", {"field_name": label, "field_schema": schema})

    async def retrieve(self, idents: Sequence[str], labels: bool | list[str]) -> list[dict[str, Any]]:
        """Points by id, without vectors."""
        asked = {"ids": list(idents), "with_payload": labels, "with_vector": False}
        found: list[dict[str, Any]] = await self._call(b"POST", b"/points", asked)
        return found

    async def query(self, using: str, vector: Any, chosen: Filter, limit: int, least: float) -> list[dict[str, Any]]:
        """Points near a vector (a float32 array) with their payload, best first."""
        asked = {
            "query": vector, "using": using, "filter": chosen, "limit": limit, "score_threshold": least,
            "with_payload": True, "with_vector": False,
        }  # fmt: skip
        return list((await self._call(b"POST", b"/points/query", asked))["points"])

    async def upsert(self, ident: str, vectors: dict[str, Any], payload: dict[str, Any]) -> None:
        """Writes one point; it can be found when this returns."""
        point = {"id": ident, "vector": vectors, "payload": payload}
        await self._call(b"PUT", b"/points?wait=true", {"points": [point]})

    async def delete(self, chosen: Filter) -> None:
        """Deletes the points that match."""
        await self._call(b"POST", b"/points/delete?wait=true", {"filter": chosen})

    async def mark(self, idents: Sequence[str], payload: dict[str, Any]) -> None:
        """Sets labels of points; unknown ids are passed over by the server."""
        await self._call(b"POST", b"/points/payload", {"payload": payload, "points": list(idents)})

    async def count(self, chosen: Filter) -> int:
        """How many points match, exactly."""
        return int((await self._call(b"POST", b"/points/count", {"filter": chosen, "exact": True}))["count"])

    async def values(self, label: str, chosen: Filter | None = None) -> dict[str, int]:
        """How many points, of those that match, have each value of a label."""
        asked = {"key": label, "limit": 10_000, "exact": True, "filter": chosen}
        hits = (await self._call(b"POST", b"/facet", asked))["hits"]
        return {str(hit["value"]): int(hit["count"]) for hit in hits}

    async def first(self, chosen: Filter, by: str, limit: int) -> list[str]:
        """Ids of points that match, in the order of a label."""
        asked = {
            "filter": chosen, "limit": limit, "order_by": {"key": by, "direction": "asc"}, "with_payload": False,
            "with_vector": False,
        }  # fmt: skip
        return [str(point["id"]) for point in (await self._call(b"POST", b"/points/scroll", asked))["points"]]

    async def _call(self, method: bytes, target: bytes, body: dict[str, Any] | None = None) -> Any:
        data = b"" if body is None else orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
        try:
            response = await self._client.send(
                self._origin, method, self._path + target, self._headers, data, Timeouts(WRITE, SLOWEST, SLOWEST)
            )
            answer = await response.read(LIMIT)
        except (UpstreamError, ValueError) as error:
            raise Unreachable(str(error)) from error
        if response.status == 200:
            try:
                return orjson.loads(answer)["result"]
            except (orjson.JSONDecodeError, KeyError, TypeError) as error:
                raise Unreachable(f"{self._origin} does not answer as Qdrant does") from error
        why = f"{response.status} {answer[:300].decode(errors='replace')}"
        if response.status == 403:
            raise Forbidden(f"the API key may not do that: {why}")
        if response.status == 401:
            raise Unreachable(f"the API key is refused: {why}")
        if response.status == 404:
            raise Missing(f"no such collection or path: {why}")
        if response.status == 507 or b"out of disk" in answer.lower() or b"no space" in answer.lower():
            raise Full(why)
        if response.status >= 500 or response.status == 429:
            raise Unreachable(why)
        raise StoreError(f"Qdrant refuses a request: {why}")
