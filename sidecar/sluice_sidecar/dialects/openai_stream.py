"""Chat completion chunks -> one chat completion."""

from typing import Any, Final

import orjson

from sluice_sidecar.upstream.sse import Event

# Fields that only a chunk has: padding against traffic analysis, and what is handled apart.
_CHUNK_ONLY: Final = frozenset({"object", "choices", "obfuscation"})
# Azure's first chunk has them empty; afterwards they are the same in every chunk.
_ONCE: Final = frozenset({"id", "model", "created"})
_ONE_PIECE: Final = frozenset({"id", "type", "name"})


class ChatAssembler:
    """Joins strings, adds up log-probs, of everything else keeps the last that came."""

    __slots__ = ("_choices", "_error", "_fields", "done")

    def __init__(self) -> None:
        self.done = False
        self._fields: dict[str, Any] = {}
        self._choices: dict[int, _Choice] = {}
        self._error: dict[str, Any] | None = None

    def feed(self, event: Event) -> None:
        """Takes one event; malformed data raises ValueError."""
        data = event.data
        if not data:
            return
        if data == b"[DONE]":
            self.done = True
            return
        chunk = orjson.loads(data)
        if type(chunk) is not dict:
            raise ValueError("a chunk of the stream is not a JSON object")
        if chunk.get("error"):
            self._error = {"error": chunk["error"]}
            return
        if event.event == b"error":
            self._error = {"error": chunk}
            return
        fields = self._fields
        for name, value in chunk.items():
            if name in _CHUNK_ONLY or (value is None and name in fields) or (name in _ONCE and fields.get(name)):
                continue
            fields[name] = value
        choices = chunk.get("choices")
        if choices is None:
            return
        if type(choices) is not list:
            raise ValueError("choices in the stream is not a list")
        for part in choices:
            index = part.get("index", 0) if type(part) is dict else None
            if type(index) is not int:
                raise ValueError("a choice in the stream is not an object with an integer index")
            choice = self._choices.get(index)
            if choice is None:
                choice = self._choices[index] = _Choice()
            choice.feed(part)

    def whole(self) -> dict[str, Any]:
        """The chat completion, or {"error": ...} if the stream brought one. Raises ValueError without any choice."""
        if self._error is not None:
            return self._error
        if not self._choices:
            raise ValueError("the stream ended without an answer")
        fields = dict(self._fields)
        whole: dict[str, Any] = {"id": fields.pop("id", ""), "object": "chat.completion"}
        whole["created"], whole["model"] = fields.pop("created", 0), fields.pop("model", "")
        whole["choices"] = [self._choices[index].whole(index) for index in sorted(self._choices)]
        # Chunks say `"usage": null` until the last; a whole answer has numbers or nothing.
        if fields.get("usage", ...) is None:
            del fields["usage"]
        whole.update(fields)
        return whole


class _Choice:
    __slots__ = ("_fields", "_logprobs", "_message", "_texts", "_tools")

    def __init__(self) -> None:
        self._message: dict[str, Any] = {}
        self._texts: dict[str, list[str]] = {}
        self._tools: dict[int, dict[str, Any]] = {}
        self._fields: dict[str, Any] = {"finish_reason": None}
        self._logprobs: dict[str, Any] | None = None

    def feed(self, part: dict[str, Any]) -> None:
        for name, value in part.items():
            if name == "delta":
                if value:
                    self._feed_delta(value)
            elif name == "logprobs":
                if value is not None:
                    self._feed_logprobs(value)
                elif name not in self._fields:
                    self._fields[name] = None
            elif name != "index" and (value is not None or name not in self._fields):
                self._fields[name] = value

    def _feed_delta(self, delta: Any) -> None:
        if type(delta) is not dict:
            raise ValueError("a delta in the stream is not a JSON object")
        message = self._message
        for name, value in delta.items():
            if name == "tool_calls":
                if value:
                    message.setdefault(name, None)
                    self._feed_tools(value)
            elif name == "role":
                message["role"] = value or message.get("role")
            elif name in ("function_call", "audio"):
                if type(value) is dict:
                    _join(message.setdefault(name, {}), value)
            elif type(value) is str:
                texts = self._texts.get(name)
                if texts is None:
                    texts = self._texts[name] = []
                    message[name] = None
                texts.append(value)
            elif value is not None or name not in message:
                message[name] = value

    def _feed_tools(self, parts: Any) -> None:
        if type(parts) is not list:
            raise ValueError("tool_calls in the stream is not a list")
        for part in parts:
            if type(part) is not dict:
                raise ValueError("a tool call in the stream is not a JSON object")
            index = part.get("index")
            if type(index) is not int:
                index = self._place(part.get("id"))
            tool = self._tools.setdefault(index, {})
            for name, value in part.items():
                if type(value) is dict:
                    inner = tool.get(name)
                    if type(inner) is not dict:
                        inner = tool[name] = {}
                    _join(inner, value)
                elif name != "index" and (value or name not in tool):
                    tool[name] = value

    def _place(self, identifier: Any) -> int:
        """Where a tool call without an index belongs: a new id opens a new one, else the last goes on."""
        for index, tool in self._tools.items():
            if identifier and tool.get("id") == identifier:
                return index
        last = max(self._tools, default=-1)
        return last + 1 if identifier or last < 0 else last

    def _feed_logprobs(self, value: Any) -> None:
        if type(value) is not dict:
            self._fields["logprobs"] = value
            return
        if self._logprobs is None:
            self._logprobs = {}
        for name, tokens in value.items():
            if type(tokens) is list:
                before = self._logprobs.get(name)
                if type(before) is not list:
                    before = self._logprobs[name] = []
                before += tokens
            elif tokens is not None or name not in self._logprobs:
                self._logprobs[name] = tokens

    def whole(self, index: int) -> dict[str, Any]:
        message = {"role": "assistant", "content": None, **self._message}
        if message["role"] is None:
            message["role"] = "assistant"
        for name, texts in self._texts.items():
            message[name] = "".join(texts)
        if self._tools:
            message["tool_calls"] = [self._tools[at] for at in sorted(self._tools)]
        if message["content"] is None and not any(
            message.get(name) for name in ("tool_calls", "function_call", "refusal", "audio")
        ):
            message["content"] = ""
        fields = self._fields if self._logprobs is None else {**self._fields, "logprobs": self._logprobs}
        return {"index": index, "message": message, **fields}


def _join(into: dict[str, Any], part: dict[str, Any]) -> None:
    """Adds a piece of a call: strings go on, but a name or id that a server repeats in every chunk stays one."""
    for name, value in part.items():
        before = into.get(name)
        if type(before) is str and type(value) is str:
            if name not in _ONE_PIECE:
                into[name] = before + value
            elif value != before:
                into[name] = before + value if name == "name" else value or before
        elif value is not None or name not in into:
            into[name] = value
