"""A policy's embedding as Config says it, on one machine and in a cluster."""

from typing import Any

import pytest

from doubles.objects import parsed, policy, route
from sluice_operator.compile import compile  # noqa: A004
from sluice_operator.credentials import ClusterView, Grant
from sluice_sidecar.config import (
    BuiltinEmbedding,
    Credential,
    EmbeddedStore,
    EmbeddingEndpoint,
    FaissStore,
    OnnxEmbedding,
    Policy,
    QdrantStore,
    RedisServer,
    SharedStore,
)

VIEW = ClusterView({"s": Grant({"k": "v"}, ("e.example.com",))})
PARAPHRASE = {"paraphrase": {"similarity": "0.9"}}
ONNX = {"onnx": {"path": "/models/small", "dimensions": 384}}
ENDPOINT = {
    "openAI": {
        "url": "https://e.example.com/v1",
        "model": "small",
        "dimensions": 384,
        "apiKey": {"secret": "s", "key": "k"},
    }
}


def section(cluster: ClusterView | None = None, **spec: Any) -> Policy:
    result = compile(parsed(route("r", cachePolicy={"name": "p"}), policy("p", **spec)), cluster=cluster)
    assert result.errors == ()
    return result.config.policies["p"]


def test_the_builtin_model_is_the_default_and_needs_nothing_of_a_gateway() -> None:
    found = section(reuse=PARAPHRASE)
    assert found.embedding == BuiltinEmbedding()
    assert "builtin" not in found.requires


def test_a_folder_is_named_and_older_gateways_refuse_it() -> None:
    found = section(reuse=PARAPHRASE, embedding=ONNX)
    assert found.embedding == OnnxEmbedding(path="/models/small", dimensions=384)
    assert "onnx" in found.requires


@pytest.mark.parametrize(
    ("cluster", "credential"),
    [(None, Credential(secret="s", key="k")), (VIEW, Credential(secret="sluice-store", key="external-s_k"))],
)
def test_an_endpoints_key_is_where_its_gateway_finds_it(cluster: ClusterView | None, credential: Credential) -> None:
    found = section(cluster, reuse=PARAPHRASE, embedding=ENDPOINT)
    assert found.embedding == EmbeddingEndpoint(
        url="https://e.example.com/v1", model="small", dimensions=384, credential=credential
    )
    assert "endpoint" in found.requires


@pytest.mark.parametrize(("wide", "kept"), [(128, 384), (384, 384), (768, 768)])
def test_the_stores_width_follows_the_embedder(wide: int, kept: int) -> None:
    embedding = {"onnx": {"path": "/m", "dimensions": wide}}

    def store(**of: Any) -> SharedStore | None:
        return section(reuse=PARAPHRASE, embedding=embedding, store=of).store

    assert store(embedded={}) == (None if kept == 384 else EmbeddedStore(dimensions=kept))
    assert store(faiss={}) == FaissStore(dimensions=kept)
    redis, qdrant = store(redis={"address": "r:6379"}), store(qdrant={"url": "https://q.example.com"})
    assert isinstance(redis, RedisServer)
    assert isinstance(qdrant, QdrantStore)
    assert redis.dimensions == kept
    name = "minilm-384" if kept == 384 else "own-768"
    assert (qdrant.dimensions, qdrant.collection) == (kept, f"sluice-default-{name}")


def test_where_no_wordings_are_compared_nothing_is_loaded() -> None:
    found = section(workload="Invoice", embedding=ONNX)
    assert found.embedding == BuiltinEmbedding()
    assert "onnx" not in found.requires
