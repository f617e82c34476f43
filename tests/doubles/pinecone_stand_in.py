"""A stand-in for a Pinecone index: `async with pinecone_stand_in() as index`. It speaks the requests that the store
makes, from Pinecone's public description of its API, and no Pinecone was asked whether it does so rightly.

Writes become visible when `show()` is called, at once unless `lags`. With `lies` a query ignores what it filters by.
`deletes_by_metadata` False: as indexes that refuse it.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from operator import eq, gt, le
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import orjson
import uvicorn

METADATA = 40_960
OPERATORS = {"$eq": eq, "$gt": gt, "$lte": le}
Records = dict[str, tuple[Any, dict[str, Any]]]


class PineconeStandIn:
    """See above. `stored` is namespace to id to (vector, metadata) as queries see it."""

    def __init__(self, api_key: str = "key", width: int = 384, metric: str = "cosine") -> None:
        self.api_key, self.width, self.metric = api_key, width, metric
        self.lags = self.lies = False
        self.deletes_by_metadata = True
        self.status: int | None = None
        """What every request is answered, instead of what it asks for."""
        self.stored: dict[str, Records] = {}
        self.paths: list[str] = []
        self.url = ""
        self._waiting: list[Callable[[], None]] = []

    def show(self) -> None:
        """Makes the writes so far visible, in their order."""
        for write in self._waiting:
            write()
        self._waiting.clear()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request (ASGI)."""
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = dict(scope["headers"])
        asked: dict[str, Any] = orjson.loads(body) if body else {}
        if scope["method"] == "GET":
            asked = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
        self.paths.append(scope["path"])
        status, answer = self._answer(scope["path"], headers, asked)
        head = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": orjson.dumps(answer)})

    def _answer(self, path: str, headers: dict[bytes, bytes], asked: dict[str, Any]) -> tuple[int, Any]:
        if headers.get(b"api-key") != self.api_key.encode():
            return 401, {"message": "Invalid API Key"}
        if b"x-pinecone-api-version" not in headers:
            return 400, {"message": "no version"}
        if self.status is not None:
            return self.status, {"message": "told to"}
        namespace = asked.get("namespace", "")
        match path:
            case "/describe_index_stats":
                counts = {name: {"vectorCount": len(records)} for name, records in self.stored.items()}
                return 200, {"dimension": self.width, "metric": self.metric, "namespaces": counts}
            case "/vectors/fetch":
                found = self.stored.get(namespace, {}).get(asked["ids"])
                vectors = {} if found is None else {asked["ids"]: {"id": asked["ids"], "metadata": found[1]}}
                return 200, {"vectors": vectors, "namespace": namespace}
            case "/vectors/upsert":
                return self._upsert(namespace, asked["vectors"])
            case "/vectors/delete":
                return self._delete(namespace, asked)
            case "/query":
                return 200, {"matches": self._query(namespace, asked), "namespace": namespace}
        return 404, {"message": path}

    def _write(self, write: Callable[[], None]) -> None:
        self._waiting.append(write)
        if not self.lags:
            self.show()

    def _upsert(self, namespace: str, vectors: list[dict[str, Any]]) -> tuple[int, Any]:
        for vector in vectors:
            values, metadata = np.array(vector["values"], np.float32), vector["metadata"]
            if values.shape != (self.width,) or not values.any():
                return 400, {"message": "vector"}
            if len(orjson.dumps(metadata)) > METADATA or None in metadata.values():
                return 400, {"message": "metadata"}
            ident = vector["id"]
            self._write(
                lambda ident=ident, values=values, metadata=metadata: (  # type: ignore[misc]
                    self.stored.setdefault(namespace, {}).update({ident: (values, metadata)})
                )
            )
        return 200, {"upsertedCount": len(vectors)}

    def _delete(self, namespace: str, asked: dict[str, Any]) -> tuple[int, Any]:
        if len(asked.get("ids", ())) > 1000 or ("filter" in asked and not self.deletes_by_metadata):
            return 400, {"message": "this index does not do that"}

        def write() -> None:
            records = self.stored.get(namespace, {})
            chosen = asked.get("filter")
            ids = list(records) if asked.get("deleteAll") else asked.get("ids", [])
            if chosen is not None:
                ids = [ident for ident, (_, metadata) in records.items() if _matches(metadata, chosen)]
            for ident in ids:
                records.pop(ident, None)

        self._write(write)
        return 200, {}

    def _query(self, namespace: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
        assert 1 <= asked["topK"] <= 10_000
        vector = np.array(asked["vector"], np.float32)
        found = [
            (float(vector @ values), ident, metadata)
            for ident, (values, metadata) in self.stored.get(namespace, {}).items()
            if self.lies or _matches(metadata, asked.get("filter") or {})
        ]
        found.sort(key=lambda one: -one[0])
        shown = ("id", "score", "metadata") if asked["includeMetadata"] else ("id", "score")
        matches = [{"id": ident, "score": score, "metadata": metadata} for score, ident, metadata in found]
        return [{name: match[name] for name in shown} for match in matches[: asked["topK"]]]


def _matches(metadata: dict[str, Any], chosen: dict[str, Any]) -> bool:
    return all(_holds(metadata, name, wanted) for name, wanted in chosen.items())


def _holds(metadata: dict[str, Any], name: str, wanted: Any) -> bool:
    if name == "$and":
        return all(_matches(metadata, one) for one in wanted)
    ((operator, value),) = wanted.items()
    there = metadata.get(name)
    return there is not None and bool(OPERATORS[operator](there, value))


@asynccontextmanager
async def pinecone_stand_in(api_key: str = "key", **about: Any) -> AsyncIterator[PineconeStandIn]:
    """One, serving on loopback."""
    app = PineconeStandIn(api_key, **about)
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio then sets TCP_NODELAY
    sock.bind(("127.0.0.1", 0))
    sock.listen()
    app.url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    serving = asyncio.create_task(server._serve(sockets=[sock]))
    try:
        yield app
    finally:
        server.should_exit = server.force_exit = True
        await serving
