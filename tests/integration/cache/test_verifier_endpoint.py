"""A verifier at an address, on a real server that answers as a test wants."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from doubles.behaviours import chosen, error, json_body, raw_body, reset
from doubles.scripted import Scripted
from sluice_sidecar.cache.verifiers.endpoint import Endpoint
from sluice_sidecar.cache.verifiers.verifier import VerifierError
from sluice_sidecar.config import Credential, VerifierEndpoint
from sluice_sidecar.credentials import Credentials
from sluice_sidecar.upstream.client import Client
from sluice_sidecar.upstream.guard import Guard

KEY = Credential(secret="rank", key="key")


@pytest.fixture
async def up() -> AsyncIterator[Scripted]:
    async with Scripted() as one:
        yield one


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    one = Client(Guard(loopback=True))
    yield one
    await one.close()


def endpoint(up: Scripted, client: Client, api: Any = "Rerank", **settings: Any) -> Endpoint:
    environ = {"SLUICE_SECRET_RANK_KEY": "s3cret"}
    return Endpoint(VerifierEndpoint(url=up.url, api=api, **settings), client, Credentials(environ))


async def test_rerank_is_asked_in_both_orders_and_the_lower_score_counts(up: Scripted, client: Client) -> None:
    scores = {"a": 0.9, "b": 0.4}
    up.otherwise(
        chosen(lambda request: json_body({"results": [{"index": 0, "relevance_score": scores[request.json["query"]]}]}))
    )
    assert await endpoint(up, client, model="m", credential=KEY)("a", "b") == 0.4
    assert {request.path for request in up.requests} == {"/v1/rerank"}
    assert {request.headers["authorization"] for request in up.requests} == {"Bearer s3cret"}
    bodies = sorted((request.json for request in up.requests), key=lambda body: str(body["query"]))
    assert bodies == [{"model": "m", "query": a, "documents": [b]} for a, b in ("ab", "ba")]


async def test_tei_is_asked_as_it_speaks(up: Scripted, client: Client) -> None:
    up.otherwise(json_body([{"index": 0, "score": 0.7}]))
    assert await endpoint(up, client, "TEI")("a", "b") == 0.7
    assert [sorted(request.json) for request in up.requests] == [["query", "texts"]] * 2


async def test_score_takes_both_orders_in_one_call(up: Scripted, client: Client) -> None:
    up.otherwise(json_body({"data": [{"index": 1, "score": 0.3}, {"index": 0, "score": 1}]}))
    assert await endpoint(up, client, "Score")("a", "b") == 0.3
    assert [(request.path, request.json) for request in up.requests] == [
        ("/v1/score", {"text_1": ["a", "b"], "text_2": ["b", "a"]})
    ]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (error(500), "answered 500"),
        (reset(), "cannot be asked"),
        (raw_body(b"no json"), "cannot be asked"),
        (json_body({"results": []}), "0 scores for 1 pairs"),
        (json_body({"results": [{"index": 3, "relevance_score": 0.9}]}), "1 scores for 1 pairs"),
        (json_body({"results": [{"index": 0, "relevance_score": 0.9}] * 2}), "2 scores for 1 pairs"),
        (json_body({"results": [{"index": 0, "relevance_score": None}]}), "no number"),
        (json_body({"results": [{"index": 0, "relevance_score": True}]}), "no number"),
        (json_body({"results": [{"index": 0, "relevance_score": 7.5}]}), "not within 0 to 1"),
        (json_body({"results": [{"index": 0, "relevance_score": -1}]}), "not within 0 to 1"),
        (raw_body(b'{"results": [{"index": 0, "relevance_score": NaN}]}'), "cannot be asked"),
        (json_body({"results": {"index": 0}}), "did not answer with scores"),
        (json_body([]), "did not answer with scores"),
        (json_body({"data": 1}), "did not answer with scores"),
    ],
)
async def test_anything_else_is_no_verdict(up: Scripted, client: Client, answer: Any, reason: str) -> None:
    up.otherwise(answer)
    with pytest.raises(VerifierError, match=reason):
        await endpoint(up, client)("a", "b")


async def test_a_key_without_a_value_is_told_and_nothing_is_sent(up: Scripted, client: Client) -> None:
    with pytest.raises(VerifierError, match="rank/other has no value"):
        await endpoint(up, client, credential=Credential(secret="rank", key="other"))("a", "b")
    assert up.count == 0


async def test_a_text_that_is_no_unicode_is_no_verdict(up: Scripted, client: Client) -> None:
    with pytest.raises(VerifierError, match="cannot be asked"):
        await endpoint(up, client)("a", "\ud800")
