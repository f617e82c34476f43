"""A shard in which a large scope is searched by codes (see SignCodes) instead of being scanned by the engine.

The codes lie in memory alone and are made from the shard: nothing of them can be damaged on disk, and until they are
made, as after a start, the scope is scanned. What they name is read as every record is: checksum, scope and life are
checked, and the cosine is that of the stored vector. So codes can miss a neighbour and never make one.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sluice_sidecar.cache.embed import WIDTH
from sluice_sidecar.cache.stores.points import array, ident_of
from sluice_sidecar.cache.stores.shard import Found, Shard
from sluice_sidecar.cache.stores.sign_codes import SignCodes
from sluice_sidecar.cache.stores.store import Record, StoreError

if TYPE_CHECKING:
    from qdrant_edge import EdgeShard

LARGE = 4_096
"""Entries from which a scope has codes. Fewer are scanned in less than a millisecond."""

MOST = 2_000_000
"""Codes of all scopes together, about 1.4 GB; beyond, the scope that was least recently asked in loses its own."""

SPARE = 2
"""Records read beyond those asked for: eight bits put records of all but equal cosine in another order."""

PAGE = 50
"""Vectors read in one step; it holds the interpreter for about 2 ms."""

NOTED = 1_000
"""Scopes that are remembered until it is looked how large they are."""


@dataclass
class _Scope:
    codes: SignCodes
    after: Any = None
    """Where the next page begins."""
    whole: bool = False


class IndexedShard(Shard):
    """See Shard. Whoever holds it calls `grow` until there is nothing to do."""

    def __init__(self, shard: "EdgeShard", width: int = WIDTH) -> None:
        super().__init__(shard, width)
        self.large, self.most = LARGE, MOST
        self._scopes: OrderedDict[str, _Scope] = OrderedDict()
        self._asked: dict[str, None] = {}
        self._scanned: set[str] = set()

    def nearest(self, scope: str, vector: bytes, least: float, limit: int, now: float) -> tuple[Found, list[str]]:
        """See Shard."""
        known = self._scopes.get(scope)
        if known is None and len(self._asked) < NOTED and scope not in self._scanned:
            self._asked[scope] = None
        if known is None or not known.whole:
            return super().nearest(scope, vector, least, limit, now)
        self._scopes.move_to_end(scope)
        sought = array(vector)
        near = known.codes.nearest(sought, limit + SPARE, now)
        found, damaged = self.living([ident_of(key) for key in near], scope, now)
        scored = [(float(sought @ array(own)), data) for _, data, own in found.values() if own is not None]
        scored = sorted((one for one in scored if one[0] >= least), key=itemgetter(0), reverse=True)
        return scored[:limit], damaged

    def put(self, record: Record) -> None:
        """See Shard."""
        super().put(record)
        known = None if record.vector is None else self._scopes.get(record.scope)
        for one in self._scopes.values():
            if one is not known:
                one.codes.remove(record.key)
        if known is not None and record.vector is not None:
            known.codes.add([record.key], [float(int(record.expires))], array(record.vector).reshape(1, -1))

    def delete(self, idents: Sequence[str]) -> None:
        """See Shard."""
        super().delete(idents)
        for key in (ident.replace("-", "") for ident in idents):
            for one in self._scopes.values():
                one.codes.remove(key)

    # Making codes

    @property
    def growing(self) -> bool:
        """Whether `grow` may have something to do."""
        return bool(self._asked) or not all(one.whole for one in self._scopes.values())

    def grow(self) -> bool:
        """One step of about 2 ms towards codes for every large scope that was asked in; whether there was one."""
        growing = next(((scope, one) for scope, one in self._scopes.items() if not one.whole), None)
        if growing is not None:
            self._read(*growing)
            return True
        while self._asked:
            scope = next(iter(self._asked))
            del self._asked[scope]
            if self.about(scope) >= self.large:
                self._scopes[scope] = _Scope(SignCodes(self.width))
                return True
        return False

    def _read(self, scope: str, one: _Scope) -> None:
        try:
            keys, ends, vectors, one.after = self.vectors(scope, one.after, PAGE)
        except StoreError:  # a point that cannot be decoded: a scan passes it over
            del self._scopes[scope]
            self._scanned.add(scope)
            return
        if keys:
            one.codes.add(keys, ends, vectors)
        if one.after is not None:
            return
        one.whole = True
        while len(self._scopes) > 1 and self.coded > self.most:
            self._scopes.popitem(last=False)

    @property
    def coded(self) -> int:
        """Vectors that have a code."""
        return sum(len(one.codes) for one in self._scopes.values())
