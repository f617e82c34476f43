"""An embeddings endpoint, on a real server that answers as a test wants."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from doubles.behaviours import embeddings, error, json_body, raw_body, reset, stall
from doubles.scripted import Gate, Scripted
from sluice_sidecar.cache.embedders.embedder import EmbeddingError, TooLong, checked
from sluice_sidecar.cache.embedders.endpoint import FAILURES, LONGEST, REST, Endpoint
from sluice_sidecar.config import Credential, EmbeddingEndpoint
from sluice_sidecar.credentials import Credentials
from sluice_sidecar.upstream.client import Client
from sluice_sidecar.upstream.guard import Guard
from sluice_sidecar.upstream.request import Timeouts

GOOD = embeddings(384)


class Hands:
    """Seconds that stand until they are moved."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
async def up() -> AsyncIterator[Scripted]:
    async with Scripted() as one:
        one.otherwise(GOOD)
        yield one


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    one = Client(Guard(loopback=True))
    yield one
    await one.close()


def endpoint(up: Scripted, client: Client, *, seconds: Any = None, first: float = 5.0, **settings: Any) -> Endpoint:
    known: dict[str, Any] = {"url": up.url, "model": "small", "dimensions": 384}
    environ = {"SLUICE_SECRET_OPENAI_KEY": "s3cret", "SLUICE_SECRET_TORN_KEY": "s3\r\nx-other: y"}
    return Endpoint(
        EmbeddingEndpoint(**{**known, **settings}), client, Credentials(environ),
        seconds=seconds or Hands(), timeouts=Timeouts(first, first, first),
    )  # fmt: skip


async def test_texts_that_wait_are_one_call(up: Scripted, client: Client) -> None:
    one = endpoint(up, client, credential=Credential(secret="openai", key="key"))
    texts = [f"text {number}" for number in range(20)]
    vectors = await asyncio.gather(*map(one, texts))
    assert len({checked(vector).tobytes() for vector in vectors}) == len(texts)
    assert up.count == 1
    request = up.requests[0]
    assert request.path == "/v1/embeddings"
    assert request.headers["authorization"] == "Bearer s3cret"
    assert request.json == {"model": "small", "input": texts, "dimensions": 384, "encoding_format": "float"}
    assert (await one(texts[3])).tobytes() == vectors[3].tobytes()
    assert up.count == 1


async def test_vectors_go_to_their_texts_whatever_their_order(up: Scripted, client: Client) -> None:
    rows = [{"index": 1, "embedding": [0.0, 1.0] * 192}, {"index": 0, "embedding": [1.0, 0.0] * 192}]
    up.answer(json_body({"data": rows}))
    one, other = await asyncio.gather(*map(endpoint(up, client), ("first", "second")))
    assert (one[0] > 0, other[0] > 0) == (True, False)


async def test_a_server_that_knows_no_dimensions_is_asked_without(up: Scripted, client: Client) -> None:
    one = endpoint(up, client)
    up.answer(error(400))
    await one("a")
    await one("b")
    assert ["dimensions" in request.json for request in up.requests] == [True, False, False]


async def test_a_credential_that_would_add_a_header_is_not_sent(up: Scripted, client: Client) -> None:
    one = endpoint(up, client, credential=Credential(secret="torn", key="key"))
    with pytest.raises(EmbeddingError, match=r"torn/key has characters no header may hold") as raised:
        await one("a")
    assert "s3" not in str(raised.value)
    assert up.count == 0


async def test_a_missing_credential_is_named(up: Scripted, client: Client) -> None:
    one = endpoint(up, client, credential=Credential(secret="other", key="key"))
    with pytest.raises(EmbeddingError, match=r"other/key has no value: set .*SLUICE_SECRET_OTHER_KEY"):
        await one("a")
    assert up.count == 0


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (error(401), "answered 401"),
        (error(500), "answered 500"),
        (raw_body(b"<html>"), "did not answer with embeddings"),
        (json_body({"error": {"message": "in disguise"}}), "did not answer with embeddings"),
        (json_body({"data": []}), "0 vectors for 1 texts"),
        (json_body({"data": [{"index": 7, "embedding": [1.0] * 384}]}), "1 vectors for 1 texts"),
        (json_body({"data": [{"index": 0, "embedding": [1.0] * 1536}]}), r"shape \(1536,\), not \(384,\)"),
        (json_body({"data": [{"index": 0, "embedding": ["x"] * 384}]}), "did not answer with embeddings"),
        (json_body({"data": [{"index": 0, "embedding": [None] * 384}]}), "without direction"),
        (raw_body(b'{"data":[{"index":0,"embedding":[NaN]}]}'), "did not answer with embeddings"),
        (json_body({"data": [{"index": 0, "embedding": [1e38] * 384}]}), "without direction"),
        (json_body({"data": [{"index": 0, "embedding": [1e300] * 384}]}), "without direction"),
        (json_body({"data": [{"index": 0, "embedding": [0.0] * 384}]}), "without direction"),
        (reset(), "cannot be asked"),
    ],
    ids=str,
)
async def test_what_is_no_embedding_is_refused(up: Scripted, client: Client, behaviour: Any, reason: str) -> None:
    up.answer(behaviour, behaviour)
    one = endpoint(up, client)
    with pytest.raises(EmbeddingError, match=reason):
        await one("a")


async def test_a_slow_one_ends_at_its_timeout(up: Scripted, client: Client) -> None:
    up.answer(stall(Gate()))
    with pytest.raises(EmbeddingError, match="cannot be asked"):
        await endpoint(up, client, first=0.05)("a")


async def test_a_failing_one_is_left_alone_for_a_while(up: Scripted, client: Client) -> None:
    clock = Hands()
    one = endpoint(up, client, seconds=clock)
    up.answer(*[error(503)] * FAILURES)
    for _ in range(FAILURES):
        with pytest.raises(EmbeddingError, match="503"):
            await one("a")
    with pytest.raises(EmbeddingError, match="left alone"):
        await one("a")
    assert up.count == FAILURES
    clock.at = REST
    assert (await one("a")).shape == (384,)


async def test_a_text_that_its_server_might_cut_is_not_sent(up: Scripted, client: Client) -> None:
    with pytest.raises(TooLong):
        await endpoint(up, client)("x" * (LONGEST + 1))
    assert up.count == 0


async def test_it_is_reached_only_where_egress_allows(up: Scripted) -> None:
    strict = Client(Guard())
    with pytest.raises(EmbeddingError, match="cannot be asked"):
        await endpoint(up, strict)("a")
    await strict.close()
    assert up.count == 0
