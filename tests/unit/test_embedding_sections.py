"""A policy's embedding as Config says it, on one machine and in a cluster."""

from typing import Any

import pytest

from doubles.objects import parsed, policy, route
from sluice_operator.compile import compile  # noqa: A004
from sluice_operator.credentials import ClusterView, Grant
from sluice_sidecar.config import BuiltinEmbedding, Credential, EmbeddingEndpoint, OnnxEmbedding, Policy

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


def test_where_no_wordings_are_compared_nothing_is_loaded() -> None:
    found = section(workload="Invoice", embedding=ONNX)
    assert found.embedding == BuiltinEmbedding()
    assert "onnx" not in found.requires
