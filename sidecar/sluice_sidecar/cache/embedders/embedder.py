"""What the cache asks of an embedding model, and what it believes of its answer."""

from typing import TYPE_CHECKING, Protocol

from sluice_sidecar.config import WIDTH as WIDTH

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vector = npt.NDArray[np.float32]


class EmbeddingError(Exception):
    """No vector can be had for this text; the cache counts it as a miss."""


class TooLong(EmbeddingError):  # noqa: N818  (it says what the text is)
    """The text is longer than what is embedded. It is never cut: half a text is another text."""


class Embedder(Protocol):
    """A text to its vector."""

    async def __call__(self, text: str) -> "Vector":
        """Unit vector of `text`: float32, shape (dimensions,). Raises EmbeddingError."""


class OwnEmbedder(Embedder, Protocol):
    """An embedder that a policy names."""

    @property
    def identity(self) -> str:
        """What its vectors depend on besides the text: vectors of two identities are never compared. Known once it
        has given a vector."""

    def close(self) -> None:
        """Lets go of threads and calls; whoever waits gets an EmbeddingError."""


def checked(vector: "Vector", width: int = WIDTH) -> "Vector":
    """`vector`, of shape (width,), at unit length, if it can be trusted.

    Raises EmbeddingError for a wrong shape, NaN, infinity or zero.
    """
    import numpy as np

    vector = np.asarray(vector, np.float32)
    if vector.shape != (width,):
        raise EmbeddingError(f"the embedder gave shape {vector.shape}, not ({width},)")
    with np.errstate(over="ignore", invalid="ignore"):
        length = float(np.sqrt(np.dot(vector, vector)))
    if not 1e-6 < length < 1e6:  # NaN compares false
        raise EmbeddingError("the embedder gave a vector without direction (zero, infinite or NaN)")
    return vector if abs(length - 1.0) < 1e-4 else vector / np.float32(length)


def filled(vector: "Vector", width: int) -> bytes:
    """A unit vector as a store of `width` dimensions keeps it: little-endian float32, zeros at the end.

    Zeros change no cosine, so vectors of any embedder that is not wider fit. Raises ValueError for a wider one.
    """
    if len(vector) > width:
        raise ValueError(f"a vector of {len(vector)} dimensions does not fit a store of {width}")
    return vector.astype("<f4").tobytes() + bytes(4 * (width - len(vector)))
