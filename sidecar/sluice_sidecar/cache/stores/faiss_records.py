"""The Faiss store's file and its vectors in memory, kept alike."""

from collections.abc import Sequence
from contextlib import suppress

from sluice_sidecar.cache.embed import WIDTH
from sluice_sidecar.cache.stores.faiss_rows import Damaged, Place, Rows
from sluice_sidecar.cache.stores.faiss_scopes import Scopes
from sluice_sidecar.cache.stores.folder import Folder
from sluice_sidecar.cache.stores.store import Record, StoreError

Found = list[tuple[float, bytes]]


class Records:
    """Open records. `rows` is for reading labels; what changes vectors goes through here. Raises as Rows does."""

    def __init__(self, rows: Rows, scopes: Scopes) -> None:
        self.rows, self.scopes = rows, scopes

    @classmethod
    def opened(cls, folder: Folder, width: int = WIDTH) -> "Records":
        """Those in that folder, with vectors of `width` dimensions, made where there are none.

        A damaged file is moved aside first. Raises StoreError.
        """
        Scopes()  # before a file is made: whether Faiss is there
        try:
            return cls._opened(folder, width)
        except Damaged as error:
            folder.set_aside(str(error))
            return cls._opened(folder, width)

    @classmethod
    def _opened(cls, folder: Folder, width: int) -> "Records":
        try:
            folder.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"the cache store's folder {folder.path} cannot be used: {error}") from error
        rows = Rows(folder.path / "records.sqlite")
        try:
            return cls(rows, Scopes(rows.vectors(), width))
        except StoreError:
            with suppress(StoreError):
                rows.close()
            raise

    def nearest(self, scope: str, vector: bytes, least: float, limit: int, now: float) -> tuple[Found, list[Place]]:
        """((cosine, data), best first; where damaged ones are), as Store.nearest."""
        found: Found = []
        damaged = []
        for cosine, ident in self.scopes.nearest(scope, vector, limit, now):
            if cosine < least:
                break
            try:
                record = self.rows.at(ident)
            except ValueError:
                damaged.append((ident, scope))
                continue
            if record is not None and record.scope == scope and record.expires > now:
                found.append((cosine, record.data))
        return found, damaged

    def put(self, record: Record) -> None:
        """Writes one record in the place of its predecessor."""
        ident, before = self.rows.put(record)
        if before is not None:
            self.scopes.remove(before[1], before[0])
        if record.vector is not None:
            self.scopes.add(record.scope, ident, float(int(record.expires)), record.vector)

    def delete(self, places: Sequence[Place]) -> None:
        """Deletes records."""
        self.rows.delete([ident for ident, _ in places])
        for ident, scope in places:
            self.scopes.remove(scope, ident)
