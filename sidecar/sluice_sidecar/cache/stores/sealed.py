"""How a record lies in a server as bytes, and how it is known to be whole: a sum, a line of labels, the data."""

from hashlib import blake2b

import orjson

from sluice_sidecar.cache.stores.store import Record

SUM = 16
"""Bytes of the sum."""


def sealed(record: Record) -> bytes:
    """The record without its vector. Times are cut to whole seconds, so a life is never lengthened."""
    labels = (record.key, record.scope, record.tenant, record.policy, int(record.expires), int(record.until))
    rest = orjson.dumps(labels) + b"\n" + record.data
    return blake2b(rest, digest_size=SUM).digest() + rest


def opened(blob: bytes) -> Record | None:
    """The record that `sealed` wrote (`used` is not kept), or None when this is not it."""
    rest = blob[SUM:]
    if blake2b(rest, digest_size=SUM).digest() != blob[:SUM]:
        return None
    labels, _, data = rest.partition(b"\n")
    try:
        key, scope, tenant, policy, expires, until = orjson.loads(labels)
    except ValueError:
        return None
    return Record(key, scope, tenant, policy, expires, until, 0.0, data)
