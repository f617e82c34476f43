"""How a cache record lies at Pinecone: labels to filter by, and itself sealed, compressed and in base64."""

import zlib
from base64 import b64decode, b64encode
from typing import Any

import orjson

from sluice_sidecar.cache.embed import WIDTH
from sluice_sidecar.cache.stores.sealed import opened, sealed
from sluice_sidecar.cache.stores.store import Record

ANSWER = 36 * 1024
"""Bytes that a record may have in base64."""

METADATA = 40_000
"""Bytes of all metadata as JSON; Pinecone ends at 40 KB."""

INFLATED = 16_777_216
"""Bytes that a record may have when it is unpacked."""


def metadata_of(record: Record) -> dict[str, Any] | None:
    """The record as metadata, None where it is too large. One without a vector has no scope to be found by."""
    blob = b64encode(zlib.compress(sealed(record), 6)).decode()
    metadata = {
        "policy": record.policy, "tenant": record.tenant, "expires": int(record.expires), "until": int(record.until),
        "record": blob,
    }  # fmt: skip
    if record.vector is not None:
        metadata["scope"] = scope_of(record.scope)
    fits = len(blob) <= ANSWER and len(orjson.dumps(metadata)) <= METADATA
    return metadata if fits else None


def scope_of(scope: str) -> str:
    """A scope as metadata, never the empty text."""
    return f"s:{scope}"


def nowhere(width: int = WIDTH) -> Any:
    """A unit vector for records without one, and for queries that ask for labels alone: Pinecone takes no zeros."""
    import numpy as np

    vector = np.zeros(width, np.float32)
    vector[-1] = 1.0
    return vector


def unpacked(blob: object) -> Record | None:
    """The record in metadata's `record`, or None when this is not one that is whole."""
    if not isinstance(blob, str):
        return None
    try:
        return opened(zlib.decompressobj().decompress(b64decode(blob, validate=True), INFLATED))
    except (ValueError, zlib.error):
        return None
