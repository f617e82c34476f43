"""What all strategies but the cascade are: a choice of one backend."""

from collections.abc import Collection
from typing import Protocol

from sluice_sidecar.ask import Ask


class Strategy(Protocol):
    """Chooses a backend by name."""

    async def choose(self, ask: Ask, able: Collection[str]) -> str:
        """A backend for this ask. `able` are those that speak its dialect and whose context window it fits; a strategy
        that has none of them to choose returns another, and the route's fallbacks take over."""
