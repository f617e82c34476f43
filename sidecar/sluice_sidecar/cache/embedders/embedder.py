"""What the cache asks of an embedding model, and what it believes of its answer."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vector = npt.NDArray[np.float32]

WIDTH = 384
"""Dimensions of every vector that is stored: the stores' collections have this width."""


class EmbeddingError(Exception):
    """No vector can be had for this text; the cache counts it as a miss."""


class TooLong(EmbeddingError):  # noqa: N818  (it says what the text is)
    """The text is longer than what is embedded. It is never cut: half a text is another text."""


class Embedder(Protocol):
    """A text to its vector."""

    async def __call__(self, text: str) -> "Vector":
        """Unit vector of `text`: float32, shape (WIDTH,). Raises EmbeddingError."""


class OwnEmbedder(Embedder, Protocol):
    """An embedder that a policy names."""

    @property
    def identity(self) -> str:
        """What its vectors depend on besides the text: vectors of two identities are never compared. Known once it
        has given a vector."""

    def close(self) -> None:
        """Lets go of threads and calls; whoever waits gets an EmbeddingError."""


def checked(vector: "Vector") -> "Vector":
    """`vector` at unit length, if it can be trusted. Raises EmbeddingError for a wrong shape, NaN, infinity or zero."""
    import numpy as np

    vector = np.asarray(vector, np.float32)
    if vector.shape != (WIDTH,):
        raise EmbeddingError(f"the embedder gave shape {vector.shape}, not ({WIDTH},)")
    with np.errstate(over="ignore", invalid="ignore"):
        length = float(np.sqrt(np.dot(vector, vector)))
    if not 1e-6 < length < 1e6:  # NaN compares false
        raise EmbeddingError("the embedder gave a vector without direction (zero, infinite or NaN)")
    return vector if abs(length - 1.0) < 1e-4 else vector / np.float32(length)
