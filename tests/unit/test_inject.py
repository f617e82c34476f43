"""The patch that adds a gateway to a pod."""

from typing import Any

import pytest

from doubles.patching import patched
from sluice_operator import names
from sluice_operator.admission.inject import Refused, inject
from sluice_operator.installation import Images, Installation
from sluice_operator.kinds.references import ConfigMapKey

INSTALLATION = Installation()
Pod = dict[str, Any]


def pod(*containers: Pod, annotations: dict[str, str] | None = None, **spec: Any) -> Pod:
    metadata: Pod = {"name": "app", "labels": {names.INJECT: "true"}}
    if annotations is not None:
        metadata["annotations"] = annotations
    return {"metadata": metadata, "spec": {"containers": list(containers) or [{"name": "app"}], **spec}}


def injected(given: Pod, installation: Installation = INSTALLATION) -> Pod:
    return patched(given, inject(given, "shop", installation, "1.2.3"))


def environment(container: Pod) -> dict[str, Any]:
    return {entry["name"]: entry.get("value") for entry in container["env"]}


def option(container: Pod, name: str) -> str:
    arguments: list[str] = container["args"]
    return arguments[arguments.index(name) + 1]


def test_a_bare_pod_gets_a_native_sidecar_with_its_volumes_and_marks() -> None:
    found = injected(pod())
    [sidecar] = found["spec"]["initContainers"]
    assert (sidecar["name"], sidecar["restartPolicy"]) == ("sluice-gateway", "Always")
    assert option(sidecar, "--cluster") == "sidecar"
    assert (option(sidecar, "--host"), option(sidecar, "--port")) == ("127.0.0.1", "15480")
    assert (option(sidecar, "--admin-host"), option(sidecar, "--admin-port")) == ("0.0.0.0", "15481")
    assert option(sidecar, "--relay") == "http://sluice-gateway.shop.svc.cluster.local"
    assert option(sidecar, "--report-to") == ""
    assert {mount["name"] for mount in sidecar["volumeMounts"]} == {entry["name"] for entry in found["spec"]["volumes"]}
    assert found["metadata"]["labels"] == {names.INJECT: "true", names.GATEWAY: "sidecar"}
    assert found["metadata"]["annotations"] == {names.INJECTED: "1.2.3"}


def test_a_sidecar_never_decides_whether_the_app_is_ready() -> None:
    [sidecar] = injected(pod())["spec"]["initContainers"]
    assert "readinessProbe" not in sidecar
    assert sidecar["startupProbe"]["httpGet"] == {"path": "/startz", "port": 15481}
    assert sidecar["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": 15481}


def test_tokens_and_store_credentials_are_mounted_into_the_sidecar_alone() -> None:
    found = injected(pod({"name": "app", "volumeMounts": [{"name": "own", "mountPath": "/own"}]}))
    assert found["spec"]["containers"][0]["volumeMounts"] == [{"name": "own", "mountPath": "/own"}]


def test_the_sidecar_stands_before_the_init_containers_so_that_they_can_use_it() -> None:
    found = injected(pod(initContainers=[{"name": "migrate"}, {"name": "warm", "env": [{"name": "A", "value": "1"}]}]))
    assert [entry["name"] for entry in found["spec"]["initContainers"]] == ["sluice-gateway", "migrate", "warm"]
    for entry in found["spec"]["initContainers"][1:]:
        assert environment(entry)["OPENAI_BASE_URL"] == "http://127.0.0.1:15480/v1"


def test_every_container_finds_the_sidecar_by_its_environment() -> None:
    found = injected(pod({"name": "app"}, {"name": "worker", "env": []}))
    for entry in found["spec"]["containers"]:
        assert environment(entry) == {
            "OPENAI_BASE_URL": "http://127.0.0.1:15480/v1",
            "ANTHROPIC_BASE_URL": "http://127.0.0.1:15480",
            "OPENAI_API_KEY": "sluice",
            "ANTHROPIC_API_KEY": "sluice",
        }


def test_what_a_container_says_itself_stays() -> None:
    own = [
        {"name": "OPENAI_API_KEY", "valueFrom": {"secretKeyRef": {"name": "mine", "key": "k"}}},
        {"name": "ANTHROPIC_BASE_URL", "value": "http://elsewhere"},
    ]
    [app] = injected(pod({"name": "app", "env": own}))["spec"]["containers"]
    assert app["env"][:2] == own
    assert [entry["name"] for entry in app["env"][2:]] == ["OPENAI_BASE_URL", "ANTHROPIC_API_KEY"]


def test_the_port_is_taken_from_the_annotation() -> None:
    found = injected(pod(annotations={names.PORT_ANNOTATION: "20000"}))
    [sidecar] = found["spec"]["initContainers"]
    assert (option(sidecar, "--port"), option(sidecar, "--admin-port")) == ("20000", "20001")
    assert sidecar["startupProbe"]["httpGet"]["port"] == 20001
    assert environment(found["spec"]["containers"][0])["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:20000"
    assert found["metadata"]["annotations"] == {names.PORT_ANNOTATION: "20000", names.INJECTED: "1.2.3"}


@pytest.mark.parametrize("port", ["", "http", "80", "1023", "65535", "-1", "15480.0", "١٥٤٨٠", "999999"])
def test_a_port_that_cannot_be_is_refused(port: str) -> None:
    with pytest.raises(Refused, match="not a port from 1024 to 65534"):
        injected(pod(annotations={names.PORT_ANNOTATION: port}))


@pytest.mark.parametrize("taken", [15480, 15481])
@pytest.mark.parametrize("field", ["containers", "initContainers"])
def test_a_port_that_the_pod_has_itself_is_refused_with_the_cure(taken: int, field: str) -> None:
    given = pod()
    given["spec"].setdefault(field, []).append({"name": "web", "ports": [{"containerPort": taken}]})
    with pytest.raises(Refused, match=rf'container "web" has port {taken}; .*annotation sluice.dev/port'):
        injected(given)
    given["metadata"]["annotations"] = {names.PORT_ANNOTATION: "20000"}
    assert injected(given)["spec"]["initContainers"][0]["name"] == "sluice-gateway"


def test_a_udp_port_of_that_number_is_no_collision() -> None:
    given = pod({"name": "app", "ports": [{"containerPort": 15480, "protocol": "UDP"}]})
    assert injected(given)["spec"]["initContainers"]


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"hostNetwork": True}, "hostNetwork"),
        ({"os": {"name": "windows"}}, "Linux"),
        ({"containers": [{"name": "sluice-gateway"}]}, "another name"),
        ({"volumes": [{"name": "sluice-config", "emptyDir": {}}]}, "sluice-config"),
    ],
)
def test_a_pod_that_cannot_have_a_sidecar_is_refused(spec: Pod, why: str) -> None:
    given = pod()
    given["spec"] |= spec
    with pytest.raises(Refused, match=why) as refused:
        injected(given)
    assert why in refused.value.reason


def test_a_pod_that_has_its_gateway_is_left_alone() -> None:
    once = injected(pod())
    assert inject(once, "shop", INSTALLATION, "1.2.4") == []


@pytest.mark.parametrize("labels", [None, {}, {names.INJECT: "false"}, {"app": "x"}])
def test_a_pod_that_does_not_ask_is_left_alone(labels: dict[str, str] | None) -> None:
    given = pod()
    given["metadata"]["labels"] = labels
    assert inject(given, "shop", INSTALLATION, "1.2.3") == []


def test_a_registry_that_wants_a_secret_gets_it_once() -> None:
    private = Installation(images=Images(pull_secrets=("mine", "ours")))
    found = injected(pod(imagePullSecrets=[{"name": "mine"}]), private)
    assert found["spec"]["imagePullSecrets"] == [{"name": "mine"}, {"name": "ours"}]


def test_a_missing_ca_bundle_never_keeps_an_app_from_starting() -> None:
    given = pod()
    bundle = ConfigMapKey(name="house-ca", key="bundle.pem")
    found = patched(given, inject(given, "shop", INSTALLATION, "1", ca_bundle=bundle))
    [volume] = [entry for entry in found["spec"]["volumes"] if entry["name"] == "sluice-ca"]
    assert volume["configMap"]["optional"] is True
    assert volume["configMap"]["items"] == [{"key": "bundle.pem", "path": "ca.crt"}]
