"""The client against a real API server: what is written, what is told, and what is refused."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from doubles.cut_off import relay
from doubles.kube import Api
from sluice_operator import cluster as client
from sluice_operator.cluster import ClusterError, KubeCluster, TokenIdentity
from sluice_operator.plan.plan import Event, Ref

ROUTES = "sluice.dev/v1alpha1"


@pytest.fixture
async def cluster(api: Api) -> AsyncIterator[KubeCluster]:
    async with KubeCluster.connect(str(api.kubeconfig), identity="operator-0") as connected:
        yield connected


def config(namespace: str, name: str = "settings", **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "data": data,
    }


def window(namespace: str) -> dict[str, Any]:
    metadata = {"name": "night", "namespace": namespace}
    spec = {"windows": [{"start": "22:00", "end": "06:00"}], "routes": ["orders"]}
    return {"apiVersion": ROUTES, "kind": "BatchWindow", "metadata": metadata, "spec": spec}


async def test_an_apply_creates_changes_and_takes_away_what_is_no_longer_wanted(
    cluster: KubeCluster, namespace: str
) -> None:
    ref = Ref("v1", "ConfigMap", namespace, "settings")
    assert await cluster.get(ref) is None
    first = await cluster.apply(config(namespace, a="1", b="1"))
    assert first["metadata"]["managedFields"][0]["manager"] == "sluice"
    second = await cluster.apply(config(namespace, b="2"))
    assert second["data"] == {"b": "2"}
    assert second["metadata"]["uid"] == first["metadata"]["uid"]
    assert await cluster.get(ref) == second


async def test_an_apply_that_changes_nothing_keeps_the_resource_version(cluster: KubeCluster, namespace: str) -> None:
    first = await cluster.apply(config(namespace, a="1"))
    again = await cluster.apply(config(namespace, a="1"))
    assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


async def test_an_apply_takes_over_a_field_that_somebody_else_wrote(
    cluster: KubeCluster, api: Api, namespace: str
) -> None:
    await cluster.apply(config(namespace, a="1"))
    api.kubectl("patch", "configmap", "settings", "-n", namespace, "-p", '{"data":{"a":"9","theirs":"1"}}')
    assert (await cluster.apply(config(namespace, a="1")))["data"] == {"a": "1", "theirs": "1"}


async def test_a_delete_takes_the_object_that_is_meant_and_missing_is_fine(
    cluster: KubeCluster, namespace: str
) -> None:
    ref = Ref("v1", "ConfigMap", namespace, "settings")
    uid = (await cluster.apply(config(namespace)))["metadata"]["uid"]
    await cluster.delete(ref, uid="11111111-2222-3333-4444-555555555555")
    assert await cluster.get(ref)
    await cluster.delete(ref, uid=uid)
    assert await cluster.get(ref) is None
    await cluster.delete(ref)


async def test_a_list_has_all_pages_and_only_what_the_labels_select(
    cluster: KubeCluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PAGE", 2)
    for number in range(5):
        await cluster.apply(config(namespace, f"c-{number}"))
    found = await cluster.list("v1", "ConfigMap", namespace)
    assert [each["metadata"]["name"] for each in found if each["metadata"]["name"].startswith("c-")] == [
        f"c-{number}" for number in range(5)
    ]
    assert {(each["apiVersion"], each["kind"]) for each in found} == {("v1", "ConfigMap")}
    one = await cluster.list("v1", "ConfigMap", labels={"app": "c-3"})
    assert [each["metadata"]["name"] for each in one if each["metadata"]["namespace"] == namespace] == ["c-3"]


async def test_labels_are_set_and_removed_and_others_stay(cluster: KubeCluster, namespace: str) -> None:
    ref = Ref("v1", "ConfigMap", namespace, "settings")
    await cluster.apply(config(namespace))
    await cluster.label(ref, {"sluice.dev/leader": "true"})
    found = await cluster.get(ref)
    assert found
    assert found["metadata"]["labels"] == {"app": "settings", "sluice.dev/leader": "true"}
    await cluster.label(ref, {"sluice.dev/leader": None})
    found = await cluster.get(ref)
    assert found
    assert found["metadata"]["labels"] == {"app": "settings"}


async def test_a_status_is_written_alone_and_creates_nothing(cluster: KubeCluster, api: Api, namespace: str) -> None:
    made = await cluster.apply(window(namespace))
    ref = Ref.of(made)
    condition = {
        "type": "Ready",
        "status": "True",
        "reason": "Open",
        "message": "open",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    await cluster.apply_status(ref, {"observedGeneration": 1, "conditions": [condition]})
    found = await cluster.get(ref)
    assert found
    assert found["status"]["conditions"] == [condition]
    assert (found["spec"], found["metadata"]["generation"]) == (made["spec"], made["metadata"]["generation"])
    api.kubectl("delete", "batchwindow", "night", "-n", namespace)
    with pytest.raises(ClusterError) as raised:
        await cluster.apply_status(ref, {"observedGeneration": 1})
    assert raised.value.reason == "NotFound"
    assert await cluster.get(ref) is None


async def test_an_event_is_told_with_its_object(cluster: KubeCluster, api: Api, namespace: str) -> None:
    made = await cluster.apply(config(namespace))
    about = Event(Ref.of(made), made["metadata"]["uid"], "Warning", "SecretNotFound", "é" * 600)
    for _ in range(2):
        await cluster.event(about)
    told = api.get("events.events.k8s.io", "-n", namespace)["items"]
    assert len(told) == 2
    assert {(event["type"], event["reason"], event["reportingInstance"]) for event in told} == {
        ("Warning", "SecretNotFound", "operator-0")
    }
    assert told[0]["regarding"]["uid"] == made["metadata"]["uid"]
    assert told[0]["note"] == "é" * 510 + "..."
    assert "SecretNotFound" in api.kubectl("events", "-n", namespace, "--for", "configmap/settings")


async def test_an_event_about_what_has_no_namespace_is_in_default(cluster: KubeCluster, api: Api) -> None:
    node = Ref("v1", "Namespace", None, "kube-system")
    await cluster.event(Event(node, "uid-1", "Normal", "Seen", "it is there"))
    told = api.get("events.events.k8s.io", "-n", "default")["items"]
    assert [event["note"] for event in told if event["regarding"]["name"] == "kube-system"] == ["it is there"]


async def test_a_pods_token_says_whose_it_is(cluster: KubeCluster, api: Api, namespace: str) -> None:
    spec = {"containers": [{"name": "c", "image": "none"}], "serviceAccountName": "default"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-1", "namespace": namespace}, "spec": spec}
    uid = (await cluster.apply(pod))["metadata"]["uid"]
    make = ("create", "token", "default", "-n", namespace, "--audience", "sluice")
    bound = api.kubectl(*make, "--bound-object-kind", "Pod", "--bound-object-name", "web-1").strip()
    assert await cluster.review_token(bound, "sluice") == TokenIdentity(namespace, "default", "web-1", uid)
    assert await cluster.review_token(bound, "another") is None
    assert await cluster.review_token(api.kubectl(*make).strip(), "sluice") == TokenIdentity(namespace, "default")
    assert await cluster.review_token(bound[:-4] + "AAAA", "sluice") is None
    await cluster.delete(Ref.of(pod))


async def test_a_refusal_has_the_servers_reason(cluster: KubeCluster, namespace: str) -> None:
    with pytest.raises(ClusterError, match=r"^ConfigMap .*/No_Name: Invalid: .*lower case") as raised:
        await cluster.apply(config(namespace, "No_Name"))
    assert (raised.value.code, raised.value.retryable) == (422, False)
    wrong = config(namespace)
    wrong["data"] = {"k": {"not": "text"}}
    with pytest.raises(ClusterError, match=r"expected string") as raised:
        await cluster.apply(wrong)
    assert (raised.value.reason, raised.value.retryable) == ("Invalid", False)
    with pytest.raises(ClusterError) as raised:
        await cluster.apply(config("no-such-namespace"))
    assert (raised.value.reason, raised.value.retryable) == ("NotFound", False)
    with pytest.raises(ValueError, match="needs a namespace"):
        await cluster.get(Ref("v1", "ConfigMap", None, "settings"))


async def test_a_refused_secret_is_not_quoted(cluster: KubeCluster, namespace: str) -> None:
    metadata = {"name": "keys", "namespace": namespace}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"k": {"hunter2": "hunter2"}}}
    with pytest.raises(ClusterError) as raised:
        await cluster.apply(secret)
    assert "hunter2" not in f"{raised.value} {raised.value!r} {raised.value.status}"
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)


async def test_a_kind_that_comes_later_is_found_then(cluster: KubeCluster, api: Api) -> None:
    later = "later.test.sluice.dev"
    with pytest.raises(ClusterError, match=r"no kind Later in test\.sluice\.dev/v1") as raised:
        await cluster.list("test.sluice.dev/v1", "Later")
    assert raised.value.retryable
    schema = {"openAPIV3Schema": {"type": "object"}}
    spec = {
        "group": "test.sluice.dev",
        "scope": "Namespaced",
        "names": {"plural": "later", "kind": "Later", "listKind": "LaterList"},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
    }
    metadata = {"name": later}
    kind = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": metadata,
        "spec": spec,
    }
    await cluster.apply(kind)
    api.kubectl("wait", "--for=condition=Established", "crd", later, "--timeout=120s")
    assert await cluster.list("test.sluice.dev/v1", "Later") == []
    await cluster.delete(Ref.of(kind))


async def test_a_server_that_is_away_is_told_as_such(api: Api, namespace: str) -> None:
    async with relay(api.layout.port) as between:
        server = f"https://127.0.0.1:{between.port}"
        path = api.layout.folder / "cut-kubeconfig"
        path.write_text(api.kubeconfig.read_text().replace(api.server, server))
        async with KubeCluster.connect(str(path), call_seconds=3.0) as cluster:
            ref = Ref("v1", "ConfigMap", namespace, "settings")
            await cluster.apply(config(namespace))
            await between.cut()
            with pytest.raises(ClusterError, match="cannot be reached") as raised:
                await cluster.get(ref)
            assert (raised.value.reason, raised.value.away, raised.value.retryable) == ("Unreachable", True, True)
            await between.mend()
            assert await cluster.get(ref)


async def test_an_unusable_configuration_says_how_to_mend_it(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(ValueError, match=r"not in a pod.*give a kubeconfig's path"):
        async with KubeCluster.connect():
            pass
    with pytest.raises(ValueError, match=r"no way to the API server: kubeconfig .*missing"):
        async with KubeCluster.connect(str(api.layout.folder / "missing")):
            pass
