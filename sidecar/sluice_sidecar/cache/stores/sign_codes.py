"""The neighbours of a vector among very many: by one bit a direction first, by eight bits those that remain.

A vector's code is the signs of its coordinates after a fixed random rotation; two vectors at angle t differ in about
t / pi of their bits (Charikar 2002, doi:10.1145/509907.509965, with a rotation in place of independent projections). To
look through 100,000 codes takes half a millisecond, where the vectors themselves take ten. The CANDIDATES whose codes
are nearest are put in order by their coordinates in eight bits, good to about 0.001 of a cosine.
"""

from array import array
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from sluice_sidecar.cache.embed import WIDTH

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]

STEP = 192
"""A code has whole groups of three 64-bit words; a vector of another width counts as filled up with zeros."""

CANDIDATES = 256
"""How many are put in order. Nearly all of the true ten nearest of 100,000 asks are among them: see docs/cache.md."""

FEW = 1024
"""Removed codes that are not worth a compaction."""

GONE = float("-inf")


@cache
def _rotation(width: int) -> "Floats":
    """Shape (width, bits of a code)."""
    import numpy as np

    bits = -(-width // STEP) * STEP
    random = np.random.default_rng(384).standard_normal((bits, bits))
    return np.ascontiguousarray(np.linalg.qr(random)[0][:width], np.float32)


def _turned(vectors: "Floats") -> "Floats":
    import numpy as np

    turned: Floats = np.einsum(
        "nd,de->ne", vectors, _rotation(vectors.shape[1])
    )  # not `@`: its threads wait for busy cores
    return turned


class SignCodes:
    """The codes of one scope's vectors with their records' keys and ends of life (unix seconds).

    About 700 bytes a vector of 384 dimensions.
    """

    def __init__(self, width: int = WIDTH) -> None:
        """`width`: dimensions of the vectors."""
        import numpy as np

        self._width, self._bits = width, -(-width // STEP) * STEP
        # A word of all codes lies together: a search reads six long rows, or more of a wider vector's.
        self._signs = np.empty((self._bits // 64, FEW), np.uint64)
        self._coordinates = np.empty((FEW, self._bits), np.int8)
        self._scales = np.empty(FEW, np.float32)
        self._ends = array("d")
        self._keys: list[str] = []
        self._places: dict[str, int] = {}
        self._dead = 0

    def __len__(self) -> int:
        return len(self._places)

    def add(self, keys: Sequence[str], ends: Sequence[float], vectors: "Floats") -> None:
        """Takes vectors (n, width), each in the place of what had its key; no key comes twice."""
        import numpy as np

        for key in keys:
            self.remove(key)
        start, stop = len(self._keys), len(self._keys) + len(keys)
        if stop > len(self._scales):
            self._widen(start, max(stop, 3 * start // 2))
        turned = _turned(vectors)
        scales = np.maximum(np.abs(turned).max(axis=1), 1e-9) / 127.0
        self._signs[:, start:stop] = np.packbits(turned > 0.0, axis=1).view(np.uint64).T
        self._coordinates[start:stop] = np.rint(turned / scales[:, None])
        self._scales[start:stop] = scales
        self._places.update(zip(keys, range(start, stop), strict=True))
        self._keys.extend(keys)
        self._ends.extend(ends)

    def _widen(self, count: int, room: int) -> None:
        import numpy as np

        signs, coordinates, scales = self._signs, self._coordinates, self._scales
        self._signs = np.empty((self._bits // 64, room), np.uint64)
        self._coordinates, self._scales = np.empty((room, self._bits), np.int8), np.empty(room, np.float32)
        self._signs[:, :count] = signs[:, :count]
        self._coordinates[:count], self._scales[:count] = coordinates[:count], scales[:count]

    def remove(self, key: str) -> None:
        """Forgets one; an unknown key is passed over. Compacts when half of them are forgotten."""
        place = self._places.pop(key, None)
        if place is None:
            return
        self._ends[place] = GONE
        self._dead += 1
        if self._dead > FEW and 2 * self._dead > len(self._keys):
            self._compact()

    def _compact(self) -> None:
        import numpy as np

        kept = sorted(self._places.values())
        self._signs, self._coordinates = np.ascontiguousarray(self._signs[:, kept]), self._coordinates[kept]
        self._scales = self._scales[kept]
        self._ends = array("d", [self._ends[place] for place in kept])
        self._keys = [self._keys[place] for place in kept]
        self._places = {key: place for place, key in enumerate(self._keys)}
        self._dead = 0

    def nearest(self, vector: "Floats", limit: int, now: float, most: int = CANDIDATES) -> list[str]:
        """Keys of up to `limit` records that live at `now`, about best first, from the `most` nearest codes."""
        import numpy as np

        turned = _turned(vector.reshape(1, self._width))
        sought = np.packbits(turned > 0.0, axis=1).view(np.uint64).T
        distances = np.zeros(len(self._keys), np.uint16)
        for words in zip(self._signs.reshape(-1, 3, len(self._scales)), sought.reshape(-1, 3), strict=True):
            distances += self._differing(*words)
        distances[np.frombuffer(self._ends) <= now] = self._bits + 1
        within = np.bincount(distances, minlength=self._bits + 2)[: self._bits + 1].cumsum()
        last = min(int(np.searchsorted(within, most)), self._bits)  # the distance at which there are enough
        nearer = np.flatnonzero(distances < last)
        # Of those that are equally far the newest.
        places = np.concatenate([nearer, np.flatnonzero(distances == last)[len(nearer) - most :]])
        cosines = np.einsum("nd,d->n", self._coordinates[places].astype(np.float32), turned[0]) * self._scales[places]
        best = places[np.argsort(-cosines)[:limit]]
        return [self._keys[place] for place in best.tolist()]

    def _differing(self, signs: "npt.NDArray[np.uint64]", sought: "npt.NDArray[np.uint64]") -> "npt.NDArray[np.uint8]":
        """In how many bits of these three words each code differs: word by word, so that what is made is soon read."""
        import numpy as np

        pairs = zip(signs[:, : len(self._keys)], sought, strict=True)
        first, second, third = (np.bitwise_count(row ^ word) for row, word in pairs)
        total: npt.NDArray[np.uint8] = first + second + third
        return total
