"""One open shard of the engine, in the cache's words. Every method raises StoreError for whatever the engine raises."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from sluice_sidecar.cache.embed import WIDTH
from sluice_sidecar.cache.stores.points import VECTOR, array, ident_of, point_of, vector_of, verified
from sluice_sidecar.cache.stores.store import Record, StoreError

if TYPE_CHECKING:
    from qdrant_edge import EdgeShard, Filter

T = TypeVar("T")

BATCH = 200
"""Points changed by one update: it holds the interpreter for about 5 ms."""

Found = list[tuple[float, bytes]]

Whole = tuple[dict[str, Any], bytes, bytes | None]
"""Labels, data and vector of a record that its checksum covers."""


def engine(call: Callable[..., T], *arguments: Any) -> T:
    """`call(*arguments)`; the engine's errors, panics included, become StoreError."""
    try:
        return call(*arguments)
    except (KeyboardInterrupt, SystemExit, asyncio.CancelledError, StoreError):
        raise
    except BaseException as error:  # the engine raises bare Exception, and its panics are not even that
        raise StoreError(f"{type(error).__name__}: {error}") from error


class Shard:
    """Points by id, by nearness and by label. Calls are synchronous; those that write hold the interpreter."""

    def __init__(self, shard: "EdgeShard", width: int = WIDTH) -> None:
        """`width`: dimensions of its vectors."""
        self._shard, self.width = shard, width

    @classmethod
    def opened(cls, path: Path, *, exists: bool, width: int = WIDTH) -> Self:
        """The shard in that folder, made where there is none."""
        return cls(engine(_load, str(path)) if exists else engine(_create, str(path), width), width)

    def get(self, ident: str) -> Whole | None:
        """One point; None where there is none. Raises StoreError when it is damaged."""
        found = engine(self._shard.retrieve, [ident], True, True)
        return _whole(ident, found[0]) if found else None

    def nearest(self, scope: str, vector: bytes, least: float, limit: int, now: float) -> tuple[Found, list[str]]:
        """((cosine, data), best first; ids of damaged points), as Store.nearest."""
        import qdrant_edge as edge

        # "not ended" is 2.5 times as fast as "still alive" where most are: the engine only looks up the ended ones.
        ended = edge.FieldCondition("expires", range=edge.RangeFloat(lte=now))
        request = edge.QueryRequest(
            query=edge.Query.Nearest(array(vector), using=VECTOR), limit=limit, score_threshold=least,
            filter=edge.Filter(must=[_is("scope", scope)], must_not=[ended]), with_payload=False, with_vector=False,
        )  # fmt: skip
        scores = {str(point.id): float(point.score) for point in engine(self._shard.query, request)}
        found, damaged = self.living(list(scores), scope, now)
        return [(scores[ident], whole[1]) for ident, whole in found.items()], damaged

    def living(self, idents: Sequence[str], scope: str, now: float) -> tuple[dict[str, Whole], list[str]]:
        """(of these points those of this scope that live, in that order; ids of damaged ones)."""
        try:
            points = {str(point.id): point for point in engine(self._shard.retrieve, list(idents), True, True)}
        except StoreError:
            points = {}  # one cannot be decoded, which must not hide the others
        found, damaged = {}, []
        for ident in idents:
            try:
                whole = _whole(ident, points[ident]) if points else self.get(ident)
            except KeyError:
                continue
            except StoreError:
                damaged.append(ident)
                continue
            if whole is not None and whole[0]["scope"] == scope and whole[0]["expires"] > now:
                found[ident] = whole
        return found, damaged

    def put(self, record: Record) -> None:
        """Writes one record in the place of its predecessor."""
        import qdrant_edge as edge

        engine(self._shard.update, edge.UpdateOperation.upsert_points([point_of(record)]))

    def delete(self, idents: Sequence[str]) -> None:
        """Deletes up to BATCH points."""
        import qdrant_edge as edge

        engine(self._shard.update, edge.UpdateOperation.delete_points(list(idents)))

    def touch(self, keys: Sequence[str], now: float) -> None:
        """Marks up to BATCH records as used; unknown keys are passed over."""
        import qdrant_edge as edge

        known = engine(self._shard.retrieve, [ident_of(key) for key in keys], False, False)
        if known:
            idents: list[Any] = [str(point.id) for point in known]
            engine(self._shard.update, edge.UpdateOperation.set_payload(idents, {"used": int(now)}))

    def count(self, policy: str) -> int:
        """Records of one policy."""
        import qdrant_edge as edge

        return engine(self._shard.count, edge.CountRequest(filter=edge.Filter(must=[_is("policy", policy)])))

    def about(self, scope: str) -> int:
        """Records of one scope, by the engine's estimate; about 1 us."""
        import qdrant_edge as edge

        request = edge.CountRequest(exact=False, filter=edge.Filter(must=[_is("scope", scope)]))
        return engine(self._shard.count, request)

    def by_policy(self) -> dict[str, int]:
        """Records of each policy."""
        import qdrant_edge as edge

        found = engine(self._shard.facet, edge.FacetRequest("policy", limit=100_000, exact=True))
        return {str(hit.value): int(hit.count) for hit in found.hits}

    def by_tenant(self, policy: str) -> dict[str, int]:
        """Records of a policy that each tenant filled."""
        import qdrant_edge as edge

        chosen = edge.Filter(must=[_is("policy", policy)])
        found = engine(self._shard.facet, edge.FacetRequest("tenant", limit=100_000, exact=True, filter=chosen))
        return {str(hit.value): int(hit.count) for hit in found.hits}

    def oldest(self, policy: str, tenant: str, count: int) -> list[str]:
        """Ids of up to BATCH of a tenant's records in a policy, the least recently used first."""
        import qdrant_edge as edge

        chosen = edge.Filter(must=[_is("policy", policy), _is("tenant", tenant)])
        request = edge.ScrollRequest(
            limit=min(count, BATCH), filter=chosen, with_payload=False, with_vector=False,
            order_by=edge.OrderBy("used", edge.Direction.Asc),
        )  # fmt: skip
        return [str(point.id) for point in engine(self._shard.scroll, request)[0]]

    def ended(self, now: float) -> list[tuple[str, str]]:
        """(id, policy) of up to BATCH records that `until` has ended."""
        import qdrant_edge as edge

        chosen = edge.Filter(must=[edge.FieldCondition("until", range=edge.RangeFloat(lte=now))])
        return [(str(point.id), str((point.payload or {}).get("policy"))) for point in self._some(chosen, ["policy"])]

    def matching(self, policy: str | None, tenant: str | None, key: str | None) -> list[str]:
        """Ids of up to BATCH records that match all that is given."""
        import qdrant_edge as edge

        conditions: list[Any] = [
            _is(label, value) for label, value in (("policy", policy), ("tenant", tenant)) if value is not None
        ]
        if key is not None:
            conditions.append(edge.HasIdCondition({ident_of(key)}))
        return [str(point.id) for point in self._some(edge.Filter(must=conditions), False)]

    def page(self, policy: str, after: Any) -> tuple[list[bytes], Any]:
        """Data of up to BATCH of a policy's records, and where the next page begins: `after` it; None: at the start,
        or no more. Damaged ones are passed over."""
        import qdrant_edge as edge

        request = edge.ScrollRequest(
            offset=after, limit=BATCH, filter=edge.Filter(must=[_is("policy", policy)]), with_payload=True,
            with_vector=True,
        )  # fmt: skip
        points, following = engine(self._shard.scroll, request)
        found = (verified(str(point.id), point.payload or {}, point.vector) for point in points)
        return [data for data, _ in filter(None, found)], following

    def vectors(self, scope: str, after: Any, most: int) -> tuple[list[str], list[float], Any, Any]:
        """Keys, ends of life and vectors (n, width) of `most` of a scope's records, and where the next page begins, as
        `page` has it. Records without a vector are passed over."""
        import qdrant_edge as edge

        request = edge.ScrollRequest(
            offset=after, limit=most, filter=edge.Filter(must=[_is("scope", scope)]), with_payload=["expires"],
            with_vector=True,
        )  # fmt: skip
        points, following = engine(self._shard.scroll, request)
        keys, ends, rows = [], [], []
        for point in points:
            vector, expires = engine(vector_of, point.vector), (point.payload or {}).get("expires")
            if vector is not None and len(vector) == 4 * self.width and isinstance(expires, int | float):
                keys.append(str(point.id).replace("-", ""))
                ends.append(float(expires))
                rows.append(vector)
        return keys, ends, array(b"".join(rows)).reshape(-1, self.width), following

    def _some(self, chosen: "Filter", labels: bool | list[str]) -> list[Any]:
        import qdrant_edge as edge

        request = edge.ScrollRequest(limit=BATCH, filter=chosen, with_payload=labels, with_vector=False)
        return list(engine(self._shard.scroll, request)[0])

    def flush(self) -> None:
        """Makes all of it durable; 1 to 200 ms."""
        engine(self._shard.flush)

    def vacuum(self) -> None:
        """Gives back the space of deleted points; about 10 us a point. Without HNSW that is all it does."""
        engine(self._shard.optimize)

    def close(self) -> None:
        """Lets go of the files."""
        engine(self._shard.close)


def _whole(ident: str, point: Any) -> Whole:
    payload = point.payload or {}
    found = verified(ident, payload, point.vector)
    if found is None:
        raise StoreError(f"the record {ident} fails its checksum")
    return payload, *found


def _is(label: str, value: str) -> Any:
    import qdrant_edge as edge

    return edge.FieldCondition(label, match=edge.MatchValue(value))


def _load(path: str) -> "EdgeShard":
    import qdrant_edge as edge

    shard = edge.EdgeShard.load(path)
    shard.optimize()
    return shard


def _create(path: str, width: int) -> "EdgeShard":
    import qdrant_edge as edge

    shard = edge.EdgeShard.create(
        path,
        edge.EdgeConfig(
            vectors={VECTOR: edge.EdgeVectorParams(size=width, distance=edge.Distance.Dot)},
            # Never HNSW: building it would stop the whole process for seconds (see IndexedShard for large scopes).
            optimizers=edge.EdgeOptimizersConfig(indexing_threshold=10**9),
            max_search_threads=1,
        ),
    )
    words, numbers = edge.KeywordIndexParams(), edge.IntegerIndexParams(range=True, lookup=False)
    shard.update(edge.UpdateOperation.create_field_index("scope", edge.KeywordIndexParams(is_tenant=True)))
    for label in ("tenant", "policy"):
        shard.update(edge.UpdateOperation.create_field_index(label, words))
    for label in ("expires", "until", "used"):
        shard.update(edge.UpdateOperation.create_field_index(label, numbers))
    shard.flush()
    return shard
