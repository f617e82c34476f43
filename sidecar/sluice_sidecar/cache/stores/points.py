"""How a cache record lies in the engine as a point, and how it is known to be whole."""

import struct
from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sluice_sidecar.cache.stores.store import Record

if TYPE_CHECKING:
    from qdrant_edge import Point

VECTOR = "text"
LABELS = ("key", "scope", "tenant", "policy", "expires", "until")


def array(vector: bytes) -> Any:
    """A record's vector as the engine takes it, without a copy (its stub names lists only)."""
    import numpy as np

    return np.frombuffer(vector, "<f4")


def ident_of(key: str) -> str:
    """The point's id: the key itself, which has a UUID's 128 bits."""
    return str(UUID(key))


def point_of(record: Record) -> "Point":
    """The point that carries a record: labels, data as text, and the sum over both and the vector.

    Times are cut to whole seconds, so a life is never lengthened.
    """
    import qdrant_edge as edge

    payload: dict[str, Any] = {
        "key": record.key, "scope": record.scope, "tenant": record.tenant, "policy": record.policy,
        "expires": int(record.expires), "until": int(record.until), "used": int(record.used),
        "data": record.data.decode(),
    }  # fmt: skip
    payload["sum"] = sum_of(payload, record.data, record.vector)
    vectors: Any = {} if record.vector is None else {VECTOR: array(record.vector)}
    return edge.Point(ident_of(record.key), vectors, payload)


def sum_of(payload: dict[str, Any], data: bytes, vector: bytes | None) -> str:
    """Checksum over all that decides what a record is given for, in hex."""
    hasher = blake2b(data, digest_size=16)
    hasher.update(repr([payload[label] for label in LABELS]).encode())
    if vector is not None:
        hasher.update(vector)
    return hasher.hexdigest()


def vector_of(vectors: Any) -> bytes | None:
    """A point's vector as a record has it. Raises what a damaged one makes of it."""
    values = vectors.get(VECTOR) if isinstance(vectors, dict) else None
    return struct.pack(f"<{len(values)}f", *values) if values else None


def verified(ident: str, payload: dict[str, Any], vectors: Any) -> tuple[bytes, bytes | None] | None:
    """Data and vector of the record that was put under that id, or None when this is not it."""
    try:
        data: bytes = payload["data"].encode()
        vector = vector_of(vectors)
        whole = payload["sum"] == sum_of(payload, data, vector) and payload["key"] == ident.replace("-", "")
        return (data, vector) if whole else None
    except (KeyError, AttributeError, TypeError, ValueError, UnicodeError, struct.error):
        return None
