"""Stores, shared state and egress as Config says them, on one machine and in a cluster."""

from typing import Any

import pytest

from doubles.objects import gateway, parsed, policy, route
from sluice_operator.compile import compile  # noqa: A004
from sluice_operator.credentials import ClusterView, Grant
from sluice_sidecar.config import CAPABILITIES, Config, Credential, FaissStore, PineconeStore, QdrantStore, RedisServer

KEY = {"secret": "s", "key": "k"}
VIEW = ClusterView({"s": Grant({"k": "v"}, ("q.example.com", "redis.example.com"))})


def config(*objects: dict[str, Any], cluster: ClusterView | None = VIEW) -> Config:
    result = compile(parsed(route("r", cachePolicy={"name": "p"}), *objects), cluster=cluster, namespace="team")
    assert result.errors == ()
    return result.config


def test_a_managed_qdrant_is_the_namespaces_own_and_its_key_is_the_namespaces() -> None:
    found = config(policy("p", workload="Classification", store={"qdrant": {"managed": {}}})).policies["p"]
    assert found.store == QdrantStore(
        url="http://sluice-qdrant.team.svc:6333",
        collection="sluice-team-minilm-384",
        api_key=Credential(secret="sluice-store", key="qdrant-api-key"),
        managed=True,
    )
    assert found.requires == ("bound", "identical", "label", "qdrant")


def test_a_managed_redis_is_the_namespaces_own() -> None:
    found = config(policy("p", workload="Classification", store={"redis": {"managed": {}}})).policies["p"]
    assert found.store == RedisServer(
        address="sluice-redis.team.svc:6379",
        prefix="sluice:team:",
        username=Credential(secret="sluice-store", key="redis-username"),
        password=Credential(secret="sluice-store", key="redis-password"),
        managed=True,
    )
    assert found.requires == ("bound", "identical", "label", "redis")


def test_an_external_stores_key_is_mounted_in_a_cluster_and_in_the_environment_on_one_machine() -> None:
    external = policy("p", workload="Classification", store={"qdrant": {"url": "https://q.example.com", "apiKey": KEY}})
    there, here = (config(external, cluster=view).policies["p"].store for view in (VIEW, None))
    assert isinstance(there, QdrantStore)
    assert isinstance(here, QdrantStore)
    assert there.api_key == Credential(secret="sluice-store", key="external-s_k")
    assert here.api_key == Credential(secret="s", key="k")
    assert (there.url, there.managed) == ("https://q.example.com", False)


def test_an_external_redis_has_our_prefix() -> None:
    found = config(
        policy("p", workload="Classification", store={"redis": {"address": "redis.example.com:6379"}}), cluster=None
    ).policies["p"]
    assert found.store == RedisServer(address="redis.example.com:6379", prefix="sluice:team:")


def test_an_index_at_pinecone_has_a_namespace_of_ours_and_the_mounted_key() -> None:
    at = {"url": "https://q.example.com", "apiKey": KEY}
    for more, namespace in (({}, "sluice-team-minilm-384"), ({"indexNamespace": "a"}, "sluice-a-minilm-384")):
        wanted = policy("p", workload="Classification", store={"pinecone": {**at, **more}})
        there, here = (config(wanted, cluster=view).policies["p"].store for view in (VIEW, None))
        mounted = Credential(secret="sluice-store", key="external-s_k")
        assert there == PineconeStore(url="https://q.example.com", namespace=namespace, api_key=mounted)
        assert here == PineconeStore(
            url="https://q.example.com", namespace=namespace, api_key=Credential(secret="s", key="k")
        )


@pytest.mark.parametrize(
    "store",
    [
        {"faiss": {}},
        {"qdrant": {"url": "https://q.example.com"}},
        {"redis": {"address": "redis.example.com:6379"}},
        {"pinecone": {"url": "https://q.example.com", "apiKey": KEY}},
    ],
)
def test_a_gateway_can_do_what_a_store_requires(store: dict[str, Any]) -> None:
    found = config(policy("p", workload="Classification", store=store)).policies["p"]
    assert set(store) <= set(found.requires) <= CAPABILITIES


def test_faiss_needs_no_settings() -> None:
    assert config(policy("p", store={"faiss": {}})).policies["p"].store == FaissStore()


def test_the_gateway_carries_state_and_trust_in_a_cluster() -> None:
    found = config(
        policy("p"),
        gateway(
            state={"redis": {"address": "redis.example.com:6379", "password": KEY}},
            egress={"caBundle": {"configMap": {"name": "ca", "key": "ca.pem"}}},
        ),
    ).gateway
    assert found.state == RedisServer(
        address="redis.example.com:6379",
        prefix="sluice:team:",
        password=Credential(secret="sluice-store", key="external-s_k"),
    )
    assert found.egress.ca_bundle


def test_an_embedded_store_names_no_server() -> None:
    assert config(policy("p")).policies["p"].store is None
