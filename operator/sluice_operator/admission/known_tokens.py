"""Whose token it is, asked of the API server once in a while for each."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable

from sluice_operator.token_identity import TokenIdentity

Review = Callable[[str], Awaitable[TokenIdentity | None]]
"""Asks the API server whose token it is; None where it is nobody's. Raises ClusterError."""

TRUSTED = 120.0
"""Seconds for which an answer holds."""
DOUBTED = 5.0
"""The same for a token that is not valid: what made it so may be over soon."""
MOST = 20_000
AT_ONCE = 16
"""Most questions that wait for the API server at one time."""


class KnownTokens:
    """Answers that are remembered by the token's hash; no token is kept."""

    def __init__(self, review: Review, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds that never run back."""
        self._review = review
        self._clock = clock
        self._known: dict[bytes, tuple[float, TokenIdentity | None]] = {}
        self._asking = asyncio.Semaphore(AT_ONCE)

    async def identity(self, token: str) -> TokenIdentity | None:
        """Whose token it is; None where it is not valid. Raises ClusterError where nobody can tell."""
        key = hashlib.sha256(token.encode()).digest()
        until, identity = self._known.get(key, (0.0, None))
        if self._clock() < until:
            return identity
        async with self._asking:
            identity = await self._review(token)
        self._known.pop(key, None)
        self._known[key] = (self._clock() + (TRUSTED if identity else DOUBTED), identity)
        while len(self._known) > MOST:
            del self._known[next(iter(self._known))]
        return identity
