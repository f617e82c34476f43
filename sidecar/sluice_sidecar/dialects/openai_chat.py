"""OpenAI's chat completions: https://platform.openai.com/docs/api-reference/chat"""

import time
from collections.abc import Sequence
from typing import Any, ClassVar, Final

import orjson

from sluice_sidecar.ask import Ask, Finish, Problem, Usage
from sluice_sidecar.config import Family
from sluice_sidecar.dialects.counts import openai_usage
from sluice_sidecar.dialects.fields import (
    check_at_least,
    check_object,
    flag,
    messages_of,
    model_of,
    wrong_type,
)
from sluice_sidecar.dialects.frames import data_frame
from sluice_sidecar.dialects.identifiers import fresh
from sluice_sidecar.dialects.openai_errors import error_object, failure
from sluice_sidecar.dialects.openai_replay import chat_frames
from sluice_sidecar.dialects.openai_stream import ChatAssembler
from sluice_sidecar.dialects.slot import SLOT, asked_text, text_of
from sluice_sidecar.dialects.splice import REMOVED, renamed, spliced
from sluice_sidecar.upstream.sse import Event

TRANSPORT: Final = frozenset(
    {
        "stream",
        "stream_options",
        "user",
        "safety_identifier",
        "metadata",
        "prompt_cache_key",
        "prompt_cache_retention",
        "service_tier",
        "store",
    }
)
"""Fields that cannot change an answer: who asks, how it travels, what the provider keeps. All others are in."""

_BYPASS: Final = frozenset(
    {"n", "background", "audio", "modalities", "web_search_options", "previous_response_id", "conversation"}
)

_FINISH: Final[dict[str, Finish]] = {
    "stop": "complete",
    "end_turn": "complete",
    "stop_sequence": "complete",
    "eos_token": "complete",
    "length": "truncated",
    "max_tokens": "truncated",
    "content_filter": "filtered",
    "refusal": "filtered",
    "tool_calls": "tools",
    "tool_use": "tools",
    "function_call": "tools",
}
# Of several choices the one that speaks most against reuse counts.
_WORST: Final[tuple[Finish, ...]] = ("filtered", "truncated", "unknown", "tools", "complete")


class OpenAIChat:
    """/v1/chat/completions, OpenAI's and what vLLM, llama.cpp and others make of it."""

    __slots__ = ()
    name: ClassVar[str] = "openai_chat"
    family: ClassVar[Family] = "openai"
    path: ClassVar[str] = "/chat/completions"
    streams: ClassVar[bool] = True
    id_prefix: ClassVar[str] = "chatcmpl-"

    def parse(self, raw: bytes, body: dict[str, Any]) -> Ask:
        """Checks what the gateway relies on, raises Problem(400); every other field passes unread."""
        check_object(body)
        model = model_of(body)
        messages = messages_of(body)
        stream = flag(body, "stream")
        options = body.get("stream_options")
        if options is not None and type(options) is not dict:
            raise wrong_type("stream_options", "an object", options)
        check_at_least(body, "n", 1)
        check_at_least(body, "max_tokens", 0)
        check_at_least(body, "max_completion_tokens", 0)
        return Ask(
            dialect=self,
            raw=raw,
            body=body,
            model=model,
            stream=stream,
            wants_usage=stream and options is not None and options.get("include_usage") is True,
            wants_logprobs=body.get("logprobs") is True,
            text=asked_text(messages[-1]),
            bypass=None if _BYPASS.isdisjoint(body) else _bypass(body),
        )

    def skeleton(self, ask: Ask) -> dict[str, Any]:
        """What can change the answer: all but TRANSPORT, and the last text replaced by a slot.

        A string and a single text part stay apart: chat templates of self-hosted models may render them differently.
        Of several text parts the last is the slot, so a document in an earlier part must be the very same.
        """
        out = {name: value for name, value in ask.body.items() if name not in TRANSPORT}
        if ask.text is not None:
            *earlier, last = out["messages"]
            content = last["content"]
            slotted = SLOT if type(content) is str else [*content[:-1], {**content[-1], "text": SLOT}]
            out["messages"] = [*earlier, {**last, "content": slotted}]
        return out

    def upstream(self, ask: Ask, *, model: str | None, stream: bool, logprobs: bool) -> bytes:
        """The body to send: `ask.raw` itself when nothing differs. Streams always ask for usage.

        Repeated keys and integers beyond 64 bits stay as the caller wrote them, see `splice`.
        """
        changes = renamed(ask, model)
        if stream != ask.stream:
            changes["stream"] = stream
        if stream:
            if not ask.wants_usage:
                options = ask.body.get("stream_options") or {}
                if options.get("include_usage") is not True:
                    changes["stream_options"] = {**options, "include_usage": True}
        elif ask.stream and ask.body.get("stream_options") is not None:
            # Providers refuse it beside "stream": false.
            changes["stream_options"] = REMOVED
        if logprobs and not ask.wants_logprobs:
            changes["logprobs"] = True
        return spliced(ask.raw, ask.body, changes)

    def assembler(self) -> ChatAssembler:
        """A fresh assembler for one stream."""
        return ChatAssembler()

    def relay(self, ask: Ask, event: Event, *, logprobs: bool) -> bytes | None:
        """What of an upstream event the caller gets: its bytes, or None for the usage chunk that we asked for."""
        data = event.data
        if data is None:
            return event.raw
        # Chunks before it say `"usage": null`; only the one with counts is worth parsing.
        usage = not ask.wants_usage and b'_tokens"' in data
        trim = logprobs and b'"logprobs"' in data
        if not usage and not trim:
            return event.raw
        try:
            chunk = orjson.loads(data)
        except ValueError:
            return event.raw
        if type(chunk) is not dict:
            return event.raw
        if usage and chunk.get("choices") == [] and chunk.get("usage"):
            return None
        if trim:
            trimmed = _without_logprobs(chunk)
            if trimmed is not chunk:
                return data_frame(trimmed)
        return event.raw

    def trim(self, ask: Ask, whole: dict[str, Any], *, logprobs: bool) -> dict[str, Any]:
        """The same for a whole answer: `whole` itself unless log-probs must go."""
        return _without_logprobs(whole) if logprobs else whole

    def replay(self, ask: Ask, whole: dict[str, Any]) -> Sequence[bytes]:
        """A whole answer as a stream's frames, usage included where the caller asked for it, the end marker too."""
        return chat_frames(whole, usage=ask.wants_usage)

    def renewed(self, whole: dict[str, Any]) -> dict[str, Any]:
        """A copy with a fresh id and creation time: no two callers see one id."""
        return {**whole, "id": fresh(whole.get("id"), "chatcmpl-"), "created": int(time.time())}

    def usage(self, whole: dict[str, Any]) -> Usage | None:
        """Token counts, where the answer tells."""
        return openai_usage(whole)

    def finish(self, whole: dict[str, Any]) -> Finish:
        """Why the answer ended; of several choices the worst for reuse."""
        found = {_finish(choice) for choice in _choices(whole)}
        return next((reason for reason in _WORST if reason in found), "unknown")

    def answer_text(self, whole: dict[str, Any]) -> str:
        """The first choice's text; empty when it has none."""
        for choice in _choices(whole):
            content = _message(choice).get("content")
            if isinstance(content, str):
                return content
            if isinstance(content, list):
                return "".join(text_of(part) or "" for part in content)
            break
        return ""

    def saying(self, whole: dict[str, Any], text: str) -> dict[str, Any]:
        """A copy of `whole` whose first choice says `text`, without log-probs; other choices go."""
        (choice, *_) = _choices(whole)
        said = {**choice, "message": {**_message(choice), "content": text}}
        return {**whole, "choices": [{k: v for k, v in said.items() if k != "logprobs"}]}

    def token_logprobs(self, whole: dict[str, Any]) -> list[float] | None:
        """Log-probability of each token of the first choice, natural logarithm; None where the answer has none."""
        for choice in _choices(whole):
            return _values(choice)
        return None

    def event_logprobs(self, event: Event) -> list[float] | None:
        """The same for one event of a stream."""
        if event.data is None or b'"logprob"' not in event.data:
            return None
        try:
            chunk = orjson.loads(event.data)
        except ValueError:
            return None
        return self.token_logprobs(chunk) if isinstance(chunk, dict) else None

    def failed(self, whole: dict[str, Any]) -> str | None:
        """The message of an error that came with status 200, if it is one."""
        return failure(whole)

    def error(self, problem: Problem) -> bytes:
        """The error body in OpenAI's shape."""
        return orjson.dumps(error_object(problem))

    def error_frame(self, problem: Problem) -> bytes:
        """The same as an SSE frame; the SDKs raise APIError on it."""
        return data_frame(error_object(problem))


def _bypass(body: dict[str, Any]) -> str | None:
    """Why an answer must not be reused: sampled several times, spoken, from the live web, or kept by the provider."""
    n = body.get("n")
    if n is not None and n > 1:
        return "n>1"
    modalities = body.get("modalities")
    if body.get("audio") is not None or (isinstance(modalities, list) and "audio" in modalities):
        return "audio"
    if body.get("background"):
        return "background"
    for name in ("web_search_options", "previous_response_id", "conversation"):
        if body.get(name) is not None:
            return name
    return None


def _choices(whole: dict[str, Any]) -> list[dict[str, Any]]:
    choices = whole.get("choices")
    return [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []


def _message(choice: dict[str, Any]) -> dict[str, Any]:
    message = choice.get("message")
    return message if isinstance(message, dict) else {}


def _finish(choice: dict[str, Any]) -> Finish:
    reason = choice.get("finish_reason")
    finish: Finish = _FINISH.get(reason, "unknown") if isinstance(reason, str) else "unknown"
    if finish == "complete":
        message = _message(choice)
        if message.get("refusal"):
            return "filtered"
        # Some servers end a tool call with "stop".
        if message.get("tool_calls") or message.get("function_call"):
            return "tools"
    return finish


def _values(choice: dict[str, Any]) -> list[float] | None:
    """The numbers of `logprobs.content`; -9999.0 is OpenAI's own word for "as good as never"."""
    logprobs = choice.get("logprobs")
    tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(tokens, list):
        return None
    values = (token.get("logprob") if isinstance(token, dict) else None for token in tokens)
    return [float(value) if isinstance(value, (int, float)) else -9999.0 for value in values]


def _without_logprobs(answer: dict[str, Any]) -> dict[str, Any]:
    """A copy whose choices have null log-probs, as OpenAI writes it when nobody asked; itself if they have none."""
    choices = answer.get("choices")
    if not isinstance(choices, list) or not any(isinstance(c, dict) and c.get("logprobs") is not None for c in choices):
        return answer
    return {
        **answer,
        "choices": [{**c, "logprobs": None} if isinstance(c, dict) and "logprobs" in c else c for c in choices],
    }


OPENAI_CHAT: Final = OpenAIChat()
