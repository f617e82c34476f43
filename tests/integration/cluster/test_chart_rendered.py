"""What the chart renders: security, rules without wildcards, switches, images, and values that are refused."""

import json
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from doubles.chart import CHART, helm, objects, one
from e2e.kubebox.build import binaries
from sluice_operator import names
from sluice_operator.installation import Installation
from sluice_operator.kinds import KINDS
from sluice_sidecar.version import __version__

Render = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Helm without a cluster."""
    environment = {**os.environ, "HELM_CACHE_HOME": str(tmp_path_factory.mktemp("helm")), "KUBECONFIG": os.devnull}
    kubebox = Path(binaries()) / "kubebox"
    return lambda *arguments, fails=False: helm(kubebox, *arguments, environment=environment, fails=fails)


@pytest.fixture(scope="module")
def render(run: Callable[..., str]) -> Render:
    """The chart's objects with some values set."""

    @cache
    def rendered(*values: str) -> list[dict[str, Any]]:
        sets = [part for value in values for part in ("--set-json", value)]
        return objects(run("template", "sluice", str(CHART), "--namespace", "sluice-system", *sets))

    return rendered


def rules(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for data in found:
        if data["kind"] in {"Role", "ClusterRole"}:
            yield from data["rules"]


def granted(held: list[dict[str, Any]]) -> dict[str, set[str]]:
    """Resource, with its group, -> verbs."""
    found: dict[str, set[str]] = {}
    for rule in held:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                found.setdefault(f"{resource}.{group}".rstrip("."), set()).update(rule["verbs"])
    return found


def test_the_chart_passes_helms_own_strict_checks(run: Callable[..., str]) -> None:
    assert "0 chart(s) failed" in run("lint", "--strict", str(CHART))


def test_the_chart_is_of_the_release() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["version"] == chart["appVersion"] == __version__


def test_names_are_those_that_the_operator_and_gateways_know(render: Render) -> None:
    found = render()
    for kind in ("Deployment", "ServiceAccount", "Service", "PodDisruptionBudget"):
        one(found, kind, names.OPERATOR_NAME)
    reports = one(found, "Service", names.REPORTS_NAME)
    assert reports["spec"]["selector"][names.LEADER] == "true"
    webhook = one(found, "MutatingWebhookConfiguration", names.WEBHOOK_CONFIGURATION)["webhooks"][0]
    assert webhook["objectSelector"]["matchLabels"] == {names.INJECT: "true"}
    assert (webhook["timeoutSeconds"], webhook["reinvocationPolicy"]) == (3, "Never")
    labels = one(found, "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert Installation().operator_selector.items() <= labels.items()


def test_no_rule_has_a_wildcard(render: Render) -> None:
    for found in (render(), render('watch.namespaces=["team-a"]')):
        for rule in rules(found):
            assert "*" not in json.dumps(rule), rule
            assert "nonResourceURLs" not in rule


def test_the_cluster_role_is_what_the_operator_needs_and_no_more(render: Render) -> None:
    held = granted(one(render(), "ClusterRole")["rules"])
    read, write = {"get", "list", "watch"}, {"create", "patch", "delete"}
    kinds = {f"{kind.plural}.sluice.dev": read for kind in KINDS.values()}
    status = {f"{kind.plural}/status.sluice.dev": {"patch"} for kind in KINDS.values()}
    children = [
        *("configmaps", "secrets", "services", "serviceaccounts"),
        *(f"{name}.apps" for name in ("deployments", "statefulsets")),
        *(f"{name}.rbac.authorization.k8s.io" for name in ("roles", "rolebindings")),
        "poddisruptionbudgets.policy",
        "networkpolicies.networking.k8s.io",
        "httproutes.gateway.networking.k8s.io",
    ]
    assert held == kinds | status | dict.fromkeys(children, read | write) | {
        "persistentvolumeclaims": read | {"create", "patch"},
        "pods": read,
        "endpointslices.discovery.k8s.io": read,
        "events.events.k8s.io": {"create"},
        "tokenreviews.authentication.k8s.io": {"create"},
        "mutatingwebhookconfigurations.admissionregistration.k8s.io": read | {"patch"},
    }


def test_pods_are_changed_in_its_own_namespace_only_and_the_webhook_by_its_name(render: Render) -> None:
    found = render()
    self_role = one(found, "Role", "sluice-operator-self")
    assert self_role["metadata"]["namespace"] == "sluice-system"
    assert "patch" in granted(self_role["rules"])["pods"]
    (webhooks,) = [r for r in rules(found) if "mutatingwebhookconfigurations" in r["resources"]]
    assert webhooks["resourceNames"] == [names.WEBHOOK_CONFIGURATION]


def test_a_list_of_namespaces_takes_the_rights_over_the_cluster_away(render: Render) -> None:
    found = render('watch.namespaces=["team-a","team-b"]')
    cluster = granted(one(found, "ClusterRole")["rules"])
    assert set(cluster) == {
        "tokenreviews.authentication.k8s.io",
        "mutatingwebhookconfigurations.admissionregistration.k8s.io",
    }
    roles = [data for data in found if data["kind"] == "Role" and data["metadata"]["name"] == "sluice-operator"]
    assert [role["metadata"]["namespace"] for role in roles] == ["team-a", "team-b"]
    assert all("secrets" in granted(role["rules"]) for role in roles)
    selector = one(found, "MutatingWebhookConfiguration", "sluice-inject")["webhooks"][0]["namespaceSelector"]
    assert selector["matchExpressions"][0]["values"] == ["team-a", "team-b"]


def test_the_operator_is_restricted_and_probed_in_two_replicas(render: Render) -> None:
    spec = one(render(), "Deployment")["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    assert spec["replicas"] == 2
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert {port["name"]: port["containerPort"] for port in container["ports"]} == {"health": 8081, "webhook": 9443}
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "health"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "health"}


def test_a_registry_stands_before_every_image(render: Render) -> None:
    found = render('image.registry="registry.example.com/mirror/"')
    container = one(found, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    used = [container["image"], one(found, "Pod", "sluice-operator-test")["spec"]["containers"][0]["image"]]
    given = {entry["name"]: entry.get("value") for entry in container["env"]}
    used += [given[f"SLUICE_IMAGE_{name}"] for name in ("GATEWAY", "LLAMA_CPP", "REDIS", "QDRANT")]
    assert all(image.startswith("registry.example.com/mirror/") for image in used), used
    assert container["image"] == f"registry.example.com/mirror/sluice-operator:{__version__}"


def test_a_digest_stands_in_place_of_the_tag(render: Render) -> None:
    digest = f"sha256:{'0' * 64}"
    found = render(f'image.digest="{digest}"', 'image.tag="ignored"')
    image = one(found, "Deployment")["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == f"sluice-operator@{digest}"


def test_resources_of_gateways_default_to_the_operators_own(render: Render) -> None:
    container = one(render(), "Deployment")["spec"]["template"]["spec"]["containers"][0]
    given = {entry["name"]: entry.get("value") for entry in container["env"]}
    assert json.loads(given["SLUICE_GATEWAY_RESOURCES"]) == Installation().gateway_resources
    assert json.loads(given["SLUICE_SIDECAR_RESOURCES"]) == Installation().sidecar_resources


def test_without_injection_there_is_no_webhook_and_no_right_to_one(render: Render) -> None:
    found = render("injection.enabled=false")
    assert not [data for data in found if data["kind"] == "MutatingWebhookConfiguration"]
    assert "mutatingwebhookconfigurations" not in json.dumps(list(rules(found)))


def test_the_gateway_api_is_used_where_it_is_said_to_be_there(render: Render) -> None:
    def told(*values: str) -> object:
        env = one(render(*values), "Deployment")["spec"]["template"]["spec"]["containers"][0]["env"]
        return {entry["name"]: entry.get("value") for entry in env}["SLUICE_GATEWAY_API"]

    assert (told(), told("gatewayApi.enabled=true")) == ("false", "true")


def test_crds_are_kept_and_can_be_left_out(render: Render) -> None:
    crds = [data for data in render() if data["kind"] == "CustomResourceDefinition"]
    assert len(crds) == len(KINDS)
    assert all(crd["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep" for crd in crds)
    assert not [data for data in render("crds.install=false") if data["kind"] == "CustomResourceDefinition"]


def test_monitors_are_off_unless_asked_for(render: Render) -> None:
    assert not {"ServiceMonitor", "PodMonitor"} & {data["kind"] for data in render()}
    found = render("monitoring.serviceMonitor.enabled=true", "monitoring.podMonitor.enabled=true")
    one(found, "ServiceMonitor")
    one(found, "PodMonitor", "sluice-gateways")


def test_labels_and_annotations_of_a_users_own_are_on_everything_but_crds(render: Render) -> None:
    found = render('commonLabels={"team":"a"}', 'commonAnnotations={"owner":"b"}', "crds.install=false")
    assert all(data["metadata"]["labels"]["team"] == "a" for data in found)
    assert all(data["metadata"]["annotations"]["owner"] == "b" for data in found)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("replica=3", "'replica' not allowed"),
        ("replicas=0", "/replicas"),
        ('replicas="2"', "want integer"),
        ('injection.failurePolicy="Retry"', "'Fail', 'Ignore'"),
        ('watch.namespaces="team-a"', "want array"),
        ('watch.namespaces=["Team"]', "/watch/namespaces/0"),
        ('image.registry="https://registry.example.com"', "/image/registry"),
        ('image.digest="latest"', "/image/digest"),
        ('resources.limits.memory="lots"', "/resources/limits/memory"),
        ('logLevel="loud"', "/logLevel"),
        ('gatewayApi.enabled="yes"', "/gatewayApi/enabled"),
        ("monitoring.serviceMonitor.enable=true", "'enable' not allowed"),
        ('commonLabels={"a":1}', "/commonLabels/a"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(run: Callable[..., str], value: str, says: str) -> None:
    assert says in run("template", "sluice", str(CHART), "--set-json", value, fails=True)


def test_every_value_is_in_the_schema_with_a_default_and_the_other_way_round() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert set(values) | {"global"} == set(schema["properties"])
