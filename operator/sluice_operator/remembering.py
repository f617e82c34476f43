"""A cluster whose writes are in the mirror before the watch tells of them.

Without it a namespace that is looked at twice in a moment would be planned from what it was before the first writes:
secrets that were just made would be made again, and an Event told twice.
"""

from collections.abc import Mapping
from typing import Any

from sluice_operator.cluster import Cluster
from sluice_operator.mirror import Mirror
from sluice_operator.plan.plan import Event, Manifest, Ref
from sluice_operator.token_identity import TokenIdentity


class Remembering:
    """See Cluster. The mirror learns what the API server answered."""

    def __init__(self, cluster: Cluster, mirror: Mirror) -> None:
        self._cluster, self._mirror = cluster, mirror

    async def get(self, ref: Ref) -> dict[str, Any] | None:
        """See Cluster."""
        return await self._cluster.get(ref)

    async def list(
        self, api_version: str, kind: str, namespace: str | None = None, labels: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        """See Cluster."""
        return await self._cluster.list(api_version, kind, namespace, labels)

    async def apply(self, manifest: Manifest) -> dict[str, Any]:
        """See Cluster."""
        answer = await self._cluster.apply(manifest)
        self._mirror.update("MODIFIED", answer)
        return answer

    async def apply_status(self, ref: Ref, status: Mapping[str, Any]) -> dict[str, Any]:
        """See Cluster."""
        answer = await self._cluster.apply_status(ref, status)
        self._mirror.amend(answer)
        return answer

    async def delete(self, ref: Ref, *, uid: str | None = None) -> None:
        """See Cluster."""
        held = self._mirror.get(ref)
        await self._cluster.delete(ref, uid=uid)
        if held is not None and self._mirror.get(ref) is held:
            self._mirror.update("DELETED", held)

    async def event(self, event: Event) -> None:
        """See Cluster."""
        await self._cluster.event(event)

    async def label(self, ref: Ref, labels: Mapping[str, str | None]) -> None:
        """See Cluster."""
        await self._cluster.label(ref, labels)

    async def review_token(self, token: str, audience: str) -> TokenIdentity | None:
        """See Cluster."""
        return await self._cluster.review_token(token, audience)
