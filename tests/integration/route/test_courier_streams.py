"""Live streams: as they come, to their very end, or broken."""

import pytest

from doubles.behaviours import half_event, invalid_json, reset, stall, stream_of, text
from doubles.calling import CALLER, ONCE, ask, backend, calling, resilient, said
from doubles.scripted import Behaviour, Gate, Scripted
from sluice_sidecar.ask import Problem, Usage
from sluice_sidecar.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sluice_sidecar.route.reply import Events
from sluice_sidecar.upstream.sse import Event

FIRST = b'data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n'
DONE = b"data: [DONE]\n\n"


async def collected(events: Events | None) -> tuple[list[Event], Problem | None]:
    assert events is not None
    got: list[Event] = []
    try:
        async for event in events:
            got += [event]
    except Problem as problem:
        return got, problem
    return got, None


async def test_events_come_as_they_were_sent_and_the_whole_with_them() -> None:
    async with Scripted() as up, calling() as desk:
        up.answer(text(["Héllo", " wörld"], usage=(9, 2, 3), cut=5))
        reply = await desk.courier.ask(ask(stream=True), backend(up.url), CALLER, ONCE)
        assert (reply.body, reply.whole) == (None, None)
        events, problem = await collected(reply.events)
    assert problem is None
    assert said(events) == "Héllo wörld"
    assert events[-1].data == b"[DONE]"
    assert reply.assembler is not None
    assert reply.assembler.done
    assert reply.assembler.whole()["choices"][0]["message"]["content"] == "Héllo wörld"
    (attempt,) = reply.attempts
    assert (attempt.outcome, attempt.usage) == (200, Usage(9, 2, 3))
    assert attempt.first_token is not None
    assert attempt.first_token <= attempt.seconds


async def test_an_anthropic_stream() -> None:
    async with Scripted() as up, calling() as desk:
        up.answer(text("Hello there", usage=(9, 2, 3)))
        request = ask(dialect=ANTHROPIC_MESSAGES, stream=True)
        reply = await desk.courier.ask(request, backend(up.url, families=("anthropic",)), CALLER, ONCE)
        events, problem = await collected(reply.events)
    assert problem is None
    assert events[-1].event == b"message_stop"
    assert reply.attempts[0].usage == Usage(9, 2, 3)


async def test_each_event_is_had_before_the_next_is_sent() -> None:
    gate = Gate()
    async with Scripted() as up, calling() as desk:
        up.answer(text(["a", "b"], gate=gate))
        reply = await desk.courier.ask(ask(stream=True), backend(up.url), CALLER, ONCE)
        assert reply.events is not None
        assert said([await anext(reply.events), await anext(reply.events)]) == "a"
        gate.open()
        assert said([await anext(reply.events)]) == "b"


async def test_comments_before_the_first_event_are_kept_but_are_no_first_token() -> None:
    gate = Gate()
    async with Scripted() as up, calling() as desk:
        up.answer(stream_of(b": ping\n\n", FIRST + DONE, gate=gate))
        gate.open()
        reply = await desk.courier.ask(ask(stream=True), backend(up.url), CALLER, ONCE)
        events, problem = await collected(reply.events)
        assert problem is None
        assert [event.data is None for event in events] == [True, False, False]

        up.answer(stream_of(b": ping\n\n", FIRST + DONE, gate=Gate()))
        with pytest.raises(Problem) as caught:
            await desk.courier.ask(ask(stream=True), backend(up.url), CALLER, resilient(attempts=1, first_token=0.05))
    assert caught.value.code == "first_token_timeout"


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (half_event(), "upstream_reset"),
        (half_event(clean=True), "upstream_truncated"),
        (stream_of(FIRST), "upstream_truncated"),
        (stream_of(b'data: {"choices":[{"index":0,"delta":{}}]}\n\ndata: {"cho\n\n'), "bad_upstream_answer"),
    ],
    ids=["half an event, closed", "half an event, ended", "no end marker", "invalid JSON"],
)
async def test_a_broken_stream_raises_after_its_good_events(behaviour: Behaviour, code: str) -> None:
    async with Scripted() as up, calling() as desk:
        up.answer(behaviour)
        reply = await desk.courier.ask(ask(stream=True), backend(up.url), CALLER, ONCE)
        events, problem = await collected(reply.events)
    assert len(events) == 1
    assert problem is not None
    assert (problem.status, problem.code) == (502, code)
    assert reply.attempts[0].outcome == code
    assert reply.assembler is not None
    assert not reply.assembler.done


async def test_a_reset_in_mid_stream() -> None:
    gate = Gate()
    async with Scripted() as up, calling() as desk:
        up.answer(reset("piece", gate=gate))
        reply = await desk.courier.ask(ask(stream=True), backend(up.url), CALLER, ONCE)
        assert reply.events is not None
        await anext(reply.events)
        gate.open()
        _, problem = await collected(reply.events)
    assert problem is not None
    assert problem.code == "upstream_reset"


async def test_total_covers_the_stream_too() -> None:
    async with Scripted() as up, calling() as desk:
        up.answer(stall(after="piece"))
        rules = resilient(attempts=1, total=0.15)
        reply = await desk.courier.ask(ask(stream=True), backend(up.url), CALLER, rules)
        events, problem = await collected(reply.events)
    assert events
    assert problem is not None
    assert (problem.status, problem.code) == (504, "total_timeout")


async def test_a_stream_that_is_garbage_from_its_start_never_begins() -> None:
    async with Scripted() as up, calling() as desk:
        up.answer(invalid_json())
        with pytest.raises(Problem) as caught:
            await desk.courier.ask(ask(stream=True), backend(up.url), CALLER, ONCE)
    assert caught.value.code == "bad_upstream_answer"


async def test_an_error_told_in_mid_stream_is_given_out_as_it_came() -> None:
    gate = Gate()
    async with Scripted() as up, calling() as desk:
        up.answer(stream_of(FIRST, b'data: {"error":{"message":"model overloaded"}}\n\n', gate=gate))
        reply = await desk.courier.ask(ask(stream=True), backend(up.url), CALLER, ONCE)
        assert not reply.retriable
        gate.open()
        events, problem = await collected(reply.events)
    assert problem is None
    assert b"model overloaded" in events[-1].raw
    assert reply.failed == "model overloaded"
    assert reply.attempts[0].outcome == "upstream_error"
    assert reply.assembler is not None
    assert not reply.assembler.done


@pytest.mark.parametrize("before", [b"", FIRST], ids=["first", "together with the first"])
async def test_an_error_before_anything_was_given_out_marks_the_reply(before: bytes) -> None:
    async with Scripted() as up, calling() as desk:
        up.answer(stream_of(before + b'data: {"error":{"message":"no capacity"}}\n\n', b"data: [DONE]\n\n"))
        reply = await desk.courier.ask(ask(stream=True), backend(up.url), CALLER, ONCE)
        assert reply.failed == "no capacity"
        events, problem = await collected(reply.events)
    assert problem is None
    assert b"no capacity" in b"".join(event.raw for event in events)


async def test_an_upstream_that_never_ends_its_response_does_not_hold_the_caller() -> None:
    gate = Gate()
    async with Scripted() as up, calling() as desk:
        up.answer(stream_of(FIRST + DONE, b": never\n\n", gate=gate))
        reply = await desk.courier.ask(ask(stream=True), backend(up.url), CALLER, ONCE)
        events, problem = await collected(reply.events)
        await up.requests[0].gone.wait()
    assert problem is None
    assert events[-1].data == b"[DONE]"
    assert reply.attempts[0].outcome == 200
