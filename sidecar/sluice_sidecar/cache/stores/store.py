"""What the cache asks of a store. Arguments and results are plain data, so a store can live in another process."""

from dataclasses import dataclass
from typing import Protocol


class StoreError(Exception):
    """The store could not do it; the gateway serves on without."""


class StoreLocked(StoreError):  # noqa: N818  (it says what the store is)
    """Another process has the store open."""


@dataclass(frozen=True, slots=True)
class Record:
    """One entry as a store sees it: labels to find, filter and purge by, and bytes that it never looks into."""

    key: str
    """128 bits in hex; a record of the same key takes its place."""
    scope: str
    tenant: str
    policy: str
    expires: float
    """From then on it is no neighbour."""
    until: float
    """From then on it is nothing: `get` may not give it and the sweeper takes it."""
    used: float
    """When it was last of use; the least recently used goes first."""
    data: bytes
    """`Entry.to_bytes()`."""
    vector: bytes | None = None
    """Little-endian float32 at unit length, as many as the store has; None where only identical reuse is possible."""


class Store(Protocol):
    """Where entries are kept beyond this process's memory. Every method may raise StoreError.

    `now` is unix seconds. A store must give back exactly the bytes that were put, or nothing: it detects and drops a
    damaged record by itself. What it gives is checked again by the cache.
    """

    async def open(self) -> None:
        """Makes it ready. Raises StoreLocked."""

    async def close(self) -> None:
        """Makes all of it durable and lets go. Idempotent."""

    async def get(self, key: str, now: float) -> bytes | None:
        """The data of one record that `until` has not ended."""

    async def nearest(
        self, scope: str, vector: bytes, least: float, limit: int, now: float
    ) -> list[tuple[float, bytes]]:
        """(cosine, data) of up to `limit` records of exactly this scope, `expires` after `now`, cosine >= `least`,
        best first."""

    async def put(self, record: Record, most: int) -> bool:
        """Keeps a record; beyond `most` records of its policy the least recently used ones go. False: not kept."""

    async def drop(self, key: str) -> bool:
        """Forgets one record; whether it was there."""

    async def purge(self, policy: str | None, tenant: str | None, key: str | None) -> int:
        """Forgets the records that match all that is given (nothing given: all of them); how many."""

    async def touch(self, keys: list[str], now: float) -> None:
        """Marks records as used at `now`; unknown keys are passed over."""

    async def upkeep(self, now: float) -> None:
        """Called about once a second: sweep what ended, make durable, come back from a failure. Short."""

    def stats(self) -> dict[str, object]:
        """At least `state` ("open", "full", "off") and `entries`."""
