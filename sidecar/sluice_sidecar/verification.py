"""The verifiers that a Config's policies name: one each, kept from Config to Config."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sluice_sidecar.config import Config, Egress, VerifierEndpoint, VerifierModel
from sluice_sidecar.credentials import SecretSource
from sluice_sidecar.upstream.client import Client
from sluice_sidecar.upstream.guard import Guard

if TYPE_CHECKING:
    from sluice_sidecar.cache.verifiers.verifier import Verifier

log = logging.getLogger("sluice.gateway")


class Verification:
    """The process's verifiers. Nothing is loaded or called before the first pair."""

    def __init__(self, credentials: SecretSource) -> None:
        self._credentials = credentials
        self._verifiers: dict[VerifierModel, Verifier] = {}
        self._egress = Egress()
        self._client: Client | None = None

    async def use(self, config: Config, guard: Guard) -> Mapping[VerifierModel, "Verifier"]:
        """The verifiers that a Config's policies name; those of the Config before are kept, the others closed.

        `guard` belongs to the Config: where its egress differs from the one before, endpoints are asked anew.
        """
        wanted = {
            policy.paraphrase.verifier.model
            for policy in config.policies.values()
            if policy.paraphrase and policy.paraphrase.verifier
        }
        moved = config.gateway.egress != self._egress
        for model in [*self._verifiers]:
            if model not in wanted or (moved and isinstance(model, VerifierEndpoint)):
                self._verifiers.pop(model).close()
        if moved:
            self._egress = config.gateway.egress
            await self._disconnect()
        for model in wanted - self._verifiers.keys():
            try:
                self._verifiers[model] = self._made(model, guard)
            except ValueError as error:
                log.warning(
                    "a verifier is not used: its paraphrases are misses", extra={"reason": str(error)}
                )  # fmt: skip
        return self._verifiers

    async def close(self) -> None:
        """Closes all of them."""
        while self._verifiers:
            self._verifiers.popitem()[1].close()
        await self._disconnect()

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _made(self, model: VerifierModel, guard: Guard) -> "Verifier":
        if not isinstance(model, VerifierEndpoint):
            from sluice_sidecar.cache.verifiers.onnx_pair import OnnxPair

            return OnnxPair(Path(model.path))
        from sluice_sidecar.cache.verifiers.endpoint import Endpoint

        if self._client is None:
            self._client = Client(guard)
        return Endpoint(model, self._client, self._credentials)
