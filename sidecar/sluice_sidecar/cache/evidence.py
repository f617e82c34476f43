"""Where evidence is kept: as records of the policy's own store, one a replica, so that each learns from the others."""

from collections.abc import Mapping
from hashlib import blake2b

import orjson

from sluice_sidecar.cache.stores.store import Record, Store

FORM = 2
"""The record's form. Raise it whenever features or scores change their meaning: old evidence is then not read."""
KEPT = 30 * 86_400.0
"""Seconds that a replica's evidence outlives its last word."""
MOST = 64
"""Replicas that are heard."""
OWNER = "sluice/evidence"
"""The policy that such records name: no CachePolicy can have a slash."""

_AXIS = b"\x00\x00\x80?" + bytes(4 * 383)


class EvidenceRecords:
    """The evidence records of one policy and strategy in one store."""

    def __init__(self, policy: str, how: str) -> None:
        self._about = f"{policy}/{how}"
        self._scope = blake2b(self._about.encode(), digest_size=16, key=b"sluice/evidence/1").hexdigest()

    def _key(self, replica: str) -> str:
        return blake2b(replica.encode(), digest_size=16, key=self._scope.encode()).hexdigest()

    async def write(self, store: Store, replica: str, snapshot: bytes, now: float) -> None:
        """Puts this replica's snapshot in the place of its last one. Raises StoreError."""
        until = now + KEPT
        head = orjson.dumps([FORM, self._about, replica, until])
        record = Record(
            self._key(replica), self._scope, "", OWNER, until, until, now, head + b"\n" + snapshot, _AXIS
        )  # fmt: skip
        await store.put(record, 10_000)

    async def read(self, store: Store, now: float) -> Mapping[str, bytes]:
        """Replica -> its last snapshot, this one's own included. Raises StoreError.

        Each record says itself whose it is, what it is about and how long it counts, whatever the store says.
        """
        found = {}
        for _, data in await store.nearest(self._scope, _AXIS, 0.9, MOST, now):
            head, _, snapshot = data.partition(b"\n")
            try:
                form, about, replica, until = orjson.loads(head)
                living = now < float(until)
            except (ValueError, TypeError):
                continue
            if form == FORM and about == self._about and isinstance(replica, str) and living:
                found[replica] = snapshot
        return found
