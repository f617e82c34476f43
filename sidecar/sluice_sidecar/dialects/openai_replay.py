"""One chat completion -> the chunks in which OpenAI would have streamed it."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sluice_sidecar.dialects.frames import DONE, data_frame, pieces

# What every chunk repeats; the rest of an answer's own fields come with the last chunk.
_EVERY_CHUNK: Final = ("system_fingerprint", "service_tier")
_OPENING: Final = ("role", "content", "refusal", "tool_calls", "function_call")


def chat_frames(whole: dict[str, Any], *, usage: bool) -> Sequence[bytes]:
    """SSE frames, [DONE] included; with `usage` the chunk with the token counts, if the answer has them."""
    head: dict[str, Any] = {
        "id": whole.get("id", ""),
        "object": "chat.completion.chunk",
        "created": whole.get("created", 0),
        "model": whole.get("model", ""),
    }
    for name in _EVERY_CHUNK:
        if name in whole:
            head[name] = whole[name]
    usage = usage and isinstance(whole.get("usage"), dict)
    tail = {name: value for name, value in whole.items() if name not in head and name not in ("choices", "usage")}
    open_usage: dict[str, Any] = {"usage": None} if usage else {}
    chunks: list[dict[str, Any]] = [
        {**head, "choices": [part], **open_usage} for choice in whole["choices"] for part in _parts(choice)
    ]
    if usage:
        chunks.append({**head, "choices": [], "usage": whole["usage"]})
    if chunks:
        chunks[-1].update(tail)
    return [*map(data_frame, chunks), DONE]


def _parts(choice: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One choice as chunk choices: the role, then what it says piece by piece, then why it ended."""
    index, message = choice.get("index", 0), choice.get("message") or {}
    logprobs = choice.get("logprobs")

    def part(delta: dict[str, Any], logprobs: dict[str, Any] | None = None) -> dict[str, Any]:
        given = {"logprobs": logprobs} if "logprobs" in choice else {}
        return {"index": index, "delta": delta, **given, "finish_reason": None}

    opening: dict[str, Any] = {"role": message.get("role", "assistant")}
    content = message.get("content")
    opening["content"] = "" if isinstance(content, str) else content
    if "refusal" in message:
        opening["refusal"] = None if message["refusal"] else message["refusal"]
    yield part(opening)
    for name, value in message.items():
        if name in _OPENING:
            continue
        for piece in pieces(value) if isinstance(value, str) and value else (value,):
            yield part({name: piece})
    # A list of tokens is given out with the text that it spells.
    for name in ("content", "refusal"):
        tokens = logprobs.get(name) if isinstance(logprobs, dict) else None
        for piece, own in _with_tokens(message.get(name), tokens):
            yield part(
                {name: piece} if piece is not None else {}, None if own is None else {**_others(logprobs), name: own}
            )
    for at, tool in enumerate(message.get("tool_calls") or ()):
        yield from map(part, _tool_deltas(at, tool))
    call = message.get("function_call")
    if isinstance(call, dict):
        for piece in _call_pieces(call):
            yield part({"function_call": piece})
    yield {
        **part({}),
        **{name: value for name, value in choice.items() if name not in ("index", "message", "logprobs")},
    }


def _others(logprobs: dict[str, Any] | None) -> dict[str, Any]:
    return {name: None if isinstance(value, list) else value for name, value in (logprobs or {}).items()}


def _with_tokens(text: Any, tokens: Any) -> Iterator[tuple[str | None, list[Any] | None]]:
    """Pieces of a text, each with its part of the tokens' log-probs where these spell the text, else all at first."""
    whole = pieces(text) if isinstance(text, str) else []
    if not isinstance(tokens, list):
        yield from ((piece, None) for piece in whole)
        return
    words = [token.get("token") if isinstance(token, dict) else None for token in tokens]
    if not whole or not all(isinstance(word, str) for word in words) or "".join(map(str, words)) != text:
        yield (whole[0] if whole else None), tokens
        yield from ((piece, None) for piece in whole[1:])
        return
    count = max(1, -(-len(tokens) // len(whole)))
    for at in range(0, len(tokens), count):
        yield "".join(map(str, words[at : at + count])), tokens[at : at + count]


def _tool_deltas(at: int, tool: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A tool call: its id and name first, then the arguments' pieces."""
    key = next((name for name in ("function", "custom") if isinstance(tool.get(name), dict)), None)
    if key is None:
        yield {"tool_calls": [{"index": at, **tool}]}
        return
    first, *rest = _call_pieces(tool[key])
    yield {"tool_calls": [{"index": at, **tool, key: first}]}
    for piece in rest:
        yield {"tool_calls": [{"index": at, key: piece}]}


def _call_pieces(call: dict[str, Any]) -> list[dict[str, Any]]:
    """{"name", "arguments"} with the arguments (or a custom tool's input) empty, then their pieces."""
    long = next((name for name in ("arguments", "input") if isinstance(call.get(name), str)), None)
    if long is None:
        return [call]
    return [{**call, long: ""}, *({long: piece} for piece in pieces(call[long]))]
