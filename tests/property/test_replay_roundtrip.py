"""Replaying an answer and assembling the frames gives the answer back.

Left out on purpose, as the wire cannot tell them apart: null text without anything else said (becomes ""), log-probs
whose lists are all null, and the order of keys.
"""

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from sluice_sidecar.dialects.dialect import Dialect
from sluice_sidecar.dialects.registry import BY_PATH
from sluice_sidecar.upstream.sse import Event

CHAT, MESSAGES = BY_PATH["/v1/chat/completions"], BY_PATH["/v1/messages"]
HELLO: list[dict[str, Any]] = [{"role": "user", "content": "Hello"}]

TEXT = st.text(max_size=300)
NAME = st.text("abcdefgh_", min_size=1, max_size=12)
COUNT = st.integers(0, 1_000_000)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAME, inner, max_size=3),
    max_leaves=6,
)
OBJECT = st.dictionaries(NAME, JSON, max_size=4)


def events(frames: list[bytes]) -> list[Event]:
    found = []
    for frame in frames:
        *names, data = frame.removesuffix(b"\n\n").split(b"\n")
        name = names[0].removeprefix(b"event: ") if names else b"message"
        found.append(Event(frame, data.removeprefix(b"data: "), name))
    return found


def round_trip(dialect: Dialect, body: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    before = orjson.dumps(whole)
    assembler = dialect.assembler()
    for event in events(list(dialect.replay(dialect.parse(b"", body), whole))):
        assembler.feed(event)
    assert assembler.done
    assert orjson.dumps(whole) == before, "the answer was changed"
    return assembler.whole()


@st.composite
def tool_calls(draw: st.DrawFn) -> list[dict[str, Any]]:
    count = draw(st.integers(1, 3))
    return [
        {
            "id": f"call_{at}",
            "type": "function",
            "function": {"name": draw(NAME), "arguments": draw(OBJECT.map(lambda value: orjson.dumps(value).decode()))},
        }
        for at in range(count)
    ]


@st.composite
def choices(draw: st.DrawFn, index: int) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant"}
    said = draw(st.sampled_from(["text", "tools", "both", "refusal", "function", "tokens"]))
    logprobs: dict[str, Any] | None = None
    message["content"] = draw(TEXT) if said in ("text", "both") else None
    if said in ("tools", "both"):
        message["tool_calls"] = draw(tool_calls())
    if said == "refusal":
        message["refusal"] = draw(st.text(min_size=1, max_size=100))
    elif draw(st.booleans()):
        message["refusal"] = None
    if said == "function":
        message["function_call"] = {"name": draw(NAME), "arguments": draw(TEXT)}
    if said == "tokens":
        words = draw(st.lists(st.text(max_size=8), max_size=40))
        message["content"] = "".join(words) + draw(st.sampled_from(["", "not spelled"]))
        tokens: list[dict[str, Any]] = [
            {"token": w, "logprob": draw(st.floats(-50, 0)), "bytes": None, "top_logprobs": []} for w in words
        ]
        logprobs = {"content": tokens, "refusal": None}
    if draw(st.booleans()):
        message["reasoning_content"] = draw(TEXT)
    finish = draw(st.sampled_from(["stop", "length", "tool_calls", "content_filter"]))
    choice = {"index": index, "message": message, "logprobs": logprobs, "finish_reason": finish}
    if logprobs is None and draw(st.booleans()):
        del choice["logprobs"]
    return choice


@st.composite
def completions(draw: st.DrawFn) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "id": "chatcmpl-" + draw(NAME),
        "object": "chat.completion",
        "created": draw(st.integers(1, 2**33)),
        "model": draw(st.text(min_size=1, max_size=20)),
        "choices": [draw(choices(index)) for index in range(draw(st.integers(1, 3)))],
        "usage": {"prompt_tokens": draw(COUNT), "completion_tokens": draw(COUNT)},
    }
    extra = draw(st.dictionaries(st.sampled_from(["system_fingerprint", "service_tier", "timings", "x"]), JSON))
    return {**whole, **extra}


@given(completions())
def test_a_completion(whole: dict[str, Any]) -> None:
    body = {"model": "m", "stream": True, "messages": HELLO, "stream_options": {"include_usage": True}}
    assert round_trip(CHAT, body, whole) == whole


@given(completions())
def test_a_completion_whose_usage_nobody_asked_for(whole: dict[str, Any]) -> None:
    without = {name: value for name, value in whole.items() if name != "usage"}
    assert round_trip(CHAT, {"model": "m", "stream": True, "messages": HELLO}, whole) == without


BLOCKS = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("text"), "text": TEXT}, optional={"citations": st.none() | st.lists(OBJECT)}
    ),
    st.fixed_dictionaries({"type": st.just("thinking"), "thinking": TEXT, "signature": TEXT}),
    st.fixed_dictionaries({"type": st.just("redacted_thinking"), "data": TEXT}),
    st.fixed_dictionaries({"type": st.just("tool_use"), "id": NAME, "name": NAME, "input": OBJECT}),
    st.fixed_dictionaries(
        {"type": st.just("web_search_tool_result"), "tool_use_id": NAME, "content": st.lists(OBJECT)}
    ),
)
MESSAGE = st.fixed_dictionaries(
    {
        "id": NAME,
        "type": st.just("message"),
        "role": st.just("assistant"),
        "model": NAME,
        "content": st.lists(BLOCKS, max_size=4),
        "stop_reason": st.sampled_from(["end_turn", "max_tokens", "tool_use", "refusal"]),
        "stop_sequence": st.none() | TEXT,
        "usage": st.fixed_dictionaries(
            {"input_tokens": COUNT, "output_tokens": COUNT}, optional={"cache_read_input_tokens": st.none() | COUNT}
        ),
    },
    optional={"container": st.none() | OBJECT, "stop_details": st.none() | OBJECT, "x": JSON},
)


@given(MESSAGE)
def test_a_message(whole: dict[str, Any]) -> None:
    assert round_trip(MESSAGES, {"model": "m", "stream": True, "messages": HELLO}, whole) == whole
