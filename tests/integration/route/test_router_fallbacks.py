"""When a backend fails, the next one is asked; when it refuses, it is not."""

import asyncio

import orjson
import pytest

from doubles.behaviours import error, error_inside, half_event, invalid_json, reset, stall, text
from doubles.calling import CALLER, ask, backend, calling, resilient, said
from doubles.scripted import Behaviour, Scripted
from sluice_sidecar.ask import Problem
from sluice_sidecar.config import Credential, Resilience, Route, Single
from sluice_sidecar.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sluice_sidecar.route.reply import NoAnswer
from sluice_sidecar.route.router import Router

RULES = resilient(attempts=1)


def route(small: str, large: str, *, resilience: Resilience = RULES, **fields: object) -> Route:
    backends = {"small": backend(small, "small", **fields), "large": backend(large, "large")}
    return Route(
        name="r",
        models=("auto",),
        backends=backends,
        strategy=Single(backend="small"),
        fallbacks=("large",),
        reference="large",
        resilience=resilience,
    )


@pytest.mark.parametrize(
    "behaviour",
    [error(500), error(503), error(429), error(408), error_inside(), invalid_json(), reset()],
    ids=["500", "503", "429", "408", "200 with an error", "invalid JSON", "reset"],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_fails_over_after(behaviour: Behaviour, stream: bool) -> None:
    async with Scripted() as small, Scripted() as large, calling() as desk:
        small.otherwise(behaviour)
        large.answer(text("from large"))
        reply = await Router(route(small.url, large.url), desk.courier).answer(ask(stream=stream), CALLER)
        assert reply.backend.name == "large"
        assert reply.status == 200
        assert [attempt.backend for attempt in reply.attempts] == ["small", "large"]
        if reply.events is not None:
            assert said([event async for event in reply.events]) == "from large"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
async def test_does_not_fail_over_after(status: int) -> None:
    async with Scripted() as small, Scripted() as large, calling() as desk:
        small.answer(error(status))
        reply = await Router(route(small.url, large.url), desk.courier).answer(ask(), CALLER)
        assert (reply.status, large.count) == (status, 0)


async def test_never_after_the_first_byte() -> None:
    async with Scripted() as small, Scripted() as large, calling() as desk:
        small.answer(half_event())
        reply = await Router(route(small.url, large.url), desk.courier).answer(ask(stream=True), CALLER)
        assert reply.events is not None
        with pytest.raises(Problem):
            async for _ in reply.events:
                pass
        assert large.count == 0


async def test_a_breaker_that_is_open_costs_no_call() -> None:
    rules = resilient(attempts=1, failures=1)
    async with Scripted() as small, Scripted() as large, calling() as desk:
        small.otherwise(error(500))
        large.otherwise(text())
        router = Router(route(small.url, large.url, resilience=rules), desk.courier)
        for _ in range(3):
            assert (await router.answer(ask(), CALLER)).backend.name == "large"
        assert (small.count, large.count) == (1, 3)


async def test_a_missing_credential_is_a_reason_too() -> None:
    async with Scripted() as small, Scripted() as large, calling() as desk:
        large.answer(text())
        router = Router(route(small.url, large.url, credential=Credential(secret="a", key="b")), desk.courier)
        assert (await router.answer(ask(), CALLER)).backend.name == "large"


async def test_a_throttled_backend_is_not_waited_for_when_another_can_answer() -> None:
    async with Scripted() as small, Scripted() as large, calling() as desk:
        small.answer(error(429, headers={"retry-after": "5"}))
        large.answer(text())
        router = Router(route(small.url, large.url, resilience=resilient(attempts=3)), desk.courier)
        assert (await router.answer(ask(), CALLER)).backend.name == "large"
    assert desk.waits == []


async def test_when_all_fail_the_last_error_told_comes_back_as_it_came() -> None:
    async with Scripted() as small, Scripted() as large, calling() as desk:
        small.answer(error(503, "small is busy"))
        large.answer(reset())
        reply = await Router(route(small.url, large.url), desk.courier).answer(ask(), CALLER)
    assert reply.status == 503
    assert b"small is busy" in (reply.body or b"")
    assert [attempt.outcome for attempt in reply.attempts] == [503, "upstream_reset"]


async def test_an_error_inside_200_is_passed_on_when_nothing_else_works() -> None:
    async with Scripted() as small, Scripted() as large, calling() as desk:
        small.answer(error_inside("small is confused"))
        large.answer(reset())
        reply = await Router(route(small.url, large.url), desk.courier).answer(ask(), CALLER)
    assert reply.status == 200
    assert orjson.loads(reply.body or b"")["error"]["message"] == "small is confused"
    assert reply.failed == "small is confused"


async def test_when_nobody_answers_at_all() -> None:
    async with Scripted() as small, Scripted() as large, calling() as desk:
        small.answer(invalid_json())
        large.answer(reset())
        with pytest.raises(NoAnswer) as caught:
            await Router(route(small.url, large.url), desk.courier).answer(ask(), CALLER)
    assert caught.value.code == "upstream_reset"
    assert [attempt.outcome for attempt in caught.value.attempts] == ["bad_upstream_answer", "upstream_reset"]


async def test_total_is_one_for_all_backends() -> None:
    async with Scripted() as small, Scripted() as large, calling() as desk:
        small.answer(stall())
        large.answer(stall())
        router = Router(route(small.url, large.url, resilience=resilient(attempts=1, total=0.2)), desk.courier)
        with pytest.raises(NoAnswer) as caught:
            await router.answer(ask(), CALLER)
    assert caught.value.code == "total_timeout"
    assert not large.requests  # no time was left for it


async def test_leaving_during_a_fallback_frees_it() -> None:
    async with Scripted() as small, Scripted() as large, calling() as desk:
        small.answer(error(500))
        large.answer(stall())
        task = asyncio.create_task(Router(route(small.url, large.url), desk.courier).answer(ask(), CALLER))
        request = await large.arrived(1)
        task.cancel()
        await asyncio.wait([task])
        await asyncio.wait_for(request.gone.wait(), 2.0)


async def test_an_ask_too_long_for_a_backend_goes_to_one_that_has_room() -> None:
    async with Scripted() as small, Scripted() as large, calling() as desk:
        small.otherwise(text())
        large.otherwise(text())
        router = Router(route(small.url, large.url, context_window=1000), desk.courier)
        assert (await router.answer(ask("x" * 3000), CALLER)).backend.name == "small"
        assert (await router.answer(ask("x" * 5000), CALLER)).backend.name == "large"


async def test_an_ask_too_long_for_all_is_theirs_to_refuse() -> None:
    async with Scripted() as small, calling() as desk:
        small.answer(error(400, "too long"))
        only = route(small.url, small.url, context_window=10).model_copy(update={"fallbacks": ()})
        reply = await Router(only, desk.courier).answer(ask("x" * 5000), CALLER)
    assert reply.status == 400


async def test_a_backend_that_does_not_speak_the_dialect_is_passed_over() -> None:
    async with Scripted() as small, Scripted() as large, calling() as desk:
        large.answer(text())
        mixed = route(small.url, large.url, families=("anthropic",))
        assert (await Router(mixed, desk.courier).answer(ask(), CALLER)).backend.name == "large"
        assert small.count == 0


async def test_a_dialect_that_none_speaks() -> None:
    async with calling() as desk:
        router = Router(route("http://127.0.0.1:1/v1", "http://127.0.0.1:1/v1"), desk.courier)
        with pytest.raises(Problem, match="/v1/chat/completions") as caught:
            await router.answer(ask(dialect=ANTHROPIC_MESSAGES), CALLER)
    assert (caught.value.status, caught.value.code) == (400, "dialect_not_supported")


async def test_a_backend_that_is_named_and_missing_is_refused_at_once() -> None:
    broken = route("http://127.0.0.1:1/v1", "http://127.0.0.1:1/v1").model_copy(update={"fallbacks": ("huge",)})
    async with calling() as desk:
        with pytest.raises(ValueError, match="route r: no backend is named huge"):
            Router(broken, desk.courier)
