"""Store records by number, and a program that writes them until it is killed."""

from sluice_sidecar.ask import Usage
from sluice_sidecar.cache.entry import Entry
from sluice_sidecar.cache.stores.store import Record

NOW = 1_000_000.0


def record(
    number: int, *, scope: str = "s", tenant: str = "acme", policy: str = "support", life: float = 60.0,
    stale: float = 0.0, size: int = 100, vector: bytes | None = None, used: float | None = None,
) -> Record:  # fmt: skip
    """The record of that number; its key is the number in hex."""
    key, body, expires = f"{number:032x}", b'"%b"' % (b"x" * size), NOW + life
    until, usage = expires + stale, Usage(1, 0, 1)
    entry = Entry(key, scope, tenant, policy, "large", f"ask {number}", body, usage, 0.1, NOW, expires, until)
    at = NOW + number if used is None else used
    return Record(key, scope, tenant, policy, expires, until, at, entry.to_bytes(), vector)
