"""One whole answer: what is sent, what comes back, what is counted."""

import orjson
import pytest

from doubles.behaviours import embeddings, raw_body, text
from doubles.calling import CALLER, ONCE, ask, backend, calling
from doubles.scripted import Scripted
from sluice_sidecar.ask import Caller, Problem, Usage
from sluice_sidecar.config import Credential
from sluice_sidecar.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sluice_sidecar.dialects.openai_embeddings import OPENAI_EMBEDDINGS

KEY = Credential(secret="open-ai", key="token")


async def test_answer_comes_whole_with_its_attempt() -> None:
    async with Scripted() as up, calling() as desk:
        up.answer(text("Hi there", usage=(10, 4, 2), headers={"x-request-id": "req_1", "set-cookie": "a=b"}))
        reply = await desk.courier.ask(ask(), backend(up.url, model="m1"), CALLER, ONCE)
    assert reply.status == 200
    assert reply.body is not None
    assert reply.whole is not None
    assert reply.whole == orjson.loads(reply.body)
    assert reply.whole["choices"][0]["message"]["content"] == "Hi there"
    assert reply.events is None
    assert (b"x-request-id", b"req_1") in reply.headers
    assert not {b"set-cookie", b"content-length"} & {name for name, _ in reply.headers}
    (attempt,) = reply.attempts
    assert (attempt.backend, attempt.outcome, attempt.usage) == ("small", 200, Usage(10, 4, 2))
    assert attempt.seconds > 0
    request = up.requests[0]
    assert (request.method, request.path, request.json["model"]) == ("POST", "/v1/chat/completions", "m1")


async def test_the_callers_headers_pass_and_its_key_does_not() -> None:
    given = {
        b"authorization": b"Bearer callers-key",
        b"x-api-key": b"callers-key",
        b"user-agent": b"sdk/1",
        b"x-custom": b"yes",
        b"content-type": b"application/json; charset=utf-8",
    }
    async with Scripted() as up, calling({"SLUICE_SECRET_OPEN_AI_TOKEN": "provider-key"}) as desk:
        up.answer(text())
        await desk.courier.ask(ask(), backend(up.url, credential=KEY), Caller("t", given), ONCE)
        headers = up.requests[0].headers
    assert headers["authorization"] == "Bearer provider-key"
    assert (headers["user-agent"], headers["x-custom"]) == ("sdk/1", "yes")
    assert headers["content-type"] == "application/json"
    assert headers["accept-encoding"] == "identity"
    assert "callers-key" not in str(headers)


async def test_anthropic_has_its_own_headers() -> None:
    async with Scripted() as up, calling({"SLUICE_SECRET_OPEN_AI_TOKEN": "provider-key"}) as desk:
        up.otherwise(text())
        target = backend(up.url, families=("anthropic",), credential=KEY)
        await desk.courier.ask(ask(dialect=ANTHROPIC_MESSAGES), target, CALLER, ONCE)
        newer = Caller("t", {b"anthropic-version": b"2099-01-01"})
        await desk.courier.ask(ask(dialect=ANTHROPIC_MESSAGES), target, newer, ONCE)
        first, second = up.requests
    assert first.path == "/v1/messages"
    assert first.headers["x-api-key"] == "provider-key"
    assert "authorization" not in first.headers
    assert first.headers["anthropic-version"] == "2023-06-01"
    assert second.headers["anthropic-version"] == "2099-01-01"


async def test_embeddings_are_asked_whole_even_of_a_backend_that_always_streams() -> None:
    async with Scripted() as up, calling() as desk:
        up.answer(embeddings())
        body = {"model": "auto", "input": "text"}
        request = OPENAI_EMBEDDINGS.parse(orjson.dumps(body), body)
        reply = await desk.courier.ask(request, backend(up.url, always_stream=True), CALLER, ONCE)
    assert reply.whole is not None
    assert reply.whole["data"][0]["embedding"]
    assert up.requests[0].path == "/v1/embeddings"


async def test_a_missing_credential_is_named_and_nothing_is_sent() -> None:
    async with Scripted() as up, calling() as desk:
        with pytest.raises(Problem, match="SLUICE_SECRET_OPEN_AI_TOKEN") as caught:
            await desk.courier.ask(ask(), backend(up.url, credential=KEY), CALLER, ONCE)
        assert up.count == 0
    assert (caught.value.status, caught.value.code) == (500, "credential_missing")


async def test_a_credential_that_no_header_may_hold_is_refused_without_showing_it() -> None:
    async with calling({"SLUICE_SECRET_OPEN_AI_TOKEN": "two\r\nlines"}) as desk:
        with pytest.raises(Problem) as caught:
            await desk.courier.ask(ask(), backend("http://127.0.0.1:1/v1", credential=KEY), CALLER, ONCE)
    assert caught.value.code == "credential_invalid"
    assert "lines" not in caught.value.message


async def test_a_dialect_that_the_backend_does_not_speak() -> None:
    async with calling() as desk:
        with pytest.raises(Problem, match="/v1/chat/completions") as caught:
            await desk.courier.ask(ask(dialect=ANTHROPIC_MESSAGES), backend("http://127.0.0.1:1/v1"), CALLER, ONCE)
    assert (caught.value.status, caught.value.code) == (400, "dialect_not_supported")


async def test_log_probs_are_asked_upstream_only_and_said_so() -> None:
    async with Scripted() as up, calling() as desk:
        up.otherwise(text("a b", logprobs=[-0.1, -0.2]))
        added = await desk.courier.ask(ask(), backend(up.url), CALLER, ONCE, logprobs=True)
        wanted = await desk.courier.ask(ask(logprobs=True), backend(up.url), CALLER, ONCE, logprobs=True)
    assert [r.json["logprobs"] for r in up.requests] == [True, True]
    assert (added.logprobs_added, wanted.logprobs_added) == (True, False)


async def test_a_backend_that_always_streams_gives_a_whole_to_who_wants_one() -> None:
    async with Scripted() as up, calling() as desk:
        up.answer(text("Hi there", usage=(10, 4, 2)))
        reply = await desk.courier.ask(ask(), backend(up.url, always_stream=True), CALLER, ONCE)
        assert up.requests[0].json["stream"] is True
        await up.requests[0].answered.wait()
    assert reply.whole is not None
    assert reply.whole["choices"][0]["message"]["content"] == "Hi there"
    assert reply.events is None
    assert (b"content-type", b"application/json") in reply.headers
    assert reply.attempts[0].usage == Usage(10, 4, 2)
    assert reply.attempts[0].first_token is not None


async def test_connections_are_used_again() -> None:
    async with Scripted() as up, calling() as desk:
        up.otherwise(text())
        for always in (False, True, False):
            await desk.courier.ask(ask(), backend(up.url, always_stream=always), CALLER, ONCE)
        assert {request.connection for request in up.requests} == {0}


async def test_a_stream_answered_whole_is_a_whole() -> None:
    async with Scripted() as up, calling() as desk:
        up.answer(raw_body(b'{"choices":[{"message":{"content":"x"}}]}'))
        reply = await desk.courier.ask(ask(stream=True), backend(up.url), CALLER, ONCE)
    assert reply.events is None
    assert reply.whole is not None
