"""Anthropic's messages: https://docs.anthropic.com/en/api/messages"""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import orjson

from sluice_sidecar.ask import Ask, Finish, Problem, Usage
from sluice_sidecar.config import Family
from sluice_sidecar.dialects.anthropic_errors import error_object, failure
from sluice_sidecar.dialects.anthropic_replay import message_frames
from sluice_sidecar.dialects.anthropic_stream import MessageAssembler
from sluice_sidecar.dialects.counts import anthropic_usage
from sluice_sidecar.dialects.fields import check_at_least, check_object, flag, messages_of, model_of
from sluice_sidecar.dialects.frames import named_frame
from sluice_sidecar.dialects.identifiers import fresh
from sluice_sidecar.dialects.slot import SLOT, asked_text, text_of
from sluice_sidecar.dialects.splice import renamed, spliced
from sluice_sidecar.upstream.sse import Event

CACHE_MARK: Final = "cache_control"
"""Marks, on content blocks, tools or the request, what the provider's prompt cache should keep."""

TRANSPORT: Final = frozenset({"stream", "metadata", "service_tier", CACHE_MARK})
"""Fields that cannot change an answer; CACHE_MARK on blocks is left out too. All others are in."""

# Tools that the provider runs itself: on the live web, or on a machine that keeps state.
_SERVER_TOOLS: Final = ("web_search", "web_fetch", "code_execution")

_FINISH: Final[dict[str, Finish]] = {
    "end_turn": "complete",
    "stop_sequence": "complete",
    "stop": "complete",
    "max_tokens": "truncated",
    "model_context_window_exceeded": "truncated",
    "length": "truncated",
    "refusal": "filtered",
    "content_filter": "filtered",
    "tool_use": "tools",
    "tool_calls": "tools",
}


class AnthropicMessages:
    """/v1/messages."""

    __slots__ = ()
    name: ClassVar[str] = "anthropic_messages"
    family: ClassVar[Family] = "anthropic"
    path: ClassVar[str] = "/messages"
    streams: ClassVar[bool] = True
    id_prefix: ClassVar[str] = "msg_"

    def parse(self, raw: bytes, body: dict[str, Any]) -> Ask:
        """Checks what the gateway relies on, raises Problem(400); every other field passes unread."""
        check_object(body)
        model = model_of(body)
        messages = messages_of(body)
        stream = flag(body, "stream")
        check_at_least(body, "max_tokens", 0)
        return Ask(
            dialect=self,
            raw=raw,
            body=body,
            model=model,
            stream=stream,
            wants_usage=stream,
            text=asked_text(messages[-1]),
            bypass=_bypass(body),
        )

    def skeleton(self, ask: Ask) -> dict[str, Any]:
        """What can change the answer: all but TRANSPORT and cache marks, the last text replaced by a slot.

        A string is by definition short for a single text block, so the two are one. Of several text blocks the last
        is the slot, so a document in an earlier block must be the very same.
        """
        out = {name: value for name, value in ask.body.items() if name not in TRANSPORT}
        # A walk through every block, so only where the mark (or a way to escape it) is in the text at all.
        if b'"cache_control"' in ask.raw or b"\\u00" in ask.raw:
            out["messages"] = [_message_unmarked(message) for message in out["messages"]]
            for name in ("system", "tools"):
                if name in out:
                    out[name] = _unmarked(out[name])
        if ask.text is not None:
            *earlier, last = out["messages"]
            content = last["content"]
            if type(content) is not str:
                *before, block = content
                content = [*before, {**block, "text": SLOT}] if before or len(block) > 2 else SLOT
            else:
                content = SLOT
            out["messages"] = [*earlier, {**last, "content": content}]
        return out

    def upstream(self, ask: Ask, *, model: str | None, stream: bool, logprobs: bool) -> bytes:
        """The body to send: `ask.raw` itself when nothing differs. Messages have no log-probs to ask for."""
        changes = renamed(ask, model)
        if stream != ask.stream:
            changes["stream"] = stream
        return spliced(ask.raw, ask.body, changes)

    def assembler(self) -> MessageAssembler:
        """A fresh assembler for one stream."""
        return MessageAssembler()

    def relay(self, ask: Ask, event: Event, *, logprobs: bool) -> bytes | None:
        """The event's bytes: every message stream has its token counts, so nothing was added."""
        return event.raw

    def trim(self, ask: Ask, whole: dict[str, Any], *, logprobs: bool) -> dict[str, Any]:
        """`whole` itself: nothing was added."""
        return whole

    def replay(self, ask: Ask, whole: dict[str, Any]) -> Sequence[bytes]:
        """A whole answer as a stream's frames, from message_start to message_stop."""
        return message_frames(whole)

    def renewed(self, whole: dict[str, Any]) -> dict[str, Any]:
        """A copy with a fresh id: no two callers see one id. A message has no creation time."""
        return {**whole, "id": fresh(whole.get("id"), "msg_")}

    def usage(self, whole: dict[str, Any]) -> Usage | None:
        """Token counts, where the answer tells."""
        return anthropic_usage(whole)

    def finish(self, whole: dict[str, Any]) -> Finish:
        """Why the answer ended."""
        reason = whole.get("stop_reason")
        finish: Finish = _FINISH.get(reason, "unknown") if isinstance(reason, str) else "unknown"
        if finish == "complete" and any(block.get("type") == "tool_use" for block in _blocks(whole)):
            return "tools"
        return finish

    def answer_text(self, whole: dict[str, Any]) -> str:
        """The text blocks' texts, joined; empty when there are none."""
        return "".join(text_of(block) or "" for block in _blocks(whole))

    def saying(self, whole: dict[str, Any], text: str) -> dict[str, Any]:
        """A copy of `whole` whose one block says `text`."""
        return {**whole, "content": [{"type": "text", "text": text}]}

    def token_logprobs(self, whole: dict[str, Any]) -> list[float] | None:
        """None: messages have no log-probs."""
        return None

    def event_logprobs(self, event: Event) -> list[float] | None:
        """None: messages have no log-probs."""
        return None

    def failed(self, whole: dict[str, Any]) -> str | None:
        """The message of an error that came with status 200, if it is one."""
        return failure(whole)

    def error(self, problem: Problem) -> bytes:
        """The error body in Anthropic's shape."""
        return orjson.dumps(error_object(problem))

    def error_frame(self, problem: Problem) -> bytes:
        """The same as an SSE frame (`event: error`); the SDKs raise APIStatusError on it."""
        return named_frame(error_object(problem))


def _bypass(body: dict[str, Any]) -> str | None:
    """Why an answer must not be reused: it comes from the live web, another server, or a container with state."""
    for name in ("mcp_servers", "container"):
        if body.get(name):
            return name
    tools = body.get("tools")
    if isinstance(tools, list):
        for tool in tools:
            kind = tool.get("type") if isinstance(tool, dict) else None
            if isinstance(kind, str) and kind.startswith(_SERVER_TOOLS):
                return kind
    return None


def _blocks(whole: dict[str, Any]) -> list[dict[str, Any]]:
    content = whole.get("content")
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def _message_unmarked(message: dict[str, Any]) -> dict[str, Any]:
    content = message.get("content")
    return {**message, "content": _unmarked(content)} if isinstance(content, list) else message


def _unmarked(blocks: Any) -> Any:
    """Blocks or tools without cache marks, those inside a tool's result too; anything but a list as it is."""
    if not isinstance(blocks, list):
        return blocks
    out = []
    for block in blocks:
        if isinstance(block, dict):
            block = {name: value for name, value in block.items() if name != CACHE_MARK}
            if "content" in block:
                block["content"] = _unmarked(block["content"])
        out.append(block)
    return out


ANTHROPIC_MESSAGES: Final = AnthropicMessages()
