"""Vectors in memory, one flat Faiss index a scope: a search is exact and never sees another scope."""

from array import array
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from sluice_sidecar.cache.embed import WIDTH
from sluice_sidecar.cache.stores.store import StoreError

FEW = 64
"""Deleted vectors that are not worth a compaction."""

GONE = float("-inf")


def engine() -> Any:
    """The Faiss library. Raises StoreError where it is not installed."""
    try:
        return import_module("faiss")
    except ImportError as error:
        raise StoreError(f"Faiss is not installed ({error}): pip install 'sluice-llm[faiss]'") from None


class Scope:
    """The vectors of one scope by position; a deleted one is passed over until the index is compacted."""

    def __init__(self, width: int) -> None:
        self._index = engine().IndexFlatIP(width)
        self._idents, self._ends = array("q"), array("d")
        self._places: dict[int, int] = {}
        self._dead = 0

    def __len__(self) -> int:
        return len(self._places)

    def add(self, idents: list[int], ends: list[float], vectors: Any) -> None:
        """Vectors (n, width) of records with these numbers and ends of life."""
        for place, ident in enumerate(idents, len(self._idents)):
            self._places[ident] = place
        self._idents.extend(idents)
        self._ends.extend(ends)
        self._index.add(vectors)

    def remove(self, ident: int) -> None:
        """Forgets one; an unknown number is passed over. Compacts when most of it is forgotten."""
        place = self._places.pop(ident, None)
        if place is None:
            return
        self._ends[place] = GONE
        self._dead += 1
        if self._dead > FEW and 2 * self._dead > len(self._ends):
            self._compact()

    def _compact(self) -> None:
        import numpy as np

        kept = sorted(self._places.values())
        vectors = self._index.reconstruct_n(0, len(self._ends))[np.array(kept, int)]
        idents, ends = [self._idents[place] for place in kept], [self._ends[place] for place in kept]
        self._index.reset()
        self._idents, self._ends, self._places, self._dead = array("q"), array("d"), {}, 0
        self.add(idents, ends, vectors)

    def nearest(self, vector: Any, limit: int, now: float) -> list[tuple[float, int]]:
        """(cosine, number) of up to `limit` records that live at `now`, best first."""
        import numpy as np

        # A search is shorter than waking threads, and others need the cores; each thread has its own setting.
        engine().omp_set_num_threads(1)
        alive = np.frombuffer(self._ends, float) > now
        parameters = None
        if not alive.all():
            chosen = engine().IDSelectorBitmap(np.packbits(alive, bitorder="little"))
            parameters = engine().SearchParameters(sel=chosen)
        scores, places = self._index.search(vector, min(limit, len(alive)), params=parameters)
        found = zip(scores[0].tolist(), places[0].tolist(), strict=True)
        return [(score, self._idents[place]) for score, place in found if place >= 0]


class Scopes:
    """Every scope's vectors. Raises StoreError where Faiss is not installed or a vector has another length."""

    def __init__(self, stored: Iterable[tuple[int, str, float, bytes]] = (), width: int = WIDTH) -> None:
        """`stored`: number, scope, end of life and vector of records; `width`: dimensions of a vector."""
        engine()
        self._width = width
        self._scopes: dict[str, Scope] = {}
        grouped: dict[str, list[tuple[int, float, bytes]]] = {}
        for ident, scope, end, vector in stored:
            if len(vector) == 4 * width:
                grouped.setdefault(scope, []).append((ident, end, vector))
        for scope, records in grouped.items():
            idents, ends, vectors = zip(*records, strict=True)
            found = self._scopes[scope] = Scope(width)
            found.add(list(idents), list(ends), self._matrix(b"".join(vectors)))

    def add(self, scope: str, ident: int, end: float, vector: bytes) -> None:
        """One vector of a record."""
        found = self._scopes.get(scope)
        if found is None:
            found = self._scopes[scope] = Scope(self._width)
        found.add([ident], [end], self._matrix(vector))

    def remove(self, scope: str, ident: int) -> None:
        """Forgets one; what is not there is passed over."""
        found = self._scopes.get(scope)
        if found is not None:
            found.remove(ident)
            if not len(found):
                del self._scopes[scope]

    def nearest(self, scope: str, vector: bytes, limit: int, now: float) -> list[tuple[float, int]]:
        """See Scope."""
        found = self._scopes.get(scope)
        return [] if found is None else found.nearest(self._matrix(vector), limit, now)

    def _matrix(self, vectors: bytes) -> Any:
        import numpy as np

        if len(vectors) % (4 * self._width) or not vectors:
            raise StoreError(f"a vector has {self._width} dimensions here, not {len(vectors) / 4:g}")
        return np.frombuffer(vectors, "<f4").reshape(-1, self._width)
