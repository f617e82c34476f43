"""A renewal costs one call while nobody else writes the Lease, and none is taken on trust once somebody does."""

import asyncio
import copy
from typing import Any

import pytest

from sluice_operator.lease import Lease, LeaseError, Times
from sluice_operator.plan.plan import Manifest, Ref

TIMES = Times(duration=60.0, deadline=30.0, retry=0.01)


class Stored:
    """One Lease, with the check of its resourceVersion that an API server makes."""

    def __init__(self) -> None:
        self.lease: dict[str, Any] | None = None
        self.calls: list[str] = []

    async def get(self, ref: Ref) -> dict[str, Any] | None:
        self.calls.append("get")
        return copy.deepcopy(self.lease)

    async def create(self, manifest: Manifest) -> dict[str, Any]:
        self.calls.append("create")
        return self._stored(manifest, "1")

    async def replace(self, manifest: Manifest) -> dict[str, Any]:
        self.calls.append("replace")
        assert self.lease is not None
        version = self.lease["metadata"]["resourceVersion"]
        if manifest["metadata"]["resourceVersion"] != version:
            raise ValueError("Conflict")
        return self._stored(manifest, str(int(version) + 1))

    def _stored(self, manifest: Manifest, version: str) -> dict[str, Any]:
        self.lease = copy.deepcopy(dict(manifest))
        self.lease["metadata"]["resourceVersion"] = version
        return copy.deepcopy(self.lease)


async def renewed(stored: Stored, times: int) -> None:
    async with asyncio.timeout(60):
        while stored.calls.count("replace") < times:
            await asyncio.sleep(0)


async def forever() -> None:
    await asyncio.Event().wait()


async def test_a_renewal_is_one_call() -> None:
    stored = Stored()
    leading = asyncio.create_task(Lease(stored, "home", "lease", "a", TIMES).lead(forever))
    await renewed(stored, 3)
    assert stored.calls[:5] == ["get", "create", "replace", "replace", "replace"]
    leading.cancel()
    await asyncio.gather(leading, return_exceptions=True)
    assert stored.lease is not None
    assert stored.lease["spec"]["holderIdentity"] == ""


async def test_a_lease_that_somebody_else_touched_is_read_and_kept_where_it_is_still_ours() -> None:
    stored = Stored()
    leading = asyncio.create_task(Lease(stored, "home", "lease", "a", TIMES).lead(forever))
    await renewed(stored, 1)
    assert stored.lease is not None
    stored.lease["metadata"] |= {"labels": {"seen": "yes"}, "resourceVersion": "70"}
    await renewed(stored, stored.calls.count("replace") + 3)
    assert stored.calls.count("get") == 2
    assert stored.lease["metadata"]["labels"] == {"seen": "yes"}
    leading.cancel()
    await asyncio.gather(leading, return_exceptions=True)


async def test_one_that_was_taken_is_lost() -> None:
    stored = Stored()
    leading = asyncio.create_task(Lease(stored, "home", "lease", "a", TIMES).lead(forever))
    await renewed(stored, 1)
    assert stored.lease is not None
    stored.lease["spec"]["holderIdentity"] = "thief"
    stored.lease["metadata"]["resourceVersion"] = "70"
    with pytest.raises(LeaseError):
        await leading
    assert stored.lease["spec"]["holderIdentity"] == "thief"
