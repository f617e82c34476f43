"""Message stream events -> one message: https://docs.anthropic.com/en/api/messages-streaming"""

from typing import Any

import orjson
from pydantic_core import from_json

from sluice_sidecar.upstream.sse import Event

_CUT_SHORT = ("max_tokens", "model_context_window_exceeded")


class MessageAssembler:
    """Blocks by index; of unknown deltas strings are joined, of everything else the last is kept."""

    __slots__ = ("_blocks", "_error", "_message", "done")

    def __init__(self) -> None:
        self.done = False
        self._message: dict[str, Any] | None = None
        self._blocks: dict[int, _Block] = {}
        self._error: dict[str, Any] | None = None

    def feed(self, event: Event) -> None:
        """Takes one event; malformed data raises ValueError."""
        if not event.data:
            return
        data = orjson.loads(event.data)
        if type(data) is not dict:
            raise ValueError("an event of the stream is not a JSON object")
        kind = data.get("type")
        if kind == "content_block_delta":
            block = self._blocks.get(data.get("index", -1))
            if block is None:
                raise ValueError("the stream continues a content block that it never began")
            block.feed(_object(data, "delta"))
        elif kind == "content_block_start":
            index = data.get("index")
            if type(index) is not int:
                raise ValueError("a content block of the stream has no index")
            self._blocks[index] = _Block(_object(data, "content_block"))
        elif kind == "message_delta":
            self._feed_message(data)
        elif kind == "message_start":
            self._message = dict(_object(data, "message"))
        elif kind == "message_stop":
            self.done = True
        elif kind == "error" or data.get("error"):
            self._error = {"type": "error", "error": data.get("error")}

    def _feed_message(self, data: dict[str, Any]) -> None:
        message = self._message
        if message is None:
            raise ValueError("the stream does not begin with message_start")
        message.update(_object(data, "delta"))
        for name, value in data.items():
            if name == "usage" and type(value) is dict:
                # Totals so far: they replace, but a count that is left out or null stays as message_start gave it.
                before = message.get("usage") or {}
                message["usage"] = {**before, **{k: v for k, v in value.items() if v is not None or k not in before}}
            elif name not in ("type", "delta", "usage"):
                message[name] = value

    def whole(self) -> dict[str, Any]:
        """The message, or {"type": "error", ...} if the stream brought one. Raises ValueError without message_start,
        and for a tool's input that is no JSON although the answer was not cut short."""
        if self._error is not None:
            return self._error
        if self._message is None:
            raise ValueError("the stream ended without an answer")
        partial = not self.done or self._message.get("stop_reason") in _CUT_SHORT
        content = [self._blocks[index].whole(partial=partial) for index in sorted(self._blocks)]
        return {**self._message, "content": content}


class _Block:
    __slots__ = ("_fields", "_json", "_texts")

    def __init__(self, start: dict[str, Any]) -> None:
        self._fields = dict(start)
        self._texts: dict[str, list[str]] = {}
        self._json: list[str] = []

    def feed(self, delta: dict[str, Any]) -> None:
        kind = delta.get("type")
        if kind == "input_json_delta":
            piece = delta.get("partial_json")
            if type(piece) is not str:
                raise ValueError("a tool input's piece in the stream is not a string")
            self._json.append(piece)
        elif kind == "signature_delta":
            self._fields["signature"] = delta.get("signature")
        elif kind == "citations_delta":
            self._fields["citations"] = [*(self._fields.get("citations") or ()), delta.get("citation")]
        else:
            for name, value in delta.items():
                if name == "type":
                    continue
                if type(value) is str:
                    texts = self._texts.get(name)
                    if texts is None:
                        start = self._fields.get(name)
                        texts = self._texts[name] = [start] if type(start) is str else []
                    texts.append(value)
                else:
                    self._fields[name] = value

    def whole(self, *, partial: bool) -> dict[str, Any]:
        block = dict(self._fields)
        for name, texts in self._texts.items():
            block[name] = "".join(texts)
        text = "".join(self._json)
        if text:
            try:
                block["input"] = orjson.loads(text)
            except orjson.JSONDecodeError:
                if not partial:
                    raise
                # As the provider's SDK reads an input that the token limit cut.
                block["input"] = from_json(text, allow_partial=True)
        return block


def _object(data: dict[str, Any], name: str) -> dict[str, Any]:
    value = data.get(name)
    if type(value) is not dict:
        raise ValueError(f"{name} in the stream is not a JSON object")
    return value
