"""OpenAI's batches: https://platform.openai.com/docs/api-reference/batch"""

from functools import partial
from typing import Any

from sluice_sidecar.ask import Problem
from sluice_sidecar.batch.files import found as found_file
from sluice_sidecar.batch.files import page
from sluice_sidecar.batch.lines import first_model
from sluice_sidecar.batch.records import Batch, Kind
from sluice_sidecar.batch.request import Answer, Request, metadata, reused, shown
from sluice_sidecar.batch.store import OPEN, KeyReused
from sluice_sidecar.dialects.identifiers import new
from sluice_sidecar.dialects.registry import BY_PATH

PATH = "/v1/batches"
WINDOW = 86_400.0
"""Seconds of OpenAI's one completion window."""
ENDPOINTS = tuple(path for path, dialect in BY_PATH.items() if dialect.family == "openai")


async def answer(request: Request, rest: list[str]) -> Answer:
    """What is asked at PATH and the parts behind it. Raises Problem, CallerLeft."""
    match request.scope["method"], rest:
        case "POST", []:
            return shown(_object(await _create(request)))
        case "GET", []:
            return await _list(request)
        case "GET" | "HEAD", [id_]:
            return shown(_object(await found(request, "openai", id_)))
        case "POST", [id_, "cancel"]:
            return shown(_object(await cancel(request, "openai", id_)))
        case method, []:
            raise Problem(405, "method_not_allowed", f"Use GET or POST at {PATH}, not {method}.")
        case method, _:
            raise Problem(405, "method_not_allowed", f"{method} is not possible here: GET, or POST .../cancel.")


async def found(request: Request, kind: Kind, id_: str) -> Batch:
    """The caller's batch. Raises Problem(404)."""
    batch = await request.queue.store.batch(request.tenant, kind, id_)
    if batch is None:
        raise Problem(404, "batch_not_found", f"No batch found with id {id_[:80]!r}.", param="id")
    return batch


async def cancel(request: Request, kind: Kind, id_: str) -> Batch:
    """Ends what waits of a batch. Raises Problem(404), Problem(409) where it has ended."""
    batch = await found(request, kind, id_)
    if batch.status not in OPEN:
        raise Problem(409, "batch_not_cancellable", f"A batch that is {batch.status} cannot be cancelled.", param="id")
    await request.queue.store.cancel(batch.seq, request.queue.clock())
    request.queue.wake()
    return await found(request, kind, id_)


async def add(request: Request, raw: bytes, batch: Batch) -> Batch:
    """Takes a batch in, once: a repeated call with an idempotency key gets the first one's. Raises Problem(422)."""
    try:
        made = await request.queue.store.add_batch(batch, request.idempotency(raw))
    except KeyReused:
        raise reused() from None
    request.queue.wake()
    return made


def lifetime(request: Request) -> float:
    """Seconds after which a batch expires: the completion window, or the longest deadline where that is longer."""
    return max([WINDOW, *(window.deadline for window in request.serving.config.windows.values())])


async def _create(request: Request) -> Batch:
    raw, body = await request.json()
    endpoint, window, file = (body.get(name) for name in ("endpoint", "completion_window", "input_file_id"))
    if endpoint not in ENDPOINTS:
        message = f"endpoint: {str(endpoint)[:80]!r} is not served for batches: {', '.join(ENDPOINTS)}."
        raise Problem(400, "invalid_endpoint", message, param="endpoint")
    if window != "24h":
        message = "completion_window: 24h belongs here; the route's BatchWindow says when it should be done."
        raise Problem(400, "invalid_completion_window", message, param="completion_window")
    if not isinstance(file, str):
        raise Problem(400, "missing_required_parameter", "input_file_id: a text belongs here.", param="input_file_id")
    note: dict[str, Any] = {"metadata": metadata(body), "models": request.models(), "headers": request.passed()}
    input_ = await found_file(request, file)
    if input_.purpose != "batch":
        message = f"input_file_id: {file} has the purpose {input_.purpose}; upload one with the purpose batch."
        raise Problem(400, "invalid_purpose", message, param="input_file_id")
    note |= await request.webhook(partial(first_model, request.queue.path(file)), note["metadata"])
    await request.queue.check_backlog(request.tenant)
    request.queue.check_room(2 * input_.bytes)
    await request.queue.store.check_room(input_.bytes)
    now = request.queue.clock()
    batch = Batch(
        0, new("batch_"), request.tenant, "openai", str(endpoint), file, "validating", now, now + lifetime(request),
        request.urgency(), note=note,
    )  # fmt: skip
    return await add(request, raw, batch)


async def _list(request: Request) -> Answer:
    limit = request.limit(20, 100)
    some = await request.queue.store.batches(
        request.tenant, "openai", after=request.query("after"), before=None, limit=limit + 1
    )
    return shown(page([_object(batch) for batch in some], limit))


def _object(batch: Batch) -> dict[str, Any]:
    ended = {batch.status: batch.ended}
    errors = batch.note.get("errors")
    return {
        "id": batch.id, "object": "batch", "endpoint": batch.path,
        "errors": None if errors is None else {"object": "list", "data": errors},
        "input_file_id": batch.input, "completion_window": "24h", "status": batch.status,
        "output_file_id": batch.output, "error_file_id": batch.errors,
        "created_at": int(batch.created), "in_progress_at": _at(batch.begun), "expires_at": int(batch.expires),
        "finalizing_at": _at(batch.finalizing), "completed_at": _at(ended.get("completed")),
        "failed_at": _at(ended.get("failed")), "expired_at": _at(ended.get("expired")),
        "cancelling_at": _at(batch.cancelling), "cancelled_at": _at(ended.get("cancelled")),
        "request_counts": {"total": batch.total, "completed": batch.completed, "failed": batch.failed},
        "metadata": batch.note.get("metadata"),
    }  # fmt: skip


def _at(moment: float | None) -> int | None:
    return None if moment is None else int(moment)
