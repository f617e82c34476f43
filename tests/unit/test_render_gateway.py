"""What the shared gateway is rendered to."""

from typing import Any

import pytest

from doubles.objects import gateway as written
from sluice_operator import names
from sluice_operator.admission.inject import inject
from sluice_operator.installation import Installation
from sluice_operator.kinds import SluiceGateway
from sluice_operator.kinds.sluice_gateway import SluiceGatewaySpec
from sluice_operator.plan.plan import Manifest
from sluice_operator.render.gateway import CLOSE_SECONDS, LEAVE_SECONDS, gateway
from sluice_sidecar.main import arguments

INSTALLATION = Installation()


def rendered(installation: Installation = INSTALLATION, **spec: Any) -> dict[str, Manifest]:
    value = SluiceGateway.model_validate(written(**spec))
    return {entry["kind"]: entry for entry in gateway("shop", value.spec, installation)}


def pod(found: dict[str, Manifest]) -> dict[str, Any]:
    spec: dict[str, Any] = found["Deployment"]["spec"]["template"]["spec"]
    return spec


def test_everything_is_the_operators_own_and_in_the_namespace() -> None:
    found = rendered()
    assert set(found) == {"ServiceAccount", "Service", "Deployment", "PodDisruptionBudget", "NetworkPolicy"}
    for entry in found.values():
        assert entry["metadata"]["labels"].items() >= {names.MANAGED_BY: "sluice", names.COMPONENT: "gateway"}.items()
        assert entry["metadata"]["namespace"] == "shop"
        assert "ownerReferences" not in entry["metadata"]


def test_the_gateways_own_command_line_takes_its_arguments() -> None:
    options = arguments(pod(rendered())["containers"][0]["args"])
    assert (options.cluster, options.host, options.port) == ("shared", "0.0.0.0", 8080)
    assert (options.admin_host, options.admin_port) == ("0.0.0.0", 8081)
    assert (str(options.data), options.namespace, options.relay) == ("/data", "shop", None)
    [sidecar] = [
        entry["value"][0]
        for entry in inject(
            {"metadata": {"labels": {names.INJECT: "true"}}, "spec": {"containers": []}}, "shop", INSTALLATION, "1"
        )
        if entry["path"] == "/spec/initContainers"
    ]
    options = arguments(sidecar["args"])
    assert (options.cluster, options.host, options.port) == ("sidecar", "127.0.0.1", 15480)
    assert options.relay == "http://sluice-gateway.shop.svc.cluster.local"


def test_a_rollout_and_a_leaving_pod_drop_nothing() -> None:
    found = rendered(drain="90500ms")
    strategy = found["Deployment"]["spec"]["strategy"]["rollingUpdate"]
    assert (strategy["maxUnavailable"], strategy["maxSurge"]) == (0, "25%")
    wait = pod(found)["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert wait == ["python", "-c", f"import time; time.sleep({LEAVE_SECONDS})"]
    assert pod(found)["terminationGracePeriodSeconds"] == LEAVE_SECONDS + 91 + CLOSE_SECONDS


def test_no_pod_gets_a_token_that_it_does_not_mount_itself() -> None:
    found = rendered()
    assert found["ServiceAccount"]["automountServiceAccountToken"] is False
    assert pod(found)["automountServiceAccountToken"] is False
    sources = {entry["name"]: entry["projected"]["sources"] for entry in pod(found)["volumes"] if "projected" in entry}
    assert [entry["serviceAccountToken"] for entry in sources["sluice-operator"]] == [
        {"audience": "sluice", "expirationSeconds": 3600, "path": "token"}
    ]
    assert "audience" not in sources["sluice-api"][0]["serviceAccountToken"]


def test_probes_ask_what_each_is_for() -> None:
    [served] = pod(rendered())["containers"]
    asked = {kind: served[kind]["httpGet"] for kind in ("startupProbe", "readinessProbe", "livenessProbe")}
    assert asked == {
        "startupProbe": {"path": "/startz", "port": 8081},
        "readinessProbe": {"path": "/readyz", "port": 8081},
        "livenessProbe": {"path": "/healthz", "port": 8081},
    }


def test_tls_has_a_port_of_its_own_beside_the_sidecars() -> None:
    plain, secure = rendered(), rendered(expose={"tls": {"secret": "cert"}})
    http = {"name": "http", "port": 80, "targetPort": "data", "protocol": "TCP"}
    https = {"name": "https", "port": 443, "targetPort": "tls", "protocol": "TCP"}
    assert [entry for entry in plain["Service"]["spec"]["ports"] if entry["name"] != "admin"] == [http]
    assert [entry for entry in secure["Service"]["spec"]["ports"] if entry["name"] != "admin"] == [http, https]
    assert {"name": "sluice-tls", "secret": {"secretName": "cert"}} in pod(secure)["volumes"]
    [served] = pod(secure)["containers"]
    mounts = {entry["name"]: entry["mountPath"] for entry in served["volumeMounts"]}
    assert mounts["sluice-tls"] == names.TLS_FOLDER
    options = arguments(served["args"])
    assert (str(options.tls), options.tls_port) == (names.TLS_FOLDER, names.GATEWAY_TLS_PORT)
    assert {"name": "tls", "containerPort": options.tls_port, "protocol": "TCP"} in served["ports"]


def test_the_gateway_is_told_how_many_processes_it_has() -> None:
    assert arguments(pod(rendered())["containers"][0]["args"]).workers == 1
    assert arguments(pod(rendered(workers=4))["containers"][0]["args"]).workers == 4


def test_trusted_certificates_are_mounted() -> None:
    found = rendered(egress={"caBundle": {"configMap": {"name": "house", "key": "root.pem"}}})
    [volume] = [entry for entry in pod(found)["volumes"] if entry["name"] == "sluice-ca"]
    assert volume["configMap"]["items"] == [{"key": "root.pem", "path": "ca.crt"}]
    assert volume["configMap"]["optional"] is False


def test_resources_are_the_users_over_the_installations() -> None:
    found = pod(rendered(resources={"requests": {"cpu": "0.5"}, "limits": {"memory": "2048Mi"}}))
    assert found["containers"][0]["resources"] == {
        "requests": {"cpu": "500m", "memory": "128Mi"},
        "limits": {"memory": "2Gi"},
    }


@pytest.mark.parametrize(
    ("spec", "open_"),
    [
        ({}, False),
        ({"auth": {"keys": {"secret": "keys"}}}, True),
        ({"expose": {"tls": {"secret": "cert"}}}, False),
        ({"expose": {"tls": {"secret": "cert"}}, "auth": {"keys": {"secret": "keys"}}}, False),
        ({"expose": {"httpRoute": {"parentRefs": [{"name": "public"}]}}}, True),
    ],
)
def test_without_keys_only_the_namespace_reaches_the_gateway(spec: dict[str, Any], open_: bool) -> None:
    found = rendered(**spec)["NetworkPolicy"]["spec"]
    data, *tls, admin = found["ingress"]
    assert data["ports"][0]["port"] == 8080
    assert tls == ([{"ports": [{"port": 8443, "protocol": "TCP"}]}] if "tls" in spec.get("expose", {}) else [])
    assert data.get("from") == (None if open_ else [{"podSelector": {}}])
    assert admin["ports"][0]["port"] == 8081
    assert {"podSelector": {}} not in admin["from"]


def test_policies_budgets_and_services_select_the_gateways_pods_alone() -> None:
    found = rendered()
    labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"]
    sidecar_labels = {names.GATEWAY: "sidecar", "app": "x"}
    for selector in (
        found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
        found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        found["Service"]["spec"]["selector"],
        found["Deployment"]["spec"]["selector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()
        assert not selector.items() <= sidecar_labels.items()


def test_a_route_of_the_gateway_api_is_made_only_where_the_cluster_has_it() -> None:
    spec: dict[str, Any] = {
        "expose": {
            "httpRoute": {
                "parentRefs": [{"name": "public", "namespace": "edge", "sectionName": "https"}],
                "hostnames": ["llm.example.com"],
            }
        }
    }
    assert "HTTPRoute" not in rendered(**spec)
    assert "HTTPRoute" not in rendered(Installation(gateway_api=True))
    found = rendered(Installation(gateway_api=True), **spec)["HTTPRoute"]["spec"]
    assert found == {
        "parentRefs": [{"name": "public", "namespace": "edge", "sectionName": "https"}],
        "hostnames": ["llm.example.com"],
        "rules": [{"backendRefs": [{"name": "sluice-gateway", "port": 80}]}],
    }


def test_neither_a_new_app_nor_a_new_operator_rolls_the_gateway() -> None:
    before = gateway("shop", SluiceGatewaySpec(), INSTALLATION)
    assert before == gateway("shop", SluiceGatewaySpec(), Installation(), sidecar_accounts=["web"])
    assert before == gateway("shop", SluiceGatewaySpec(), Installation(report_ca="pem"))


def test_the_place_for_reports_is_not_a_config_maps_to_say() -> None:
    (container,) = rendered(Installation(report_url="https://reports"))["Deployment"]["spec"]["template"]["spec"][
        "containers"
    ]
    assert container["args"][container["args"].index("--report-to") + 1] == "https://reports"
