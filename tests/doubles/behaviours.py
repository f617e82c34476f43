"""What a Scripted model server can be told to do: good answers, and everything that goes wrong upstream."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from doubles import wire
from doubles.scripted import Behaviour, Call, Gate, Request
from doubles.wire import Answer

EVENT_STREAM = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}


def text(
    said: str | Sequence[str] = "Hello from upstream.",
    *,
    finish: str = "stop",
    usage: tuple[int, int, int] = (12, 0, 7),
    logprobs: Sequence[float] | None = None,
    gate: Gate | None = None,
    cut: int | None = None,
    headers: dict[str, str] | None = None,
) -> Behaviour:
    """A text answer, streamed if the request asks for it.

    `said`: the pieces of the stream, or a text (its words are the pieces). `usage`: prompt, of these cached,
    completion. `logprobs`: one a piece, sent when the request has `"logprobs": true`. `gate`: passed before each piece
    but the first, and before the end. `cut`: the stream is written in parts of this many bytes, through characters and
    events alike. `finish` in OpenAI's words; Anthropic's are derived.
    """
    pieces = tuple(said) if not isinstance(said, str) else wire.words(said)
    answer = Answer(pieces=pieces, finish=finish, usage=usage, logprobs=tuple(logprobs) if logprobs else None)
    return _answering(answer, gate=gate, cut=cut, headers=headers)


def tool_call(
    name: str = "get_weather",
    arguments: str = '{"city":"Paris"}',
    *,
    usage: tuple[int, int, int] = (12, 0, 7),
    gate: Gate | None = None,
    cut: int | None = None,
) -> Behaviour:
    """An answer that calls one tool; its arguments are streamed in pieces."""
    return _answering(
        Answer(tool=(name, arguments), finish="tool_calls", usage=usage), gate=gate, cut=cut, headers=None
    )


def embeddings(dimensions: int = 4) -> Behaviour:
    """One vector an input, made from the input's bytes, so equal inputs have equal vectors."""

    async def behave(call: Call) -> None:
        await call.send(200, orjson.dumps(wire.embeddings(call.request.json, dimensions)))

    return behave


def json_body(
    data: Any, *, status: int = 200, headers: dict[str, str] | None = None, gate: Gate | None = None
) -> Behaviour:
    """Any JSON value as the whole answer."""
    return raw_body(orjson.dumps(data), status=status, headers=headers, gate=gate)


def raw_body(
    body: bytes, *, status: int = 200, headers: dict[str, str] | None = None, gate: Gate | None = None
) -> Behaviour:
    """Any bytes as the whole answer, application/json unless `headers` say otherwise."""

    async def behave(call: Call) -> None:
        if gate is not None:
            await gate.wait()
        await call.send(status, body, headers)

    return behave


def error(status: int, message: str = "upstream says no", *, headers: dict[str, str] | None = None) -> Behaviour:
    """An error status with the provider's own error body."""

    async def behave(call: Call) -> None:
        await call.send(status, orjson.dumps(wire.error(call.request, status, message)), headers)

    return behave


def html(status: int = 500) -> Behaviour:
    """A proxy's error page."""
    return raw_body(b"<html><body><h1>Bad day</h1></body></html>", status=status, headers={"content-type": "text/html"})


def error_inside(message: str = "model overloaded") -> Behaviour:
    """Status 200 with an error as the answer; in a stream, as its second event."""

    async def behave(call: Call) -> None:
        fault = wire.error(call.request, 500, message)
        if not call.request.streams:
            await call.send(200, orjson.dumps(fault))
            return
        await call.head(200, EVENT_STREAM)
        await call.write(wire.frames(call.request, Answer(pieces=("Hel", "lo")))[0])
        await call.write((b"event: error\n" if wire.is_anthropic(call.request) else b"") + wire.data(fault))
        await call.end()

    return behave


def invalid_json() -> Behaviour:
    """Status 200, application/json, and a body that is none; in a stream, one such event."""

    async def behave(call: Call) -> None:
        if not call.request.streams:
            await call.send(200, b'{"choices": [{"message": {"content": "Hel')
            return
        await call.head(200, EVENT_STREAM)
        await call.write(b'data: {"choices": [{"delta": {"content": "Hel\n\n')
        await call.end()

    return behave


def half_event(*, clean: bool = False) -> Behaviour:
    """A stream that stops within an event: the connection closes, or (`clean`) the body ends as if all were well."""

    async def behave(call: Call) -> None:
        first, second, *_ = wire.frames(call.request, Answer(pieces=("Hello", " there")))
        await call.head(200, EVENT_STREAM)
        await call.write(first)
        await call.write(second[: len(second) // 2])
        if clean:
            await call.end()
        else:
            call.close()

    return behave


def reset(after: str = "request", *, gate: Gate | None = None) -> Behaviour:
    """RST after the request, after the "head" of an answer, or after a stream's first "piece"; `gate` is passed before,
    so that a test can read what was sent first."""

    async def behave(call: Call) -> None:
        await _begin(call, after)
        if gate is not None:
            await gate.wait()
        call.reset()

    return behave


def stall(gate: Gate | None = None, *, after: str = "request", then: Behaviour | None = None) -> Behaviour:
    """Silence after the request, after the "head", or after a stream's first "piece", until the gate opens or the
    caller leaves. Then, if nothing was sent yet, `then` answers (a text if not given), else the body just ends."""
    held = gate or Gate()

    async def behave(call: Call) -> None:
        await _begin(call, after)
        await held.wait()
        if after == "request":
            await (then or text())(call)
        else:
            await call.end()

    return behave


def endless(piece: str = "and on ") -> Behaviour:
    """A stream without end; it writes as fast as the caller reads."""

    async def behave(call: Call) -> None:
        opening, middle, _ = wire.parts(call.request, Answer(pieces=(piece,)))
        await call.head(200, EVENT_STREAM)
        for frame in opening:
            await call.write(frame)
        while True:
            for frame in middle:
                await call.write(frame)
            await asyncio.sleep(0)

    return behave


def stream_of(*parts: bytes, gate: Gate | None = None) -> Behaviour:
    """Any bytes as an event stream, each part written by itself; `gate` is passed before each but the first."""

    async def behave(call: Call) -> None:
        await call.head(200, EVENT_STREAM)
        for at, part in enumerate(parts):
            if at and gate is not None:
                await gate.wait()
            await call.write(part)
        await call.end()

    return behave


def chosen(choose: Callable[[Request], Behaviour]) -> Behaviour:
    """A behaviour by request."""

    async def behave(call: Call) -> None:
        await choose(call.request)(call)

    return behave


async def _begin(call: Call, after: str) -> None:
    if after != "request":
        await call.head(200, EVENT_STREAM)
    if after == "piece":
        opening, middle, _ = wire.parts(call.request, Answer(pieces=("Hello", " there")))
        await call.write(b"".join([*opening, middle[0]]))


def _answering(answer: Answer, *, gate: Gate | None, cut: int | None, headers: dict[str, str] | None) -> Behaviour:
    async def behave(call: Call) -> None:
        if not call.request.streams:
            if gate is not None:
                await gate.wait()
            await call.send(200, orjson.dumps(wire.whole(call.request, answer)), headers)
            return
        await call.head(200, {**EVENT_STREAM, **(headers or {})})
        opening, middle, closing = wire.parts(call.request, answer)
        for at, frames in enumerate(([*opening, *middle[:1]], *([frame] for frame in middle[1:]), closing)):
            if at and gate is not None:
                await gate.wait()
            block = b"".join(frames)
            for start in range(0, len(block), cut or len(block) or 1):
                await call.write(block[start : start + (cut or len(block))])
        await call.end()

    return behave
