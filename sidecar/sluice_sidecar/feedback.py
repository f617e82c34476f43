"""`POST /v1/feedback`: a caller says that an answer from the cache was wrong."""

import time
from typing import TYPE_CHECKING

import orjson

from sluice_sidecar.ask import Problem
from sluice_sidecar.cache.stores.store import StoreError
from sluice_sidecar.callers import Callers
from sluice_sidecar.dialects.openai_chat import OPENAI_CHAT
from sluice_sidecar.wire import JSON, CallerLeft, Receive, Scope, Send, read_body, send_whole

if TYPE_CHECKING:
    from sluice_sidecar.cache.cache import Cache

PATH = "/v1/feedback"
BODY_BYTES = 4_096
USAGE = 'write {"request": "the x-sluice-request header of the answer", "correct": false}'


async def answer(cache: "Cache | None", callers: Callers, scope: Scope, receive: Receive, send: Send) -> None:
    """Takes one word. 200 {"known": whether it was about a hit of this caller's}; errors in OpenAI's shape."""
    try:
        if scope["method"] != "POST":
            raise Problem(405, "method_not_allowed", f"Use POST at {PATH}, not {scope['method']}.")
        caller, _ = callers.authenticate(dict(scope["headers"]), time.time())
        request, correct = _read(await read_body(scope, receive, BODY_BYTES))
        known = False
        if cache is not None and not correct:
            try:
                known = await cache.feedback(request, caller.tenant)
            except StoreError as error:
                message = f"The cache store cannot drop the answer now: {error}"
                raise Problem(503, "store_unavailable", message) from None
        await send_whole(send, 200, [JSON], orjson.dumps({"known": known}))
    except CallerLeft:
        return
    except Problem as problem:
        await send_whole(send, problem.status, [JSON], OPENAI_CHAT.error(problem))


def _read(raw: bytes) -> tuple[str, bool]:
    try:
        body = orjson.loads(raw)
    except ValueError:
        body = None
    request, correct = (body.get("request"), body.get("correct")) if isinstance(body, dict) else (None, None)
    if not isinstance(request, str) or not isinstance(correct, bool):
        raise Problem(400, "invalid_feedback", f"The body is not feedback: {USAGE}.")
    return request, correct
