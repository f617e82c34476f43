"""One open shard of the engine, in the cache's words. Every method raises StoreError for whatever the engine raises."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sluice_sidecar.cache.embed import WIDTH
from sluice_sidecar.cache.stores.points import VECTOR, array, ident_of, point_of, verified
from sluice_sidecar.cache.stores.store import Record, StoreError

if TYPE_CHECKING:
    from qdrant_edge import EdgeShard, Filter

T = TypeVar("T")

BATCH = 200
"""Points changed by one update: it holds the interpreter for about 5 ms."""

Found = list[tuple[float, bytes]]


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

    def __init__(self, shard: "EdgeShard") -> None:
        self._shard = shard

    @classmethod
    def opened(cls, path: Path, *, exists: bool) -> "Shard":
        """The shard in that folder, made where there is none."""
        return cls(engine(_load if exists else _create, str(path)))

    def get(self, ident: str) -> tuple[dict[str, Any], bytes] | None:
        """(labels, data) of one point; None where there is none. Raises StoreError when it is damaged."""
        found = engine(self._shard.retrieve, [ident], True, True)
        if not found:
            return None
        payload = found[0].payload or {}
        data = verified(ident, payload, found[0].vector)
        if data is None:
            raise StoreError(f"the record {ident} fails its checksum")
        return payload, data

    def nearest(self, scope: str, vector: bytes, least: float, limit: int, now: float) -> tuple[Found, list[str]]:
        """((cosine, data), best first; ids of damaged points), as Store.nearest."""
        import qdrant_edge as edge

        # "not ended" is 2.5 times as fast as "still alive" where most are: the engine only looks up the ended ones.
        ended = edge.FieldCondition("expires", range=edge.RangeFloat(lte=now))
        request = edge.QueryRequest(
            query=edge.Query.Nearest(array(vector), using=VECTOR), limit=limit, score_threshold=least,
            filter=edge.Filter(must=[_is("scope", scope)], must_not=[ended]), with_payload=False, with_vector=False,
        )  # fmt: skip
        neighbours, damaged = [], []
        for point in engine(self._shard.query, request):
            # One by one: a point that cannot be decoded must not hide the others.
            try:
                found = self.get(str(point.id))
            except StoreError:
                damaged.append(str(point.id))
                continue
            if found is not None and found[0]["scope"] == scope and found[0]["expires"] > now:
                neighbours.append((float(point.score), found[1]))
        return neighbours, damaged

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

    def by_policy(self) -> dict[str, int]:
        """Records of each policy."""
        import qdrant_edge as edge

        found = engine(self._shard.facet, edge.FacetRequest("policy", limit=100_000, exact=True))
        return {str(hit.value): int(hit.count) for hit in found.hits}

    def oldest(self, policy: str, count: int) -> list[str]:
        """Ids of up to BATCH of a policy's records, the least recently used first."""
        import qdrant_edge as edge

        request = edge.ScrollRequest(
            limit=min(count, BATCH), filter=edge.Filter(must=[_is("policy", policy)]), with_payload=False,
            with_vector=False, order_by=edge.OrderBy("used", edge.Direction.Asc),
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


def _is(label: str, value: str) -> Any:
    import qdrant_edge as edge

    return edge.FieldCondition(label, match=edge.MatchValue(value))


def _load(path: str) -> "EdgeShard":
    import qdrant_edge as edge

    shard = edge.EdgeShard.load(path)
    shard.optimize()
    return shard


def _create(path: str) -> "EdgeShard":
    import qdrant_edge as edge

    shard = edge.EdgeShard.create(
        path,
        edge.EdgeConfig(
            vectors={VECTOR: edge.EdgeVectorParams(size=WIDTH, distance=edge.Distance.Dot)},
            # Never HNSW: building it would stop the whole process for seconds, and a scope is scanned in 0.1 ms.
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
