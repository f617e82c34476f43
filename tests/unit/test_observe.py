"""What a plan is told of a namespace, from the mirror."""

import base64
from typing import Any

from sluice_operator import names
from sluice_operator.installation import Installation
from sluice_operator.kinds import API_VERSION
from sluice_operator.mirror import Mirror
from sluice_operator.observe import observe
from sluice_operator.plan.plan import Ref
from sluice_operator.plan.seen import GatewayPod, Report, Seen

Data = dict[str, Any]


class Existing:
    """A cluster that has some Secrets."""

    def __init__(self, *secrets: str) -> None:
        self.secrets = secrets
        self.asked: list[str] = []

    async def get(self, ref: Ref) -> Data | None:
        self.asked.append(ref.name)
        return {"data": {"k": "c2VjcmV0"}} if ref.name in self.secrets else None


class Silent:
    def of(self, namespace: str) -> tuple[Report, ...]:
        return ()


def thing(kind: str, name: str, api_version: str = API_VERSION, namespace: str = "team", **more: Any) -> Data:
    labels = more.pop("labels", {})
    metadata = {"namespace": namespace, "name": name, "labels": labels, **more.pop("metadata", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **more}


def slices(name: str, *endpoints: Data, namespace: str = "team", component: str = "model") -> Data:
    labels = {names.COMPONENT: component, names.OWNER_MODEL: "small", names.MANAGED_BY: names.MANAGED}
    return thing(
        *("EndpointSlice", name, "discovery.k8s.io/v1", namespace),
        labels=labels,
        ports=[{"name": "http", "port": 8000}],
        endpoints=list(endpoints),
    )


async def seen(*bodies: Data, cluster: Existing | None = None) -> Seen:
    mirror = Mirror()
    for body in bodies:
        mirror.update(None, body)
    return await observe(mirror, Silent(), {}, Installation(), "team", cluster or Existing(), "f" * 64)


async def test_users_objects_made_ones_and_models_elsewhere_are_told_apart() -> None:
    own = {names.MANAGED_BY: names.MANAGED}
    made = thing("ConfigMap", "sluice-config", "v1", labels=own)
    there = await seen(
        thing("ModelRoute", "r"),
        thing("QuantisedModel", "mine"),
        thing("QuantisedModel", "theirs", namespace="models"),
        thing("ModelRoute", "theirs", namespace="models"),
        made,
        thing("Pod", "p", "v1", labels={**own, names.GATEWAY: "shared"}),
    )
    assert [(body["kind"], body["metadata"]["name"]) for body in there.objects] == [
        ("ModelRoute", "r"),
        ("QuantisedModel", "mine"),
    ]
    assert [body["metadata"]["name"] for body in there.models] == ["theirs"]
    assert there.children == {Ref.of(made): made}


async def test_a_users_secret_is_decoded_and_the_operators_own_is_a_child() -> None:
    def encoded(data: bytes) -> str:
        return base64.b64encode(data).decode()

    data = {"token": encoded(b"sk-1"), "image": encoded(b"\xff\xfe"), "broken": "%"}
    hosts = {"annotations": {names.HOSTS: " a.example.com, b.example.com:8443 ,"}}
    own = {names.CREDENTIAL: "managed", names.MANAGED_BY: names.MANAGED}
    there = await seen(
        thing("Secret", "openai", "v1", labels={names.CREDENTIAL: "true"}, metadata=hosts, data=data),
        thing("Secret", "empty", "v1", labels={names.CREDENTIAL: "true"}),
        thing("Secret", "sluice-credentials", "v1", labels=own, data={"x": encoded(b"y")}),
    )
    assert set(there.secrets) == {"openai", "empty"}
    assert there.secrets["openai"].values == {"token": "sk-1"}
    assert there.secrets["openai"].hosts == ("a.example.com", "b.example.com:8443")
    assert [ref.name for ref in there.children] == ["sluice-credentials"]
    assert "sk-1" not in repr(there.secrets)


async def test_secrets_that_exist_without_the_label_are_found_and_no_others_are_asked_for() -> None:
    keys = ("granted", "unlabelled", "missing")
    backends = [{"openAI": {"apiKey": {"secret": name, "key": "k"}}} for name in keys]
    gateway = {"auth": {"keys": {"secret": "callers"}}, "expose": {"tls": {"secret": "cert"}}}
    cluster = Existing("unlabelled", "callers", "cert")
    there = await seen(
        thing("ModelRoute", "r", spec={"backends": backends}),
        thing("SluiceGateway", "default", spec=gateway),
        thing("Secret", "granted", "v1", labels={names.CREDENTIAL: "true"}),
        cluster=cluster,
    )
    assert there.unlabelled == {"unlabelled", "callers"}
    assert cluster.asked == ["callers", "missing", "unlabelled"]


async def test_ready_addresses_of_models_come_by_their_names_in_config() -> None:
    there = await seen(
        thing("QuantisedModel", "small"),
        thing("QuantisedModel", "small", namespace="models"),
        slices("one", {"addresses": ["10.0.0.2"], "conditions": {"ready": True}}),
        slices("two", {"addresses": ["10.0.0.1"]}, {"addresses": ["10.0.0.3"], "conditions": {"ready": False}}),
        slices("six", {"addresses": ["fd00::1"], "conditions": {"ready": True}}, namespace="models"),
        slices("store", {"addresses": ["10.0.0.9"]}, component="redis"),
    )
    assert there.addresses == {
        "small": ("http://10.0.0.1:8000/v1", "http://10.0.0.2:8000/v1"),
        "models/small": ("http://[fd00::1]:8000/v1",),
    }


async def test_pods_say_what_their_gateways_are_like() -> None:
    ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    sidecar, shared = {names.GATEWAY: "sidecar"}, {names.GATEWAY: "shared"}
    there = await seen(
        thing("Pod", "a", "v1", labels=shared, status=ready, spec={"serviceAccountName": "sluice-gateway"}),
        thing("Pod", "b", "v1", labels=sidecar, status=ready, metadata={"uid": "2", "deletionTimestamp": "now"}),
        thing("Pod", "c", "v1", labels=sidecar, status={"phase": "Succeeded"}),
        thing("Pod", "d", "v1", labels=sidecar),
    )
    assert there.pods == (
        GatewayPod("a", "", "shared", "sluice-gateway", running=True),
        GatewayPod("b", "2", "sidecar", "default", running=False, terminating=True),
        GatewayPod("c", "", "sidecar", "default", running=False, finished=True),
        GatewayPod("d", "", "sidecar", "default", running=False),
    )
