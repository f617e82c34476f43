"""Vectors of texts as the cache wants them: trusted, or none."""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING

from sluice_sidecar.cache.embedders.embedder import Embedder, EmbeddingError, OwnEmbedder, TooLong, checked
from sluice_sidecar.config import BuiltinEmbedding, Embedding

if TYPE_CHECKING:
    from sluice_sidecar.cache.embedders.embedder import Vector

log = logging.getLogger("sluice.cache")

SLOWEST = 0.25
"""Seconds that an ask waits for its embedding: a queue of long texts must not cost more than the cache saves."""

WARM = 120.0
"""Seconds for the first text: a model is converted where that was never done on this machine."""
PATIENT = 10.0
"""Seconds that one waits where no caller does: an embedder that hangs must not hold answers for ever."""

BUILTIN = BuiltinEmbedding()


class Vectors:
    """Embedders, the builtin one and those that policies name, whose failures are counted and said once, never raised.

    They may come later: see `use`.
    """

    def __init__(self, embedder: Embedder | None, counts: Counter[str]) -> None:
        self._builtin, self._counts = embedder, counts
        self._own: Mapping[Embedding, OwnEmbedder] = {}
        self._fails: set[Embedding] = set()

    def use(self, embedder: Embedder | None, own: Mapping[Embedding, OwnEmbedder] | None = None) -> None:
        """Takes the embedders of another Config: the builtin one, and what policies name besides."""
        self._builtin = embedder
        self._own = dict(own or {})
        self._fails &= {BUILTIN, *self._own}

    def there(self, embedding: Embedding = BUILTIN) -> bool:
        """Whether there is that embedder."""
        return self._embedder(embedding) is not None

    def scope(self, scope: str, embedding: Embedding) -> str:
        """Where vectors of that embedder lie among those of `scope`: no other embedder's are found there."""
        if embedding == BUILTIN:
            return scope
        own = self._own.get(embedding)
        # Without one there (its Config is gone meanwhile) its vectors lie where nobody looks.
        identity = "" if own is None else own.identity
        return f"{scope}/{blake2b(identity.encode(), digest_size=8).hexdigest()}"

    def _embedder(self, embedding: Embedding) -> Embedder | None:
        return self._builtin if embedding == BUILTIN else self._own.get(embedding)

    async def warm(self) -> None:
        """Embeds one text with each, so that the first ask does not wait for a model to load."""
        for embedding in (BUILTIN, *self._own):
            await self.of("warm", WARM, embedding)

    async def of(
        self, text: str, patience: float = SLOWEST, embedding: Embedding = BUILTIN
    ) -> "Vector | None":  # fmt: skip
        """The text's unit vector, or None: no such embedder, its failure, or more than `patience` seconds."""
        embedder = self._embedder(embedding)
        if embedder is None:
            return None
        try:
            async with asyncio.timeout(patience):
                vector = checked(await embedder(text), embedding.dimensions)
        except TooLong:
            self._counts["too_long"] += 1
            return None
        except (EmbeddingError, TimeoutError) as error:
            reason = str(error) or f"it took more than {patience} s"
            self._counts["embedding_errors"] += 1
            if embedding not in self._fails:
                self._fails.add(embedding)
                log.warning("no embedding: asks are matched identically only", extra={"reason": reason})
            return None
        self._fails.discard(embedding)
        return vector
