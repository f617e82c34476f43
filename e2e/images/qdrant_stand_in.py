"""A stand-in for a Qdrant server: a REST facade over the embedded engine, for tests where no server binary can be had.

It is not Qdrant. It speaks the part of the REST API that Sluice uses, on one node, and refuses the rest with 404. Every
request body is parsed with the official client's models, which forbid unknown fields: a request that passes here is
one that the API describes. An API key lets in whoever has it, and JSON Web Tokens signed with it whose `access` names a
collection, as Qdrant's; collections and snapshots are made with the key alone. Run it, from the repository's root:
`python -m e2e.images.qdrant_stand_in --storage FOLDER --port 6333 [--api-key KEY]`.
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
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import qdrant_edge as edge
import uvicorn
from pydantic import BaseModel
from qdrant_client.http import models

from e2e.images.qdrant_points import DONE, HANDLERS, Refused, parsed

Event = dict[str, Any]

PATH = re.compile(r"/collections/(?P<name>[A-Za-z0-9_.-]+)(?P<rest>/.*)?")


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
        headers = {key.lower(): value for key, value in scope["headers"]}
        if (method, path) == ("GET", "/collections"):
            self._check(headers, "", manage=True)
            return {"collections": [{"name": name} for name in sorted(self.shards)]}
        found = PATH.fullmatch(path)
        if found is None:
            raise Refused(404, "the stand-in does not know that path")
        name, rest = found["name"], found["rest"] or ""
        self.asked.append((method, rest))
        saves = rest.startswith("/snapshots")
        self._check(headers, name, manage=saves or (method in ("PUT", "DELETE") and not rest))
        if method == "PUT" and not rest:
            return self._create(name, parsed(models.CreateCollection, body))
        if name not in self.shards:
            raise Refused(404, f"Not found: Collection `{name}` doesn't exist!")
        shard = self.shards[name]
        if method == "DELETE" and not rest:
            self.shards.pop(name).close()
            shutil.rmtree(self.storage / name)
            return True
        if saves:
            return self._snapshots(method, name, rest.removeprefix("/snapshots").removeprefix("/"))
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

    def _snapshots(self, method: str, name: str, snapshot: str) -> Any:
        """Makes one, lists them, deletes one. They are archives of what the engine has on disk."""
        folder = self.storage / name / "snapshots"
        folder.mkdir(exist_ok=True)
        if (method, snapshot) == ("POST", ""):
            self.shards[name].flush()
            made = folder / f"{name}-{time.time_ns()}.snapshot"
            shutil.make_archive(str(made), "tar", self.storage / name / "shard")
            Path(f"{made}.tar").rename(made)
            return _snapshot(made)
        if (method, snapshot) == ("GET", ""):
            return [_snapshot(path) for path in sorted(folder.glob("*.snapshot"))]
        if method == "DELETE" and (folder / snapshot).is_file():
            (folder / snapshot).unlink()
            return True
        raise Refused(404, f"Not found: Snapshot {snapshot}")

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


def _snapshot(path: Path) -> dict[str, Any]:
    made = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    found = models.SnapshotDescription(name=path.name, creation_time=made.isoformat(), size=path.stat().st_size)
    return found.model_dump(mode="json", exclude_none=True)


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
