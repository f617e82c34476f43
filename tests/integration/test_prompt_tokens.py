"""Tokens are counted by the backend's own tokenizer where it can be asked, and elsewhere by an estimate, marked."""

from collections.abc import AsyncIterator

import pytest

from doubles import behaviours
from doubles.calling import backend
from doubles.scripted import Behaviour, Request, Scripted
from sluice_sidecar.audit.tokens import Count, Tokens
from sluice_sidecar.config import Backend, Credential
from sluice_sidecar.upstream.client import Client
from sluice_sidecar.upstream.guard import Guard

TEXT = "Grüße aus dem Laden. "


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    one = Client(Guard(loopback=True))
    yield one
    await one.close()


def counting(client: Client) -> Tokens:
    return Tokens(lambda: client, lambda one: (one.url,) if one.url else ())


async def test_llama_cpp_and_vllm_are_asked_once_a_text(client: Client) -> None:
    def engine(request: Request) -> Behaviour:
        body = request.json
        assert body["content"] == body["prompt"] == TEXT
        vllm = second.origin.endswith(request.headers["host"])
        return behaviours.json_body({"count": 7, "tokens": []} if vllm else {"tokens": [1, 2, 3]})

    async with Scripted() as first, Scripted() as second:
        for server in (first, second):
            server.otherwise(behaviours.chosen(engine))
        tokens = counting(client)
        llama, vllm = backend(first.url, "llama"), backend(second.url, "vllm")
        assert tokens.count(llama, TEXT) == Count(6, False)
        for _ in range(2):
            assert (await tokens.learn(llama, TEXT), await tokens.learn(vllm, TEXT)) == (Count(3, True), Count(7, True))
        assert (first.count, second.count) == (1, 1)
        assert [request.path for request in first.requests] == ["/tokenize"]
        assert tokens.count(llama, TEXT) == Count(3, True)


@pytest.mark.parametrize(
    "answer",
    [behaviours.error(404), behaviours.html(500), behaviours.invalid_json(), behaviours.json_body([1]),
     behaviours.json_body({"count": "7"}), behaviours.reset()],
)  # fmt: skip
async def test_who_cannot_tell_is_left_alone_and_the_estimate_stands(client: Client, answer: Behaviour) -> None:
    async with Scripted() as server:
        server.otherwise(answer)
        tokens, one = counting(client), backend(server.url)
        for _ in range(3):
            assert await tokens.learn(one, TEXT) == Count(6, False)
        assert server.count == 1


async def test_a_backend_behind_a_key_is_not_asked(client: Client) -> None:
    async with Scripted() as server:
        one = backend(server.url, credential=Credential(secret="s", key="k"))
        assert await counting(client).learn(one, TEXT) == Count(6, False)
        assert server.count == 0


def test_the_estimate_counts_bytes() -> None:
    tokens = Tokens(lambda: pytest.fail("nobody is asked"), lambda _: ())
    one = Backend(name="large", url="http://127.0.0.1:9/v1")
    assert [tokens.count(one, text).tokens for text in ("", "word", "words", "\u6c34\u6e90", "\ud800")] == [
        0,
        1,
        2,
        2,
        1,
    ]
