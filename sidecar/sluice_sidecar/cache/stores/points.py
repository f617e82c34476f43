"""How a cache record lies in the engine as a point, and how its errors come out."""

import asyncio
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from sluice_sidecar.cache.embed import WIDTH
from sluice_sidecar.cache.stores.store import Record, StoreError

if TYPE_CHECKING:
    from qdrant_edge import EdgeShard, Point

T = TypeVar("T")

VECTOR = "text"
LABELS = ("key", "scope", "tenant", "policy", "expires", "until")


def opened(path: Path, *, exists: bool) -> "EdgeShard":
    """The shard in that folder, made where there is none. Raises what the engine raises."""
    import qdrant_edge as edge

    if exists:
        shard = edge.EdgeShard.load(str(path))
        shard.optimize()  # without HNSW this only gives back the space of deleted points
        return shard
    shard = edge.EdgeShard.create(
        str(path),
        edge.EdgeConfig(
            vectors={VECTOR: edge.EdgeVectorParams(size=WIDTH, distance=edge.Distance.Dot)},
            # Never HNSW: building it would stop the whole process for seconds, and a scope is scanned in 0.1 ms.
            optimizers=edge.EdgeOptimizersConfig(indexing_threshold=10**9),
            max_search_threads=1,
        ),
    )
    number = edge.IntegerIndexParams(range=True, lookup=False)
    for field, index in (
        ("scope", edge.KeywordIndexParams(is_tenant=True)),
        ("tenant", edge.KeywordIndexParams()),
        ("policy", edge.KeywordIndexParams()),
        ("expires", number),
        ("until", number),
        ("used", number),
    ):
        shard.update(edge.UpdateOperation.create_field_index(field, index))
    shard.flush()
    return shard


def engine(call: Callable[..., T], *arguments: Any) -> T:
    """`call(*arguments)`; the engine's errors, panics included, become StoreError."""
    try:
        return call(*arguments)
    except (KeyboardInterrupt, SystemExit, asyncio.CancelledError, StoreError):
        raise
    except BaseException as error:  # the engine raises bare Exception, and its panics are not even that
        raise StoreError(f"{type(error).__name__}: {error}") from error


def array(vector: bytes) -> Any:
    """A record's vector as the engine takes it, without a copy (its stub names lists only)."""
    import numpy as np

    return np.frombuffer(vector, "<f4")


def ident_of(key: str) -> str:
    """The point's id: the key itself, which has a UUID's 128 bits."""
    return str(UUID(key))


def match(label: str, value: str) -> Any:
    """The condition that a label has exactly that value."""
    import qdrant_edge as edge

    return edge.FieldCondition(label, match=edge.MatchValue(value))


def by_policy(shard: "EdgeShard") -> dict[str, int]:
    """Records by policy."""
    import qdrant_edge as edge

    found = shard.facet(edge.FacetRequest("policy", limit=100_000, exact=True))
    return {str(hit.value): int(hit.count) for hit in found.hits}


def point_of(record: Record) -> "Point":
    """The point that carries a record."""
    import qdrant_edge as edge

    vectors: Any = {} if record.vector is None else {VECTOR: array(record.vector)}
    return edge.Point(ident_of(record.key), vectors, payload_of(record))


def payload_of(record: Record) -> dict[str, Any]:
    """Labels, data as text, and the sum over both and the vector. Whole seconds: a life is never lengthened by it."""
    payload: dict[str, Any] = {
        "key": record.key, "scope": record.scope, "tenant": record.tenant, "policy": record.policy,
        "expires": int(record.expires), "until": int(record.until), "used": int(record.used),
        "data": record.data.decode(),
    }  # fmt: skip
    payload["sum"] = sum_of(payload, record.data, record.vector)
    return payload


def sum_of(payload: dict[str, Any], data: bytes, vector: bytes | None) -> str:
    """Checksum over all that decides what a record is given for, in hex."""
    hasher = blake2b(data, digest_size=16)
    hasher.update(repr([payload[label] for label in LABELS]).encode())
    if vector is not None:
        hasher.update(vector)
    return hasher.hexdigest()


def verified(payload: dict[str, Any], vectors: Any) -> bytes | None:
    """The record's data, or None when it is not what was put."""
    try:
        data: bytes = payload["data"].encode()
        values = vectors.get(VECTOR) if isinstance(vectors, dict) else None
        vector = None
        if values:
            import numpy as np

            vector = np.asarray(values, "<f4").tobytes()
        return data if payload["sum"] == sum_of(payload, data, vector) else None
    except (KeyError, AttributeError, TypeError, ValueError, UnicodeError):
        return None
