"""Answers that are none, and what the caller is told."""

import socket
from typing import Any

import orjson
import pytest

from doubles.behaviours import error, error_inside, html, invalid_json, json_body, raw_body, reset, stall, text
from doubles.calling import CALLER, ONCE, Calling, ask, backend, calling, resilient
from doubles.scripted import Behaviour, Scripted
from sluice_sidecar.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sluice_sidecar.route.reply import NoAnswer, Reply
from sluice_sidecar.upstream.guard import Guard


async def told(behaviour: Behaviour) -> Reply:
    async with Scripted() as up, calling() as desk:
        up.answer(behaviour)
        return await desk.courier.ask(ask(), backend(up.url), CALLER, ONCE)


async def refused(behaviour: Behaviour, *, always_stream: bool = False, **times: Any) -> NoAnswer:
    async with Scripted() as up, calling() as desk:
        up.answer(behaviour)
        with pytest.raises(NoAnswer) as caught:
            await desk.courier.ask(
                ask(), backend(up.url, always_stream=always_stream), CALLER, resilient(attempts=1, **times)
            )
        return caught.value


async def test_an_upstreams_own_error_is_a_reply_as_it_came() -> None:
    reply = await told(error(401, "bad key", headers={"x-request-id": "r"}))
    assert reply.status == 401
    assert reply.body is not None
    assert orjson.loads(reply.body)["error"]["message"] == "bad key"
    assert (b"x-request-id", b"r") in reply.headers
    assert [attempt.outcome for attempt in reply.attempts] == [401]


async def test_an_html_error_keeps_its_status_in_the_dialects_shape() -> None:
    reply = await told(html(500))
    assert reply.status == 500
    assert reply.body is not None
    assert orjson.loads(reply.body)["error"]["code"] == "upstream_error"
    assert b"<html>" not in reply.body
    assert dict(reply.headers)[b"content-type"] == b"application/json"


async def test_an_html_error_to_an_anthropic_caller() -> None:
    async with Scripted() as up, calling() as desk:
        up.answer(html(503))
        small = backend(up.url, families=("anthropic",))
        reply = await desk.courier.ask(ask(dialect=ANTHROPIC_MESSAGES), small, CALLER, ONCE)
    assert reply.body is not None
    assert orjson.loads(reply.body)["type"] == "error"


async def test_a_plain_text_error_is_quoted() -> None:
    reply = await told(raw_body(b"no healthy upstream", status=503, headers={"content-type": "text/plain"}))
    assert reply.body is not None
    assert "no healthy upstream" in orjson.loads(reply.body)["error"]["message"]


async def test_an_error_with_status_200_is_marked_and_passed_as_it_came() -> None:
    reply = await told(error_inside("model overloaded"))
    assert (reply.status, reply.failed) == (200, "model overloaded")
    assert reply.retriable
    assert reply.attempts[0].outcome == "upstream_error"


async def test_a_whole_answer_that_is_no_json() -> None:
    problem = await refused(invalid_json())
    assert (problem.status, problem.code) == (502, "bad_upstream_answer")
    assert [attempt.outcome for attempt in problem.attempts] == ["bad_upstream_answer"]


async def test_a_whole_answer_that_is_no_object() -> None:
    assert (await refused(json_body(["x"]))).code == "bad_upstream_answer"


async def test_a_redirect_is_not_followed_nor_passed() -> None:
    problem = await refused(raw_body(b"", status=307, headers={"location": "http://elsewhere/"}))
    assert problem.code == "bad_upstream_answer"
    assert "redirects" in problem.message


async def test_a_compressed_answer_that_nobody_asked_for() -> None:
    assert (await refused(raw_body(b"\x1f\x8b", headers={"content-encoding": "gzip"}))).code == "bad_upstream_answer"


async def test_a_reset_before_the_head() -> None:
    problem = await refused(reset())
    assert (problem.status, problem.code) == (502, "upstream_reset")


async def test_silence_before_the_head() -> None:
    problem = await refused(stall(), always_stream=True, first_token=0.05)
    assert (problem.status, problem.code) == (504, "first_token_timeout")


async def test_a_head_without_an_event_is_too_late_too() -> None:
    problem = await refused(stall(after="head"), always_stream=True, first_token=0.05)
    assert (problem.status, problem.code) == (504, "first_token_timeout")


async def test_a_whole_answer_may_take_its_total_but_no_more() -> None:
    problem = await refused(stall(), first_token=0.01, total=0.1)
    assert (problem.status, problem.code) == (504, "total_timeout")


async def test_an_error_in_the_stream_of_a_whole_answer() -> None:
    problem = await refused(error_inside("model overloaded"), always_stream=True)
    assert (problem.status, problem.code) == (502, "upstream_error")
    assert "model overloaded" in problem.message


async def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with calling() as desk:
            problem = await _problem(desk, f"http://127.0.0.1:{taken.getsockname()[1]}/v1")
    assert (problem.status, problem.code) == (502, "connect_failed")
    assert "small" in problem.message


async def test_an_address_that_may_not_be_called() -> None:
    async with Scripted() as up, calling(guard=Guard()) as desk:
        problem = await _problem(desk, up.url)
        assert up.count == 0
    assert (problem.status, problem.code) == (502, "egress_denied")


async def test_after_a_failure_the_backend_is_asked_as_ever() -> None:
    async with Scripted() as up, calling() as desk:
        up.answer(invalid_json(), text("fine"))
        small = backend(up.url)
        with pytest.raises(NoAnswer):
            await desk.courier.ask(ask(), small, CALLER, ONCE)
        assert (await desk.courier.ask(ask(), small, CALLER, ONCE)).status == 200


async def _problem(desk: Calling, url: str) -> NoAnswer:
    with pytest.raises(NoAnswer) as caught:
        await desk.courier.ask(ask(), backend(url), CALLER, ONCE)
    return caught.value
