"""Every request to one backend."""

from collections.abc import Collection

from sluice_sidecar import config
from sluice_sidecar.ask import Ask


class Single:
    """Always the same."""

    __slots__ = ("_backend",)

    def __init__(self, settings: config.Single) -> None:
        self._backend = settings.backend

    async def choose(self, ask: Ask, able: Collection[str]) -> str:
        """See Strategy."""
        return self._backend
