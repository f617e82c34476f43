"""Makes and keeps the collections of a managed Qdrant, and saves them before an upgrade, over its REST API."""

import json
from collections.abc import Mapping
from typing import Any

import aiohttp

from sluice_operator.plan.plan import QdrantDuty
from sluice_operator.store_places import Places
from sluice_operator.store_refusal import StoreRefusal

VECTOR, WIDTH, DISTANCE = "text", 384, "Cosine"
"""The one vector of a point, as gateways write it."""
INDEXES: Mapping[str, Mapping[str, Any]] = {
    "scope": {"type": "keyword", "is_tenant": True},
    "tenant": {"type": "keyword"},
    "policy": {"type": "keyword"},
    "expires": {"type": "integer", "range": True, "lookup": False},
    "until": {"type": "integer", "range": True, "lookup": False},
    "used": {"type": "integer", "range": True, "lookup": False},
}
"""Payload indexes of each collection."""
COPIES = 2
"""Nodes that hold each shard, where there are so many: one may be away."""
SNAPSHOTS = 2
"""Snapshots of a collection that are kept on each node."""

CALL = 10.0
"""Seconds for one call."""
SAVING = 600.0
"""Seconds for a snapshot."""
LONGEST = 1_048_576
"""Most bytes of an answer."""
SHOWN = 200
"""Most characters that are told of a server's error."""


class QdrantAdmin:
    """What one server is told. Every method raises StoreRefusal."""

    def __init__(self, duty: QdrantDuty, session: aiohttp.ClientSession, places: Places) -> None:
        self._duty, self._session, self._places = duty, session, places

    async def keep(self) -> None:
        """Makes the wanted collections and indexes that are not there."""
        for name in self._duty.collections:
            about = await self._about(name)
            if about is None:
                await self._make(name)
                about = await self._about(name) or {}
            _fits(name, about)
            there = about.get("payload_schema") or {}
            for label, schema in INDEXES.items():
                if not _indexed(there.get(label), schema):
                    body = {"field_name": label, "field_schema": schema}
                    await self._call("PUT", f"/collections/{name}/index?wait=true", body)

    async def ours(self) -> frozenset[str]:
        """Every collection that was ever made for the namespace and is there."""
        found = await self._call("GET", "/collections")
        named = {str(entry["name"]) for entry in found["collections"]}
        return frozenset(name for name in named if name.startswith(self._duty.prefix))

    async def drop(self, name: str) -> None:
        """Deletes a collection."""
        await self._call("DELETE", f"/collections/{name}")

    async def save(self) -> None:
        """Makes a snapshot of every collection on every node, and deletes older ones but the last."""
        for name in sorted(await self.ours()):
            path = f"/collections/{name}/snapshots"
            for node in self._duty.nodes:  # a node saves what it holds itself
                await self._call("POST", f"{path}?wait=true", node=node, patience=SAVING)
                made = await self._call("GET", path, node=node)
                newest = sorted(made, key=lambda one: (one.get("creation_time") or "", one["name"]), reverse=True)
                for old in newest[SNAPSHOTS:]:
                    await self._call("DELETE", f"{path}/{old['name']}?wait=true", node=node)

    async def _about(self, name: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = await self._call("GET", f"/collections/{name}", missing=True)
        return found

    async def _make(self, name: str) -> None:
        body: dict[str, Any] = {"vectors": {VECTOR: {"size": WIDTH, "distance": DISTANCE}}}
        if len(self._duty.nodes) > 1:
            body["replication_factor"] = COPIES
        await self._call("PUT", f"/collections/{name}", body)

    async def _call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        node: str | None = None,
        patience: float = CALL,
        missing: bool = False,
    ) -> Any:
        """The result of one call; `missing`: None where there is no such thing."""
        url = (node or self._duty.url) + path
        try:
            async with self._session.request(
                method,
                self._places.url(url),
                json=body,
                headers={"api-key": self._duty.key},
                timeout=aiohttp.ClientTimeout(total=patience),
                allow_redirects=False,  # the key goes nowhere else
            ) as response:
                status, data = response.status, await _body(response)
        except TimeoutError:
            raise StoreRefusal(f"{method} {url} was not answered within {patience:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise StoreRefusal(f"{method} {url} failed: {error}") from error
        if status == 404 and missing:
            return None
        if status != 200:
            raise StoreRefusal(f"{method} {url} was answered {status}: {data[:SHOWN].decode(errors='replace')}")
        try:
            return json.loads(data)["result"]
        except (ValueError, KeyError, TypeError):
            raise StoreRefusal(f"{method} {url} was not answered as Qdrant does") from None


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """The whole body. Raises ClientPayloadError where it is too long."""
    data = b""
    async for part in response.content.iter_chunked(65_536):
        data += part
        if len(data) > LONGEST:
            raise aiohttp.ClientPayloadError(f"an answer of more than {LONGEST} bytes")
    return data


def _fits(name: str, about: Mapping[str, Any]) -> None:
    """Raises StoreRefusal where the collection is not one for gateways."""
    try:
        vector = about["config"]["params"]["vectors"][VECTOR]
        found = (vector["size"], vector["distance"])
    except (KeyError, TypeError):
        found = None
    if found != (WIDTH, DISTANCE):
        shape = f"{found[0]} dimensions and distance {found[1]}" if found else "nothing of that name"
        raise StoreRefusal(
            f"collection {name} was not made by the operator: its vector {VECTOR!r} has {shape}, "
            f"not {WIDTH} dimensions and {DISTANCE}; delete that collection"
        )


def _indexed(there: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> bool:
    """Whether the index is there, and keeps tenants apart where it is to."""
    if not there or there.get("data_type") != wanted["type"]:
        return False
    return not wanted.get("is_tenant") or bool((there.get("params") or {}).get("is_tenant"))
