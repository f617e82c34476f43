"""kopf feeds the mirror from a real API server: what is there, what comes, and nothing that is not Sluice's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from doubles.kube import Api
from doubles.running import until
from sluice_operator import names
from sluice_operator.kinds import API_VERSION
from sluice_operator.mirror import Mirror
from sluice_operator.plan.plan import Ref
from sluice_operator.sources import Source, sources
from sluice_operator.watches import watch

Data = dict[str, Any]


def policy(namespace: str, name: str, ttl: str = "1h") -> Data:
    metadata = {"namespace": namespace, "name": name}
    return {
        "apiVersion": API_VERSION,
        "kind": "CachePolicy",
        "metadata": metadata,
        "spec": {"workload": "Conversational", "ttl": ttl},
    }


def secret(namespace: str, name: str, **labels: str) -> Data:
    metadata = {"namespace": namespace, "name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"k": "v"}}


def pod(namespace: str, name: str, **labels: str) -> Data:
    metadata = {"namespace": namespace, "name": name, "labels": labels}
    spec = {"containers": [{"name": "c", "image": "none.test/none"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


@asynccontextmanager
async def watched(*namespaces: str) -> AsyncIterator[Mirror]:
    mirror = Mirror()

    def deliver(source: Source, event_type: str | None, body: Data) -> None:
        mirror.update(event_type, body)

    watching = asyncio.create_task(watch(sources(gateway_api=False), namespaces, deliver))
    try:
        yield mirror
        assert not watching.done()
    finally:
        watching.cancel()
        await asyncio.wait({watching})


@pytest.fixture
def login(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig))


@pytest.mark.usefixtures("login")
async def test_what_was_there_before_is_seen_then_what_changes_and_what_goes(api: Api, namespace: str) -> None:
    api.apply(policy(namespace, "before"))
    ref = Ref(API_VERSION, "CachePolicy", namespace, "before")
    async with watched(namespace) as mirror:
        await until(lambda: mirror.get(ref), "the object of before the start")
        api.apply(policy(namespace, "before", "2h"))
        await until(lambda: (mirror.get(ref) or {}).get("spec", {}).get("ttl") == "2h", "its change")
        api.kubectl("delete", "cachepolicy", "before", "-n", namespace)
        await until(lambda: mirror.get(ref) is None, "its deletion")


@pytest.mark.usefixtures("login")
async def test_foreign_secrets_and_pods_never_come(api: Api, namespace: str) -> None:
    api.apply(
        secret(namespace, "foreign"),
        secret(namespace, "refused", **{names.CREDENTIAL: "false"}),
        pod(namespace, "foreign"),
        secret(namespace, "granted", **{names.CREDENTIAL: "true"}),
        pod(namespace, "gateway", **{names.GATEWAY: "sidecar"}),
    )
    async with watched() as mirror:  # of all namespaces

        def there() -> set[tuple[str, str]]:
            return {(ref.kind, ref.name) for ref in mirror.of(namespace)}

        await until(lambda: there() == {("Secret", "granted"), ("Pod", "gateway")}, "what is labelled, alone")
        # A Secret whose release is taken back goes.
        api.kubectl("label", "secret", "granted", "-n", namespace, f"{names.CREDENTIAL}-")
        await until(lambda: there() == {("Pod", "gateway")}, "the Secret goes with its label")
        api.kubectl("label", "secret", "foreign", "-n", namespace, f"{names.CREDENTIAL}=true")
        await until(lambda: ("Secret", "foreign") in there(), "the Secret comes with its label")


@pytest.mark.usefixtures("login")
async def test_watching_leaves_no_trace_on_what_is_watched(api: Api, namespace: str) -> None:
    api.apply(policy(namespace, "p"))
    before = api.get("cachepolicy", "p", "-n", namespace)
    async with watched(namespace) as mirror:
        await until(lambda: mirror.of(namespace), "the object")
        api.apply(policy(namespace, "other"))
        await until(lambda: len(mirror) == 2, "another one")
    assert api.get("cachepolicy", "p", "-n", namespace) == before
    assert api.get("events", "-n", namespace)["items"] == []
