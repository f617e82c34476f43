"""Anthropic's Message Batches: https://docs.anthropic.com/en/api/creating-message-batches"""

import asyncio
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from sluice_sidecar.ask import Problem
from sluice_sidecar.batch import batches
from sluice_sidecar.batch.files import send_file
from sluice_sidecar.batch.lines import LINES
from sluice_sidecar.batch.records import Batch, File
from sluice_sidecar.batch.request import Answer, Request, shown
from sluice_sidecar.dialects.identifiers import new

MESSAGES = "/v1/messages"
PATH = "/v1/messages/batches"


async def answer(request: Request, rest: list[str]) -> Answer | None:
    """What is asked at PATH and the parts behind it. None: it is answered already. Raises Problem, CallerLeft."""
    match request.scope["method"], rest:
        case "POST", []:
            return shown(_object(request, await _create(request)))
        case "GET", []:
            return await _list(request)
        case "GET" | "HEAD", [id_]:
            return shown(_object(request, await batches.found(request, "anthropic", id_)))
        case "POST", [id_, "cancel"]:
            return shown(_object(request, await batches.cancel(request, "anthropic", id_)))
        case "GET", [id_, "results"]:
            return await _results(request, id_)
        case "DELETE", [id_]:
            batch = await batches.found(request, "anthropic", id_)
            if batch.ended is None:
                raise Problem(400, "batch_not_ended", "A batch can be deleted when it has ended: cancel it first.")
            await request.queue.store.remove_batch(batch.seq)
            return shown({"id": id_, "type": "message_batch_deleted"})
        case method, []:
            raise Problem(405, "method_not_allowed", f"Use GET or POST at {PATH}, not {method}.")
        case method, _:
            raise Problem(405, "method_not_allowed", f"{method} is not possible here: GET, DELETE, POST .../cancel.")


async def _create(request: Request) -> Batch:
    raw, body = await request.json()
    lines = _lines(body.get("requests"))
    note = {"count": len(lines), "models": request.models(), "headers": request.passed()}
    _check(request, body["requests"])
    note |= await request.webhook(lambda: body["requests"][0]["params"]["model"])
    await request.queue.check_backlog(request.tenant, len(lines))
    request.queue.check_room(2 * len(raw))
    await request.queue.store.check_room(len(raw))
    id_, now, limits = new("file-"), request.queue.clock(), request.queue.limits
    size = await asyncio.to_thread(_write, request.queue.coming(id_), lines)
    await request.queue.keep_file(
        File(id_, request.tenant, "batch_input", f"{id_}.jsonl", size, now, now + limits.kept)
    )
    batch = Batch(
        0, new("msgbatch_"), request.tenant, "anthropic", MESSAGES, id_, "validating", now,
        now + batches.lifetime(request), request.urgency(), note=note,
    )  # fmt: skip
    try:
        return await batches.add(request, raw, batch)
    finally:
        # Nobody's list shows it: it goes when the batch has ended. Not before the batch is there, else what tidies up
        # meanwhile takes a file that no batch reads yet.
        await request.queue.store.remove_file(request.tenant, id_)


def _check(request: Request, requests: list[dict[str, Any]]) -> None:
    """Raises Problem where a window takes none of these in now; a model that nobody knows is its request's result."""
    routes: set[str] = set()
    for model in {one["params"]["model"] for one in requests}:
        with suppress(Problem):
            routes.add(request.serving.find(model, request.key).route.name)
    for route in sorted(routes):
        request.in_time(route)


def _write(path: Path, lines: list[bytes]) -> int:
    with path.open("wb") as file:
        for line in lines:
            file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())
        return file.tell()


def _lines(requests: Any) -> list[bytes]:
    """The requests as lines of a file. Raises Problem(400) for the first that is none."""
    if not isinstance(requests, list) or not 0 < len(requests) <= LINES:
        raise _bad("requests", f"a list of 1 to {LINES} requests belongs here")
    seen: set[str] = set()
    lines = []
    for at, one in enumerate(requests):
        where = f"requests.{at}"
        if not isinstance(one, dict):
            raise _bad(where, "an object belongs here")
        custom_id, params = one.get("custom_id"), one.get("params")
        if not isinstance(custom_id, str) or not 0 < len(custom_id) <= 64:
            raise _bad(f"{where}.custom_id", "a text of 1 to 64 characters belongs here")
        if custom_id in seen:
            raise _bad(f"{where}.custom_id", f"{custom_id!r} comes again: each must be its own")
        if not isinstance(params, dict):
            raise _bad(f"{where}.params", "an object belongs here, as it would be sent")
        if not isinstance(params.get("model"), str) or not params["model"]:
            raise _bad(f"{where}.params.model", "the name of a model belongs here")
        seen.add(custom_id)
        try:
            lines.append(orjson.dumps({"custom_id": custom_id, "params": params}))
        except TypeError:  # orjson reads deeper than it writes
            raise _bad(f"{where}.params", "it is nested too deeply") from None
    return lines


def _bad(where: str, message: str) -> Problem:
    return Problem(400, "invalid_batch", f"{where}: {message}.", param=where)


async def _results(request: Request, id_: str) -> Answer | None:
    batch = await batches.found(request, "anthropic", id_)
    if batch.ended is None:
        raise Problem(404, "results_not_ready", f"Batch {id_} has not ended: there are no results yet.")
    file = None
    if batch.output is not None:
        file = await request.queue.store.file(request.tenant, batch.output)
    if file is None:
        raise Problem(404, "results_gone", f"The results of batch {id_} are not kept any more.")
    await send_file(request, file, b"application/x-jsonl")
    return None


async def _list(request: Request) -> Answer:
    limit, before = request.limit(20, 1000), request.query("before_id")
    some = await request.queue.store.batches(
        request.tenant, "anthropic", after=request.query("after_id"), before=before, limit=limit + 1
    )
    more = len(some) > limit
    some = some[-limit:] if before is not None else some[:limit]
    ends = {"first_id": some[0].id, "last_id": some[-1].id} if some else {"first_id": None, "last_id": None}
    return shown({"data": [_object(request, batch) for batch in some], "has_more": more, **ends})


def _object(request: Request, batch: Batch) -> dict[str, Any]:
    ended = batch.ended is not None
    total = batch.total or batch.note["count"]
    counts = {
        "succeeded": batch.completed, "errored": batch.failed, "canceled": batch.cancelled, "expired": batch.expired
    }  # fmt: skip
    scheme = request.scope.get("scheme", "http")
    host = request.headers.get(b"host", b"localhost").decode("latin-1")
    return {
        "id": batch.id, "type": "message_batch",
        "processing_status": "ended" if ended else "canceling" if batch.cancelling else "in_progress",
        "request_counts": {"processing": 0 if ended else total - sum(counts.values()), **counts},
        "created_at": _at(batch.created), "expires_at": _at(batch.expires), "ended_at": _at(batch.ended),
        "archived_at": None, "cancel_initiated_at": _at(batch.cancelling),
        "results_url": f"{scheme}://{host}{PATH}/{batch.id}/results" if ended else None,
    }  # fmt: skip


def _at(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")
