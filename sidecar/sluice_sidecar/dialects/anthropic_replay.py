"""One message -> the events in which Anthropic would have streamed it."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import orjson

from sluice_sidecar.dialects.frames import named_frame, pieces

# Known only when the answer ends, so they are null in message_start.
_AT_THE_END: Final = ("stop_reason", "stop_sequence", "stop_details", "container")
_PING: Final = {"type": "ping"}


def message_frames(whole: dict[str, Any]) -> Sequence[bytes]:
    """SSE frames from message_start to message_stop, token counts included."""
    usage = whole.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    end = {"stop_reason": None, "stop_sequence": None}
    end.update({name: whole[name] for name in _AT_THE_END if name in whole})
    start = {**whole, **dict.fromkeys(end), "content": [], "usage": {**usage, "output_tokens": 0}}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": start}, _PING]
    for index, block in enumerate(whole.get("content") or ()):
        opening, deltas = _block(block)
        events.append({"type": "content_block_start", "index": index, "content_block": opening})
        events += ({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas)
        events.append({"type": "content_block_stop", "index": index})
    events.append({"type": "message_delta", "delta": end, "usage": {"output_tokens": usage.get("output_tokens", 0)}})
    events.append({"type": "message_stop"})
    return [named_frame(event) for event in events]


def _block(block: dict[str, Any]) -> tuple[dict[str, Any], Iterator[dict[str, Any]]]:
    """A content block as it begins, and what then comes of it."""
    opening = dict(block)
    kind = block.get("type")
    if kind == "text":
        opening["text"] = ""
        if block.get("citations"):
            opening["citations"] = []
    elif kind == "thinking":
        opening["thinking"] = ""
        if "signature" in block:
            opening["signature"] = ""
    elif isinstance(block.get("input"), dict):
        opening["input"] = {}
    return opening, _deltas(block, kind)


def _deltas(block: dict[str, Any], kind: Any) -> Iterator[dict[str, Any]]:
    if kind == "text":
        for piece in pieces(block.get("text", "")):
            yield {"type": "text_delta", "text": piece}
        for citation in block.get("citations") or ():
            yield {"type": "citations_delta", "citation": citation}
    elif kind == "thinking":
        for piece in pieces(block.get("thinking", "")):
            yield {"type": "thinking_delta", "thinking": piece}
        if block.get("signature"):
            yield {"type": "signature_delta", "signature": block["signature"]}
    elif isinstance(block.get("input"), dict):
        # The provider, too, begins with an empty piece.
        yield {"type": "input_json_delta", "partial_json": ""}
        text = orjson.dumps(block["input"]).decode() if block["input"] else ""
        for piece in pieces(text):
            yield {"type": "input_json_delta", "partial_json": piece}
