"""One deferred request: `Prefer: respond-async` (RFC 7240) at any endpoint, and what became of it."""

import re
from collections.abc import Callable
from typing import Any

from sluice_sidecar.ask import Problem
from sluice_sidecar.batch import lines
from sluice_sidecar.batch.batches import cancel, found, lifetime
from sluice_sidecar.batch.notifier import Notifier
from sluice_sidecar.batch.outlook import Outlook
from sluice_sidecar.batch.prefix import prefix_key
from sluice_sidecar.batch.records import Batch, Entry, State
from sluice_sidecar.batch.request import Answer, Request, reused, shown
from sluice_sidecar.batch.store import KeyReused
from sluice_sidecar.dialects.dialect import Dialect
from sluice_sidecar.dialects.identifiers import new
from sluice_sidecar.wire import JSON, Scope

PATH = "/v1/deferred"
LONGEST_WAIT = 300.0
"""Most seconds of one long poll."""

_ASYNC = re.compile(rb"(?:^|[,;\s])respond-async(?:$|[,;\s])", re.IGNORECASE)
_WAIT = re.compile(rb"(?:^|[,;\s])wait\s*=\s*([0-9]{1,6})", re.IGNORECASE)

_STATES = {
    State.QUEUED: "queued", State.WAITING: "queued", State.RUNNING: "running", State.DONE: "completed",
    State.FAILED: "failed", State.CANCELLED: "cancelled", State.EXPIRED: "expired",
}  # fmt: skip


def wanted(scope: Scope) -> bool:
    """Whether a caller would rather fetch the answer later than wait for it."""
    return any(name == b"prefer" and _ASYNC.search(value) for name, value in scope["headers"])


async def accept(request: Request, dialect: Dialect, in_time: Callable[[str], None]) -> Answer:
    """Takes a request in: 202, and where it will be answered. Raises Problem, also what `in_time` of its route raises,
    and CallerLeft."""
    raw, body = await request.json()
    ask = dialect.parse(raw, body)
    served = request.serving.find(ask.model, request.key)
    in_time(served.route.name)
    queue = request.queue
    await queue.store.check_room(2 * len(raw))
    now, key = queue.clock(), request.idempotency(raw)
    asked = lines.whole(body)
    note = {"models": request.models(), "headers": request.passed(), **(await request.webhook(lambda: ask.model))}
    batch = Batch(
        0, new("req_"), request.tenant, "single", request.scope["path"], "", "validating", now,
        now + lifetime(request), request.urgency(), note=note,
    )  # fmt: skip
    entry = Entry(0, "", 0, len(asked), served.route.name, prefix_key(body))

    try:
        made = await queue.store.accept(batch, asked, entry, queue.limits.backlog, key)
    except KeyReused:
        raise reused() from None
    queue.woken.set()
    headers = [*_location(made), (b"preference-applied", b"respond-async")]
    return shown(
        {"id": made.id, "object": "deferred", "status": "queued", "created_at": int(made.created)}, 202, headers
    )


async def answer(request: Request, rest: list[str], outlook: Outlook, notifier: Notifier) -> Answer:
    """What is asked at PATH and the parts behind it. Raises Problem."""
    match request.scope["method"], rest:
        case "GET" | "HEAD", [id_]:
            batch = await found(request, "single", id_)
            _, status = await _waited(request, batch, outlook, notifier)
            return shown(status)
        case "GET", [id_, "result"]:
            return await _result(request, await found(request, "single", id_), outlook, notifier)
        case "DELETE", [id_]:
            batch = await cancel(request, "single", id_)
            return shown((await _status(request, batch, outlook))[1])
        case method, _:
            raise Problem(405, "method_not_allowed", f"{method} is not possible here: GET, GET .../result or DELETE.")


async def _result(request: Request, batch: Batch, outlook: Outlook, notifier: Notifier) -> Answer:
    """The answer as it would have come at once; 202 and its status while there is none."""
    state, status = await _waited(request, batch, outlook, notifier)
    if state < State.DONE:
        return shown(status, 202, _location(batch))
    result = await request.queue.store.result(batch.seq)
    if result is None:
        raise Problem(410, f"request_{_STATES[state]}", f"This request was {_STATES[state]} before it was answered.")
    headers = [JSON, (b"x-sluice-request", result.request.encode("latin-1"))]
    return Answer(result.status, result.body, headers)


async def _waited(request: Request, batch: Batch, outlook: Outlook, notifier: Notifier) -> tuple[State, dict[str, Any]]:
    """State and status once the request has ended, or the seconds of `Prefer: wait` are over."""
    wait = _WAIT.search(request.headers.get(b"prefer", b""))
    until = request.queue.clock() + (min(float(wait[1]), LONGEST_WAIT) if wait else 0.0)
    while True:
        state, status = await _status(request, batch, outlook)
        left = until - request.queue.clock()
        if state >= State.DONE or left <= 0 or notifier.closed:
            return state, status
        await notifier.moved(batch.seq, left)


async def _status(request: Request, batch: Batch, outlook: Outlook) -> tuple[State, dict[str, Any]]:
    place = await request.queue.store.position(batch.seq)
    if place is None:
        raise Problem(404, "batch_not_found", f"The request {batch.id} is not kept any more.", param="id")
    state, route, ahead = place
    status: dict[str, Any] = {
        "id": batch.id, "object": "deferred", "status": _STATES[state], "created_at": int(batch.created),
        "expires_at": int(batch.expires),
    }  # fmt: skip
    if state in (State.QUEUED, State.WAITING):
        status |= {"position": ahead + 1, "estimated_seconds": outlook.seconds(route, ahead), **outlook.window(route)}
    elif state in (State.DONE, State.FAILED):
        status["result"] = f"{PATH}/{batch.id}/result"
    return state, status


def _location(batch: Batch) -> list[tuple[bytes, bytes]]:
    return [(b"location", f"{PATH}/{batch.id}".encode())]
