"""Requests spread by weight, smoothly: of 5:1 the one never comes in a run.

nginx's smooth weighted round-robin:
https://github.com/nginx/nginx/commit/52327e0627f49dbda1e8db695e63a4b0af4448b1
"""

from collections.abc import Collection

from sluice_sidecar import config
from sluice_sidecar.ask import Ask


class Weighted:
    """Every name gains its weight, the richest is chosen and pays what all have gained."""

    __slots__ = ("_current", "weights")

    def __init__(self, settings: config.Weighted) -> None:
        self.weights = {name: weight for name, weight in settings.weights.items() if weight > 0}
        if not self.weights:
            raise ValueError("strategy weighted: give at least one backend a weight above 0")
        self._current = dict.fromkeys(self.weights, 0)

    def carry_over(self, before: "Weighted") -> None:
        """Goes on where another left off, so that a new Config does not restart the pattern."""
        if before.weights == self.weights:
            self._current = before._current

    async def choose(self, ask: Ask, able: Collection[str]) -> str:
        """See Strategy. Shares of those that are not able go to the others."""
        current = self._current
        names = [name for name in current if name in able] or list(current)
        for name in names:
            current[name] += self.weights[name]
        chosen = max(names, key=current.__getitem__)
        current[chosen] -= sum(self.weights[name] for name in names)
        return chosen
