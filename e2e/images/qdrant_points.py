"""What the stand-in for a Qdrant server does with points: each request of the REST API, on the embedded engine."""

from collections.abc import Callable
from typing import Any, TypeVar

import qdrant_edge as edge
from pydantic import BaseModel, ValidationError
from qdrant_client.http import models

M = TypeVar("M", bound=BaseModel)


class Refused(Exception):  # noqa: N818  (it says what happened to the request)
    """An answer other than 200."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


DONE = {"operation_id": 0, "status": "completed"}


def parsed(model: type[M], body: bytes) -> M:
    """The request as the official model sees it. Raises Refused(400)."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise Refused(400, f"Format error in JSON body: {error}") from None


def chosen(asked: models.Filter | None) -> edge.Filter:
    """The engine's filter; must and must_not with matches, ranges and ids. Raises Refused for more."""
    if asked is None:
        return edge.Filter()
    if asked.should or asked.min_should:
        raise Refused(400, "the stand-in knows must and must_not only")
    return edge.Filter(must=_conditions(asked.must), must_not=_conditions(asked.must_not))


def _conditions(asked: Any) -> list[Any]:
    found: list[Any] = []
    for one in asked if isinstance(asked, list) else [] if asked is None else [asked]:
        if isinstance(one, models.HasIdCondition):
            found.append(edge.HasIdCondition({str(ident) for ident in one.has_id}))
        elif isinstance(one, models.FieldCondition) and isinstance(one.match, models.MatchValue):
            found.append(edge.FieldCondition(one.key, match=edge.MatchValue(one.match.value)))
        elif isinstance(one, models.FieldCondition) and isinstance(one.range, models.Range):
            found.append(edge.FieldCondition(one.key, range=edge.RangeFloat(**one.range.model_dump())))
        else:
            raise Refused(400, f"the stand-in does not know the condition {one!r}")
    return found


def _retrieve(shard: edge.EdgeShard, body: bytes) -> Any:
    asked = parsed(models.PointRequest, body)
    with_payload: Any = asked.with_payload if asked.with_payload is not None else True
    points = shard.retrieve([str(ident) for ident in asked.ids], with_payload, bool(asked.with_vector))
    return [_shown(point) for point in points]


def _query(shard: edge.EdgeShard, body: bytes) -> Any:
    asked = parsed(models.QueryRequest, body)
    if not isinstance(asked.query, list):
        raise Refused(400, "the stand-in knows queries by vector only")
    request = edge.QueryRequest(
        query=edge.Query.Nearest(asked.query, using=asked.using), filter=chosen(asked.filter),
        limit=asked.limit or 10, score_threshold=asked.score_threshold, with_payload=bool(asked.with_payload),
        with_vector=False,
    )  # fmt: skip
    return {"points": [{**_shown(point), "score": point.score} for point in shard.query(request)]}


def _upsert(shard: edge.EdgeShard, body: bytes) -> Any:
    asked = parsed(models.PointsList, body)
    points = [edge.Point(str(one.id), _vectors(one.vector), one.payload) for one in asked.points]
    shard.update(edge.UpdateOperation.upsert_points(points))
    return DONE


def _vectors(given: Any) -> Any:
    if not isinstance(given, dict):
        raise Refused(400, "the stand-in knows named vectors only")
    return given


def _delete(shard: edge.EdgeShard, body: bytes) -> Any:
    asked = parsed(models.FilterSelector, body)
    idents = [str(point.id) for point in _scrolled(shard, chosen(asked.filter), 10_000_000)]
    shard.update(edge.UpdateOperation.delete_points(list(idents)))
    return DONE


def _mark(shard: edge.EdgeShard, body: bytes) -> Any:
    asked = parsed(models.SetPayload, body)
    idents: list[Any] = [str(ident) for ident in asked.points or []]
    shard.update(edge.UpdateOperation.set_payload(idents, asked.payload))
    return DONE


def _count(shard: edge.EdgeShard, body: bytes) -> Any:
    asked = parsed(models.CountRequest, body)
    return {"count": shard.count(edge.CountRequest(filter=chosen(asked.filter), exact=True))}


def _facet(shard: edge.EdgeShard, body: bytes) -> Any:
    asked = parsed(models.FacetRequest, body)
    where = chosen(asked.filter)
    found = shard.facet(edge.FacetRequest(asked.key, limit=asked.limit or 10, exact=bool(asked.exact), filter=where))
    return {"hits": [{"value": hit.value, "count": hit.count} for hit in found.hits]}


def _scroll(shard: edge.EdgeShard, body: bytes) -> Any:
    asked = parsed(models.ScrollRequest, body)
    order = None
    if isinstance(asked.order_by, models.OrderBy):
        order = edge.OrderBy(asked.order_by.key, edge.Direction.Asc)
    return {"points": [_shown(one) for one in _scrolled(shard, chosen(asked.filter), asked.limit or 10, order)]}


def _scrolled(shard: edge.EdgeShard, where: edge.Filter, limit: int, order: edge.OrderBy | None = None) -> list[Any]:
    request = edge.ScrollRequest(limit=limit, filter=where, with_payload=False, with_vector=False, order_by=order)
    return list(shard.scroll(request)[0])


def _shown(point: Any) -> dict[str, Any]:
    return {"id": str(point.id), "payload": point.payload, "version": 0}


HANDLERS: dict[tuple[str, str], Callable[[edge.EdgeShard, bytes], Any]] = {
    ("POST", "/points"): _retrieve,
    ("PUT", "/points"): _upsert,
    ("POST", "/points/query"): _query,
    ("POST", "/points/delete"): _delete,
    ("POST", "/points/payload"): _mark,
    ("POST", "/points/count"): _count,
    ("POST", "/points/scroll"): _scroll,
    ("POST", "/facet"): _facet,
}
