"""What the data port answers besides asks: `/v1/models` in the shape of the caller's SDK, and what is not there."""

import difflib
import time
from typing import Any

import orjson

from sluice_sidecar.ask import Problem
from sluice_sidecar.callers import Key
from sluice_sidecar.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sluice_sidecar.dialects.openai_chat import OPENAI_CHAT
from sluice_sidecar.dialects.registry import BY_PATH
from sluice_sidecar.feedback import PATH as FEEDBACK
from sluice_sidecar.serving import Serving
from sluice_sidecar.wire import JSON, Scope, Send, send_whole

MODELS = "/v1/models"

CREATED = 1_767_225_600
"""Creation time shown for every name, unix seconds: names of routes have none, and SDKs want a number."""


async def answer(serving: Serving, scope: Scope, send: Send) -> None:
    """The list of models, one of them, or the error for a path or method that does not exist."""
    headers = dict(scope["headers"])
    anthropic = b"anthropic-version" in headers or scope["path"].startswith(ANTHROPIC_MESSAGES.path, 3)
    try:
        _, key = serving.callers.authenticate(headers, time.time())
        body = _found(serving, scope["method"], scope["path"], key, anthropic=anthropic)
        await send_whole(send, 200, [JSON], b"" if scope["method"] == "HEAD" else body)
    except Problem as problem:
        dialect = ANTHROPIC_MESSAGES if anthropic else OPENAI_CHAT
        await send_whole(send, problem.status, [JSON], dialect.error(problem))


def _found(serving: Serving, method: str, path: str, key: Key | None, *, anthropic: bool) -> bytes:
    if path in BY_PATH:
        raise Problem(405, "method_not_allowed", f"Use POST at {path}, not {method}.")
    if path != MODELS and not path.startswith(MODELS + "/"):
        raise _unknown(path)
    if method not in ("GET", "HEAD"):
        raise Problem(405, "method_not_allowed", f"Use GET at {path}, not {method}.")
    if path == MODELS:
        return listing(serving, key, anthropic=anthropic)
    return single(serving, path.removeprefix(MODELS + "/"), key, anthropic=anthropic)


def _unknown(path: str) -> Problem:
    known = {version + one.removeprefix("/v1"): one for one in [*BY_PATH, MODELS] for version in ("/v1", "")}
    near = difflib.get_close_matches(path, known, 1, 0.8)
    hint = f"Did you mean {known[near[0]]}?" if near else f"Known: {', '.join([*BY_PATH, MODELS, FEEDBACK])}."
    return Problem(404, "unknown_path", f"There is nothing at {path[:120]!r}. {hint}")


def listing(serving: Serving, key: Key | None, *, anthropic: bool) -> bytes:
    """All names."""
    names = serving.names(key)
    data = [_model(name, anthropic=anthropic) for name in names]
    if not anthropic:
        return orjson.dumps({"object": "list", "data": data})
    ends = {"first_id": names[0], "last_id": names[-1]} if names else {"first_id": None, "last_id": None}
    return orjson.dumps({"data": data, "has_more": False, **ends})


def single(serving: Serving, name: str, key: Key | None, *, anthropic: bool) -> bytes:
    """One name; raises Problem(404)."""
    serving.find(name, key)
    return orjson.dumps(_model(name, anthropic=anthropic))


def _model(name: str, *, anthropic: bool) -> dict[str, Any]:
    if anthropic:
        return {"type": "model", "id": name, "display_name": name, "created_at": "2026-01-01T00:00:00Z"}
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "sluice"}
