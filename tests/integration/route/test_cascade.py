"""A cascade by confidence: sure answers go out, doubtful ones never show."""

import asyncio
from collections.abc import Sequence

import pytest

from doubles.behaviours import error, half_event, reset, stall, text, tool_call
from doubles.calling import CALLER, Calling, ask, backend, calling, resilient, said
from doubles.scripted import Behaviour, Gate, Scripted
from sluice_sidecar.config import Cascade, Confidence, Route
from sluice_sidecar.dialects.openai_embeddings import OPENAI_EMBEDDINGS
from sluice_sidecar.route.router import Router

SURE, DOUBTFUL = -0.01, -3.0
RULE = Confidence(threshold=0.8, quantile=0.1, prefix=4)


def words(count: int) -> list[str]:
    return [f"w{n} " for n in range(count)]


def sure(count: int = 6, **fields: object) -> Behaviour:
    return text(words(count), logprobs=[SURE] * count, **fields)  # type: ignore[arg-type]


def cascade(desk: Calling, *ups: Scripted, rule: Confidence | None = RULE, fallbacks: Sequence[str] = ()) -> Router:
    names = ("small", "middle", "large") if len(ups) == 3 else ("small", "large")
    backends = {name: backend(up.url, name) for name, up in zip(names, ups, strict=True)}
    return Router(
        Route(
            name="r",
            models=("auto",),
            backends=backends,
            strategy=Cascade(stages=names, confidence=rule),
            fallbacks=tuple(fallbacks),
            reference="large",
            resilience=resilient(attempts=1),
        ),
        desk.courier,
    )


async def test_a_sure_whole_answer_is_accepted() -> None:
    async with Scripted() as small, Scripted() as large, calling() as desk:
        small.answer(sure())
        router = cascade(desk, small, large)
        reply = await router.answer(ask(), CALLER)
        assert (reply.backend.name, large.count) == ("small", 0)
        assert router.verdicts == {"accepted": 1}
    assert reply.logprobs_added
    assert small.requests[0].json["logprobs"] is True
    assert reply.attempts[0].verdict == "accepted"


async def test_a_doubtful_whole_answer_escalates_and_both_calls_are_counted() -> None:
    async with Scripted() as small, Scripted() as large, calling() as desk:
        small.answer(text(words(3), logprobs=[SURE, DOUBTFUL, SURE], usage=(5, 0, 3)))
        large.answer(text("from large", usage=(5, 0, 2)))
        router = cascade(desk, small, large)
        reply = await router.answer(ask(), CALLER)
        assert router.verdicts == {"unsure": 1}
    assert reply.backend.name == "large"
    assert not reply.logprobs_added
    assert "logprobs" not in large.requests[0].json
    assert [(a.backend, a.verdict) for a in reply.attempts] == [("small", "unsure"), ("large", None)]
    assert [a.usage is not None and a.usage.completion for a in reply.attempts] == [3, 2]


async def test_a_sure_stream_flows_live_after_its_prefix() -> None:
    gate = Gate()
    async with Scripted() as small, Scripted() as large, calling() as desk:
        small.answer(sure(6, gate=gate))
        task = asyncio.create_task(cascade(desk, small, large).answer(ask(stream=True), CALLER))
        await small.arrived(1)
        gate.step(2)
        await asyncio.sleep(0.02)
        assert not task.done()  # three of four tokens: not yet
        gate.step()
        reply = await asyncio.wait_for(task, 30.0)
        assert reply.backend.name == "small"
        assert reply.events is not None
        first = [await anext(reply.events) for _ in range(5)]  # the role, then four tokens
        assert said(first) == "w0 w1 w2 w3 "
        assert not small.requests[0].answered.is_set()
        gate.open()
        assert said([event async for event in reply.events]) == "w4 w5 "
        assert large.count == 0
    assert reply.assembler is not None
    assert reply.assembler.done
    assert reply.attempts[0].usage is not None
    assert reply.logprobs_added


async def test_a_doubtful_stream_is_aborted_and_the_caller_sees_the_large_one_alone() -> None:
    async with Scripted() as small, Scripted() as large, calling() as desk:
        small.answer(text(words(9), logprobs=[SURE, SURE, DOUBTFUL, *[SURE] * 6], gate=(gate := Gate())))
        large.answer(text("from large"))
        gate.step(3)
        reply = await cascade(desk, small, large).answer(ask(stream=True), CALLER)
        await asyncio.wait_for(small.requests[0].gone.wait(), 2.0)
        assert reply.events is not None
        assert said([event async for event in reply.events]) == "from large"
    left, paid = reply.attempts
    assert (left.verdict, left.outcome, left.estimated) == ("unsure", "left", True)
    assert left.usage is not None
    assert left.usage.completion == 4
    assert paid.outcome == 200


async def test_a_stream_shorter_than_its_prefix_is_judged_at_its_end() -> None:
    async with Scripted() as small, Scripted() as large, calling() as desk:
        small.answer(sure(2), text(words(2), logprobs=[SURE, DOUBTFUL]))
        large.answer(text("from large"))
        router = cascade(desk, small, large)
        accepted = await router.answer(ask(stream=True), CALLER)
        assert accepted.events is not None
        assert said([event async for event in accepted.events]) == "w0 w1 "
        refused = await router.answer(ask(stream=True), CALLER)
        assert refused.backend.name == "large"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("behaviour", [text(words(30)), tool_call()], ids=["text", "tool call"])
async def test_no_log_probs_although_asked_is_not_accepted(behaviour: Behaviour, stream: bool) -> None:
    async with Scripted() as small, Scripted() as large, calling() as desk:
        small.answer(behaviour)
        large.answer(text())
        router = cascade(desk, small, large)
        assert (await router.answer(ask(stream=stream), CALLER)).backend.name == "large"
        assert router.verdicts == {"no_logprobs": 1}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "behaviour", [error(500), error(400), reset(), half_event()], ids=["500", "400", "reset", "half an event"]
)
async def test_a_stage_that_fails_is_passed_over(behaviour: Behaviour, stream: bool) -> None:
    async with Scripted() as small, Scripted() as large, calling() as desk:
        small.answer(behaviour)
        large.answer(text("from large"))
        reply = await cascade(desk, small, large).answer(ask(stream=stream), CALLER)
        assert reply.backend.name == "large"
        if reply.events is not None:
            assert said([event async for event in reply.events]) == "from large"
    assert len(reply.attempts) == 2


async def test_the_last_stage_is_never_judged() -> None:
    async with Scripted() as small, Scripted() as middle, Scripted() as large, calling() as desk:
        for up in (small, middle, large):
            up.answer(text(words(3), logprobs=[DOUBTFUL] * 3))
        router = cascade(desk, small, middle, large)
        reply = await router.answer(ask(), CALLER)
        assert router.verdicts == {"unsure": 2}
    assert [attempt.backend for attempt in reply.attempts] == ["small", "middle", "large"]


async def test_a_last_stage_that_fails_has_the_fallbacks() -> None:
    async with Scripted() as small, Scripted() as large, calling() as desk:
        small.answer(text(words(3), logprobs=[DOUBTFUL] * 3), text("from small after all"))
        large.answer(error(503))
        reply = await cascade(desk, small, large, fallbacks=["small"]).answer(ask(), CALLER)
    assert reply.backend.name == "small"
    assert [(a.backend, a.outcome) for a in reply.attempts] == [("small", 200), ("large", 503), ("small", 200)]


async def test_without_a_rule_the_first_answer_that_comes_is_it() -> None:
    async with Scripted() as small, Scripted() as large, calling() as desk:
        small.answer(text("quick"))
        reply = await cascade(desk, small, large, rule=None).answer(ask(stream=True), CALLER)
        assert reply.events is not None
        assert said([event async for event in reply.events]) == "quick"
    assert "logprobs" not in small.requests[0].json


async def test_leaving_while_a_stream_is_held_frees_the_stage() -> None:
    async with Scripted() as small, Scripted() as large, calling() as desk:
        small.answer(stall(after="piece"))
        task = asyncio.create_task(cascade(desk, small, large).answer(ask(stream=True), CALLER))
        request = await small.arrived(1)
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.wait([task])
        await asyncio.wait_for(request.gone.wait(), 2.0)
        assert large.count == 0


async def test_closing_an_accepted_stream_frees_the_stage() -> None:
    async with Scripted() as small, Scripted() as large, calling() as desk:
        small.answer(sure(9, gate=(gate := Gate())))
        gate.step(3)
        reply = await cascade(desk, small, large).answer(ask(stream=True), CALLER)
        assert reply.events is not None
        await anext(reply.events)
        await reply.events.aclose()
        await asyncio.wait_for(small.requests[0].gone.wait(), 2.0)


async def test_embeddings_always_come_from_the_last_stage() -> None:
    body = {"model": "auto", "input": "x"}
    async with Scripted() as small, Scripted() as large, calling() as desk:
        large.answer(error(400))
        await cascade(desk, small, large).answer(OPENAI_EMBEDDINGS.parse(b'{"model":"auto","input":"x"}', body), CALLER)
        assert (small.count, large.count) == (0, 1)
