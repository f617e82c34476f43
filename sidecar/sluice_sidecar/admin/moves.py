"""Taking answers in and giving them out: the two ends of moving a cache, as the admin port has them."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol
from urllib.parse import parse_qs

import orjson

from sluice_sidecar.ask import Problem
from sluice_sidecar.cache.stores.store import StoreError

IMPORT_BYTES = 8_388_608
"""Most bytes of one call that brings answers."""
NDJSON = (b"content-type", b"application/x-ndjson")


class Moving(Protocol):
    """What moving needs of the gateway."""

    async def import_entries(self, policy: str, lines: bytes) -> Mapping[str, Any]:
        """Stores the answers of a policy in these lines; what became of them. Raises Problem, StoreError."""

    def export_entries(self, policy: str) -> AsyncIterator[bytes]:
        """A policy's entries, a line each. Raises Problem, StoreError."""


def policy_of(query: bytes) -> str:
    """The policy that a query names. Raises Problem(400)."""
    given = parse_qs(query.decode("latin-1"), keep_blank_values=True)
    unknown = given.keys() - {"policy"}
    if unknown:
        name = min(unknown)[:100]
        raise Problem(400, "unknown_parameter", f"Unknown parameter {name!r}; known: policy.", param=name)
    policy = given.get("policy", [""])[-1]
    if not policy:
        raise Problem(400, "missing_policy", "Say which policy's: ?policy=NAME.", param="policy")
    return policy


async def taken(gateway: Moving, policy: str, lines: bytes) -> bytes:
    """The answer to a call that brings answers. Raises Problem."""
    try:
        return orjson.dumps(await gateway.import_entries(policy, lines))
    except StoreError as error:
        raise Problem(503, "store_unavailable", f"The cache store cannot take answers now: {error}.") from None


async def given(gateway: Moving, policy: str) -> AsyncIterator[bytes]:
    """A policy's lines, begun: a trouble that shows at once is raised, as Problem.

    One that shows later is the last line: {"error": {...}}.
    """
    lines = gateway.export_entries(policy)
    try:
        first = await anext(lines, b"")
    except StoreError as error:
        raise Problem(503, "store_unavailable", f"The entries cannot be read: {error}.") from None
    return _all(first, lines)


async def _all(first: bytes, lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    try:
        async for line in lines:
            yield line
    except StoreError as error:
        yield (
            orjson.dumps({"error": {"code": "store_unavailable", "message": f"The export is cut short: {error}"}})
            + b"\n"
        )
