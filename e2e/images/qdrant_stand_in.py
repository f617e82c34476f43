"""A stand-in for a Qdrant server: a REST facade over the embedded engine, for tests where no server binary can be had.

It is not Qdrant. It speaks the part of the REST API that Sluice uses, on one node, and refuses the rest with 404. Every
request body is parsed with the official client's models, which forbid unknown fields: a request that passes here is
one that the API describes. Run it: `python qdrant_stand_in.py --storage FOLDER --port 6333 [--api-key KEY]`.
An API key lets in whoever has it, and JSON Web Tokens signed with it whose `access` names a collection, as Qdrant's.
"""

import argparse
import asyncio
import base64
import hmac
import json
import re
import shutil
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import qdrant_edge as edge
import uvicorn
from pydantic import BaseModel, ValidationError
from qdrant_client.http import models

M = TypeVar("M", bound=BaseModel)
Event = dict[str, Any]

PATH = re.compile(r"/collections/(?P<name>[A-Za-z0-9_.-]+)(?P<rest>/.*)?")


class Refused(Exception):  # noqa: N818  (it says what happened to the request)
    """An answer other than 200."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class StandIn:
    """The ASGI application. `asked` holds (method, path below the collection) of each request."""

    def __init__(self, storage: Path, api_key: str | None = None) -> None:
        self.storage, self.api_key = storage, api_key
        self.asked: list[tuple[str, str]] = []
        self.shards: dict[str, edge.EdgeShard] = {}
        self.schemas: dict[str, dict[str, Any]] = {}
        self.sizes: dict[str, dict[str, tuple[int, str]]] = {}
        for about in storage.glob("*/about.json"):
            name = about.parent.name
            self.sizes[name], self.schemas[name] = json.loads(about.read_text())
            self.shards[name] = edge.EdgeShard.load(str(about.parent / "shard"))

    async def __call__(
        self, scope: Event, receive: Callable[[], Awaitable[Event]], send: Callable[[Event], Awaitable[None]]
    ) -> None:
        body = b""
        while (event := await receive())["type"] == "http.request":
            body += event["body"]
            if not event.get("more_body"):
                break
        start = time.monotonic()
        try:
            status, answer = 200, {"result": self.answer(scope, body), "status": "ok"}
        except Refused as refused:
            status, answer = refused.status, {"status": {"error": str(refused)}}
        data = json.dumps({**answer, "time": time.monotonic() - start}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": data})

    def answer(self, scope: Event, body: bytes) -> Any:
        """The result of one request. Raises Refused."""
        method, path = scope["method"], scope["path"]
        if path in ("/", "/healthz", "/readyz", "/livez"):
            return {"title": "stand-in for Qdrant, over its embedded engine", "version": "0.0.0"}
        found = PATH.fullmatch(path)
        if found is None:
            raise Refused(404, "the stand-in does not know that path")
        name, rest = found["name"], found["rest"] or ""
        self.asked.append((method, rest))
        made = method in ("PUT", "DELETE") and not rest
        self._check({key.lower(): value for key, value in scope["headers"]}, name, manage=made)
        if method == "PUT" and not rest:
            return self._create(name, parsed(models.CreateCollection, body))
        if name not in self.shards:
            raise Refused(404, f"Not found: Collection `{name}` doesn't exist!")
        shard = self.shards[name]
        if method == "DELETE" and not rest:
            self.shards.pop(name).close()
            shutil.rmtree(self.storage / name)
            return True
        handler = HANDLERS.get((method, rest))
        if handler is not None:
            return handler(shard, body)
        if (method, rest) == ("GET", ""):
            return self._about(name)
        if (method, rest) == ("PUT", "/index"):
            return self._index(name, parsed(models.CreateFieldIndex, body))
        raise Refused(404, "the stand-in does not know that path")

    def close(self) -> None:
        """Makes all of it durable."""
        for shard in self.shards.values():
            shard.flush()
            shard.close()
        self.shards.clear()

    def _check(self, headers: dict[bytes, bytes], collection: str, *, manage: bool) -> None:
        if self.api_key is None:
            return
        bearer = headers.get(b"authorization", b"").removeprefix(b"Bearer ")
        given = headers.get(b"api-key", bearer).decode("latin-1")
        if hmac.compare_digest(given.encode(), self.api_key.encode()):
            return
        access = _claims(given, self.api_key).get("access")
        if isinstance(access, str):
            if access != "m":
                raise Refused(403, "Forbidden: Global manage access is required")
            return
        if manage or not any(one.get("collection") == collection and one.get("access") == "rw" for one in access or ()):
            raise Refused(403, f"Forbidden: the token gives no such access to collection {collection}")

    def _create(self, name: str, asked: models.CreateCollection) -> bool:
        if name in self.shards:
            raise Refused(409, f"Wrong input: Collection `{name}` already exists!")
        if not isinstance(asked.vectors, dict):
            raise Refused(400, "the stand-in knows named vectors only")
        distances = {"Cosine": edge.Distance.Cosine, "Dot": edge.Distance.Dot, "Euclid": edge.Distance.Euclid}
        self.sizes[name] = {key: (one.size, one.distance.value) for key, one in asked.vectors.items()}
        vectors = {
            key: edge.EdgeVectorParams(size=size, distance=distances[distance])
            for key, (size, distance) in self.sizes[name].items()
        }
        config = edge.EdgeConfig(vectors=vectors, optimizers=edge.EdgeOptimizersConfig(indexing_threshold=10**9))
        (self.storage / name / "shard").mkdir(parents=True)
        self.shards[name] = edge.EdgeShard.create(str(self.storage / name / "shard"), config)
        self.schemas[name] = {}
        self._note(name)
        return True

    def _index(self, name: str, asked: models.CreateFieldIndex) -> dict[str, Any]:
        schema: Any = asked.field_schema
        kind = getattr(schema, "type", schema)
        if kind == "keyword":
            params: Any = edge.KeywordIndexParams(is_tenant=bool(getattr(schema, "is_tenant", False)))
        elif kind == "integer":
            params = edge.IntegerIndexParams(range=True, lookup=False)
        else:
            raise Refused(400, f"the stand-in has no index of type {kind}")
        self.shards[name].update(edge.UpdateOperation.create_field_index(asked.field_name, params))
        dumped = schema.model_dump(mode="json", exclude_none=True) if isinstance(schema, BaseModel) else None
        self.schemas[name][asked.field_name] = {"data_type": str(getattr(kind, "value", kind)), "params": dumped}
        self._note(name)
        return DONE

    def _note(self, name: str) -> None:
        (self.storage / name / "about.json").write_text(json.dumps([self.sizes[name], self.schemas[name]]))

    def _about(self, name: str) -> dict[str, Any]:
        count = self.shards[name].count(edge.CountRequest(exact=True))
        vectors = {key: {"size": size, "distance": distance} for key, (size, distance) in self.sizes[name].items()}
        schema = {label: {**one, "points": count} for label, one in self.schemas[name].items()}
        return {
            "status": "green", "optimizer_status": "ok", "segments_count": 1, "points_count": count,
            "config": {"params": {"vectors": vectors}}, "payload_schema": schema,
        }  # fmt: skip


DONE = {"operation_id": 0, "status": "completed"}


def parsed(model: type[M], body: bytes) -> M:
    """The request as the official model sees it. Raises Refused(400)."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise Refused(400, f"Format error in JSON body: {error}") from None


def chosen(asked: models.Filter | None) -> edge.Filter:
    """The engine's filter; must and must_not with matches, ranges and ids. Raises Refused for more."""
    if asked is None:
        return edge.Filter()
    if asked.should or asked.min_should:
        raise Refused(400, "the stand-in knows must and must_not only")
    return edge.Filter(must=_conditions(asked.must), must_not=_conditions(asked.must_not))


def _conditions(asked: Any) -> list[Any]:
    found: list[Any] = []
    for one in asked if isinstance(asked, list) else [] if asked is None else [asked]:
        if isinstance(one, models.HasIdCondition):
            found.append(edge.HasIdCondition({str(ident) for ident in one.has_id}))
        elif isinstance(one, models.FieldCondition) and isinstance(one.match, models.MatchValue):
            found.append(edge.FieldCondition(one.key, match=edge.MatchValue(one.match.value)))
        elif isinstance(one, models.FieldCondition) and isinstance(one.range, models.Range):
            found.append(edge.FieldCondition(one.key, range=edge.RangeFloat(**one.range.model_dump())))
        else:
            raise Refused(400, f"the stand-in does not know the condition {one!r}")
    return found


def _retrieve(shard: edge.EdgeShard, body: bytes) -> Any:
    asked = parsed(models.PointRequest, body)
    with_payload: Any = asked.with_payload if asked.with_payload is not None else True
    points = shard.retrieve([str(ident) for ident in asked.ids], with_payload, bool(asked.with_vector))
    return [_shown(point) for point in points]


def _query(shard: edge.EdgeShard, body: bytes) -> Any:
    asked = parsed(models.QueryRequest, body)
    if not isinstance(asked.query, list):
        raise Refused(400, "the stand-in knows queries by vector only")
    request = edge.QueryRequest(
        query=edge.Query.Nearest(asked.query, using=asked.using), filter=chosen(asked.filter),
        limit=asked.limit or 10, score_threshold=asked.score_threshold, with_payload=bool(asked.with_payload),
        with_vector=False,
    )  # fmt: skip
    return {"points": [{**_shown(point), "score": point.score} for point in shard.query(request)]}


def _upsert(shard: edge.EdgeShard, body: bytes) -> Any:
    asked = parsed(models.PointsList, body)
    points = [edge.Point(str(one.id), _vectors(one.vector), one.payload) for one in asked.points]
    shard.update(edge.UpdateOperation.upsert_points(points))
    return DONE


def _vectors(given: Any) -> Any:
    if not isinstance(given, dict):
        raise Refused(400, "the stand-in knows named vectors only")
    return given


def _delete(shard: edge.EdgeShard, body: bytes) -> Any:
    asked = parsed(models.FilterSelector, body)
    idents = [str(point.id) for point in _scrolled(shard, chosen(asked.filter), 10_000_000)]
    shard.update(edge.UpdateOperation.delete_points(list(idents)))
    return DONE


def _mark(shard: edge.EdgeShard, body: bytes) -> Any:
    asked = parsed(models.SetPayload, body)
    idents: list[Any] = [str(ident) for ident in asked.points or []]
    shard.update(edge.UpdateOperation.set_payload(idents, asked.payload))
    return DONE


def _count(shard: edge.EdgeShard, body: bytes) -> Any:
    asked = parsed(models.CountRequest, body)
    return {"count": shard.count(edge.CountRequest(filter=chosen(asked.filter), exact=True))}


def _facet(shard: edge.EdgeShard, body: bytes) -> Any:
    asked = parsed(models.FacetRequest, body)
    found = shard.facet(edge.FacetRequest(asked.key, limit=asked.limit or 10, exact=bool(asked.exact)))
    return {"hits": [{"value": hit.value, "count": hit.count} for hit in found.hits]}


def _scroll(shard: edge.EdgeShard, body: bytes) -> Any:
    asked = parsed(models.ScrollRequest, body)
    order = None
    if isinstance(asked.order_by, models.OrderBy):
        order = edge.OrderBy(asked.order_by.key, edge.Direction.Asc)
    return {"points": [_shown(one) for one in _scrolled(shard, chosen(asked.filter), asked.limit or 10, order)]}


def _scrolled(shard: edge.EdgeShard, where: edge.Filter, limit: int, order: edge.OrderBy | None = None) -> list[Any]:
    request = edge.ScrollRequest(limit=limit, filter=where, with_payload=False, with_vector=False, order_by=order)
    return list(shard.scroll(request)[0])


def _shown(point: Any) -> dict[str, Any]:
    return {"id": str(point.id), "payload": point.payload, "version": 0}


HANDLERS: dict[tuple[str, str], Callable[[edge.EdgeShard, bytes], Any]] = {
    ("POST", "/points"): _retrieve,
    ("PUT", "/points"): _upsert,
    ("POST", "/points/query"): _query,
    ("POST", "/points/delete"): _delete,
    ("POST", "/points/payload"): _mark,
    ("POST", "/points/count"): _count,
    ("POST", "/points/scroll"): _scroll,
    ("POST", "/facet"): _facet,
}


def _claims(token: str, key: str) -> dict[str, Any]:
    """What a token signed with the key says. Raises Refused(401)."""
    head, _, signature = token.rpartition(".")
    mac = hmac.new(key.encode(), head.encode(), "sha256").digest()
    if not head or not hmac.compare_digest(base64.urlsafe_b64encode(mac).rstrip(b"=").decode(), signature):
        raise Refused(401, "Must provide an API key or an Authorization bearer token")
    body = head.partition(".")[2]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    if claims.get("exp", time.time() + 1) < time.time():
        raise Refused(401, "the token has expired")
    return claims


def main() -> None:
    """Serves until SIGTERM."""
    cli = argparse.ArgumentParser(description="A stand-in for a Qdrant server.")
    cli.add_argument("--host", default="127.0.0.1")
    cli.add_argument("--port", type=int, default=6333)
    cli.add_argument("--storage", type=Path, required=True)
    cli.add_argument("--api-key")
    options = cli.parse_args()
    options.storage.mkdir(parents=True, exist_ok=True)
    app = StandIn(options.storage, options.api_key)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn raises it again once it has stopped
    config = uvicorn.Config(app, host=options.host, port=options.port, log_level="warning", lifespan="off")
    try:
        asyncio.run(uvicorn.Server(config).serve())
    finally:
        app.close()


if __name__ == "__main__":
    main()
