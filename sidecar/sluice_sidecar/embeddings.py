"""The embedders that a Config's policies name: one each, kept from Config to Config."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sluice_sidecar.config import BuiltinEmbedding, Config, Egress, Embedding, EmbeddingEndpoint, OnnxEmbedding, Policy
from sluice_sidecar.credentials import SecretSource
from sluice_sidecar.upstream.client import Client
from sluice_sidecar.upstream.guard import Guard

if TYPE_CHECKING:
    from sluice_sidecar.cache.embedders.embedder import OwnEmbedder

log = logging.getLogger("sluice.gateway")


def by_meaning(policy: Policy) -> bool:
    """Whether a policy compares what asks mean, so that something must embed them."""
    return policy.paraphrase is not None or policy.label


class Embeddings:
    """The process's embedders besides the builtin one. Nothing is loaded or called before the first text."""

    def __init__(self, credentials: SecretSource) -> None:
        self._credentials = credentials
        self._embedders: dict[Embedding, OwnEmbedder] = {}
        self._egress = Egress()
        self._client: Client | None = None

    async def use(self, config: Config, guard: Guard) -> Mapping[Embedding, "OwnEmbedder"]:
        """The embedders that a Config's policies name; those of the Config before are kept, the others closed.

        `guard` belongs to the Config: where its egress differs from the one before, endpoints are asked anew.
        """
        wanted = {policy.embedding for policy in config.policies.values() if by_meaning(policy)}
        moved = config.gateway.egress != self._egress
        for embedding in [*self._embedders]:
            if embedding not in wanted or (moved and isinstance(embedding, EmbeddingEndpoint)):
                self._embedders.pop(embedding).close()
        if moved:
            self._egress = config.gateway.egress
            await self._disconnect()
        for embedding in wanted - self._embedders.keys():
            made = self._made(embedding, guard)
            if made is not None:
                self._embedders[embedding] = made
        return self._embedders

    async def close(self) -> None:
        """Closes all of them."""
        while self._embedders:
            self._embedders.popitem()[1].close()
        await self._disconnect()

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _made(self, embedding: Embedding, guard: Guard) -> "OwnEmbedder | None":
        if isinstance(embedding, BuiltinEmbedding):
            return None
        if isinstance(embedding, OnnxEmbedding):
            from sluice_sidecar.cache.embedders.onnx_folder import OnnxFolder

            folder = Path(embedding.path)
            return OnnxFolder(lambda: folder, width=embedding.dimensions)
        from sluice_sidecar.cache.embedders.endpoint import Endpoint

        if self._client is None:
            self._client = Client(guard)
        try:
            return Endpoint(embedding, self._client, self._credentials)
        except ValueError as error:
            _warn(str(error))
            return None


def _warn(reason: str) -> None:
    log.warning("an embedding is not used: asks are matched identically only", extra={"reason": reason})
