"""Answers in OpenAI's and Anthropic's wire shapes, written by hand from the providers' references, not by Sluice."""

import itertools
import re
from dataclasses import dataclass
from typing import Any

import orjson

from doubles.scripted import Request

_numbers = itertools.count(1)
_ANTHROPIC_FINISH = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
_ANTHROPIC_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
Parts = tuple[list[bytes], list[bytes], list[bytes]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says; `usage` is prompt, of these cached, completion."""

    pieces: tuple[str, ...] = ()
    tool: tuple[str, str] | None = None
    finish: str = "stop"
    usage: tuple[int, int, int] = (12, 0, 7)
    logprobs: tuple[float, ...] | None = None


def words(said: str) -> tuple[str, ...]:
    """A text's words, each with the space before it."""
    return tuple(re.findall(r"\s*\S+|\s+$", said))


def is_anthropic(request: Request) -> bool:
    return request.path.endswith("/messages")


def data(value: Any) -> bytes:
    return b"data: " + orjson.dumps(value) + b"\n\n"


def error(request: Request, status: int, message: str) -> dict[str, Any]:
    """The provider's error body."""
    if is_anthropic(request):
        kind = _ANTHROPIC_ERRORS.get(status, "api_error")
        return {"type": "error", "error": {"type": kind, "message": message}}
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


def embeddings(body: dict[str, Any], dimensions: int) -> dict[str, Any]:
    given = body["input"]
    inputs = given if isinstance(given, list) and given and not isinstance(given[0], int) else [given]
    rows = []
    for index, one in enumerate(inputs):
        seed = orjson.dumps(one)
        vector = [((sum(seed[at::dimensions]) % 97) + 1) / 100 for at in range(dimensions)]
        rows.append({"object": "embedding", "index": index, "embedding": vector})
    count = sum(len(orjson.dumps(one)) // 4 + 1 for one in inputs)
    usage = {"prompt_tokens": count, "total_tokens": count}
    return {"object": "list", "data": rows, "model": body["model"], "usage": usage}


def whole(request: Request, answer: Answer) -> dict[str, Any]:
    """The answer to a call that does not stream."""
    return _message(request, answer) if is_anthropic(request) else _completion(request, answer)


def frames(request: Request, answer: Answer) -> list[bytes]:
    """The answer as a stream's frames."""
    opening, middle, closing = parts(request, answer)
    return [*opening, *middle, *closing]


def parts(request: Request, answer: Answer) -> Parts:
    """The frames before the first piece, one frame a piece, the frames after the last."""
    return _message_events(request, answer) if is_anthropic(request) else _chunks(request, answer)


def _completion(request: Request, answer: Answer) -> dict[str, Any]:
    body = request.json
    message: dict[str, Any] = {"role": "assistant", "content": "".join(answer.pieces), "refusal": None}
    if answer.tool is not None:
        message["content"] = None
        message["tool_calls"] = [_tool(answer.tool[0], answer.tool[1])]
    logprobs = None
    if body.get("logprobs") and answer.logprobs is not None:
        tokens = zip(answer.pieces, answer.logprobs, strict=True)
        logprobs = {"content": [_token(*token) for token in tokens], "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": logprobs, "finish_reason": answer.finish}
    return {
        **_head(body, "chat.completion"),
        "choices": [choice],
        "usage": _usage(answer),
        "system_fingerprint": "fp_double",
    }


def _chunks(request: Request, answer: Answer) -> Parts:
    body = request.json
    wants = (body.get("stream_options") or {}).get("include_usage") is True
    head = {**_head(body, "chat.completion.chunk"), "system_fingerprint": "fp_double"}
    end: dict[str, Any] = {"usage": None} if wants else {}

    def chunk(delta: dict[str, Any], finish: str | None = None, logprobs: Any = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        return data({**head, "choices": [choice], **end})

    if answer.tool is not None:
        name, arguments = answer.tool
        opening = {"role": "assistant", "content": None, "tool_calls": [{"index": 0, **_tool(name, "")}]}
        middle = [
            chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}) for piece in _halves(arguments)
        ]
    else:
        opening = {"role": "assistant", "content": "", "refusal": None}
        values = answer.logprobs if body.get("logprobs") else None
        middle = [
            chunk(
                {"content": piece},
                logprobs=None if values is None else {"content": [_token(piece, values[at])], "refusal": None},
            )
            for at, piece in enumerate(answer.pieces)
        ]
    closing = [chunk({}, answer.finish)]
    if wants:
        closing.append(data({**head, "choices": [], "usage": _usage(answer)}))
    return [chunk(opening)], middle, [*closing, b"data: [DONE]\n\n"]


def _message(request: Request, answer: Answer) -> dict[str, Any]:
    content: list[dict[str, Any]] = [{"type": "text", "text": "".join(answer.pieces)}]
    if answer.tool is not None:
        name, arguments = answer.tool
        content = [
            {"type": "tool_use", "id": f"toolu_{next(_numbers):024}", "name": name, "input": orjson.loads(arguments)}
        ]
    return {
        "id": f"msg_01{next(_numbers):022}",
        "type": "message",
        "role": "assistant",
        "model": request.json["model"],
        "content": content,
        "stop_reason": _ANTHROPIC_FINISH.get(answer.finish, answer.finish),
        "stop_sequence": None,
        "usage": _message_usage(answer),
    }


def _message_events(request: Request, answer: Answer) -> Parts:
    message = _message(request, answer)
    (block,) = message["content"]
    start = {**message, "content": [], "stop_reason": None, "usage": {**message["usage"], "output_tokens": 1}}
    if answer.tool is None:
        empty = {**block, "text": ""}
        deltas = [{"type": "text_delta", "text": piece} for piece in answer.pieces]
    else:
        empty = {**block, "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in _halves(answer.tool[1])]
    opening = [
        _event({"type": "message_start", "message": start}),
        _event({"type": "content_block_start", "index": 0, "content_block": empty}),
        _event({"type": "ping"}),
    ]
    middle = [_event({"type": "content_block_delta", "index": 0, "delta": delta}) for delta in deltas]
    end = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    closing = [
        _event({"type": "content_block_stop", "index": 0}),
        _event({"type": "message_delta", "delta": end, "usage": {"output_tokens": answer.usage[2]}}),
        _event({"type": "message_stop"}),
    ]
    return opening, middle, closing


def _event(value: dict[str, Any]) -> bytes:
    return f"event: {value['type']}\n".encode() + data(value)


def _head(body: dict[str, Any], kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{next(_numbers):029}", "object": kind, "created": 1_760_000_000, "model": body["model"]}


def _tool(name: str, arguments: str) -> dict[str, Any]:
    return {"id": f"call_{next(_numbers):024}", "type": "function", "function": {"name": name, "arguments": arguments}}


def _token(piece: str, logprob: float) -> dict[str, Any]:
    return {"token": piece, "logprob": logprob, "bytes": list(piece.encode()), "top_logprobs": []}


def _usage(answer: Answer) -> dict[str, Any]:
    prompt, cached, completion = answer.usage
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
    }


def _message_usage(answer: Answer) -> dict[str, Any]:
    prompt, cached, completion = answer.usage
    return {
        "input_tokens": prompt - cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": cached,
        "output_tokens": completion,
    }


def _halves(text: str) -> list[str]:
    middle = len(text) // 2
    return [piece for piece in (text[:middle], text[middle:]) if piece]
