"""Documents that are queued by day, run in a window on more replicas, told by webhook, and the model handed back."""

import base64
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from doubles.certificates import Authority
from e2e import workloads
from e2e.installation import ROOT, make_namespace
from e2e.kube import Kube

pytestmark = pytest.mark.timeout(1800)

NAMESPACE = "sluice-e2e-batch"
RECEIVER = f"receiver.{NAMESPACE}.svc.cluster.local"
DOCUMENTS = 500
REPLICAS = 2
AHEAD = timedelta(seconds=180)
"""How long before the window opens the documents are there: longer than its model is asked for earlier."""
LASTS = timedelta(minutes=20)
MODEL = "sluice-model-smollm2"


@pytest.fixture(scope="module")
def receiving(installed: Kube) -> Iterator[Kube]:
    """A namespace with a receiver of webhooks, which speaks TLS, and a pod that hands documents over. It goes in the
    end: a small node has no room for its models, queue and gateways beside those of other tests."""
    make_namespace(installed, NAMESPACE)
    authority = Authority()
    certificate, key = authority.sign(RECEIVER)
    signing = "whsec_" + base64.b64encode(os.urandom(32)).decode()
    template = workloads.pod(script="/receiver.py", grace=1)
    (container,) = template["spec"]["containers"]
    secret = {"secretKeyRef": {"name": "hooks", "key": "key"}}
    container["env"] = [{"name": "WEBHOOK_SECRET", "valueFrom": secret}]
    container["volumeMounts"] = [{"name": "tls", "mountPath": "/tls"}]
    template["spec"]["volumes"] = [{"name": "tls", "secret": {"secretName": "receiver"}}]
    tls = {"tls.crt": certificate.decode(), "tls.key": key.decode()}
    installed.apply(
        _object("v1", "Secret", "hooks", {"sluice.dev/credential": "true"}, stringData={"key": signing}),
        _object("v1", "Secret", "receiver", type="kubernetes.io/tls", stringData=tls),
        _object("v1", "ConfigMap", "house", data={"ca.crt": authority.pem.decode()}),
        _object("v1", "Service", "receiver", spec={"selector": {"app": "receiver"}, "ports": [{"port": 8443}]}),
        workloads.deployment(NAMESPACE, "receiver", template, inject=False),
        workloads.deployment(NAMESPACE, "app", workloads.pod("wait", grace=1), inject=False),
    )
    for name in ("receiver", "app"):
        installed.kubectl("rollout", "status", "-n", NAMESPACE, f"deployment/{name}", "--timeout=300s", timeout=320)
    yield installed
    installed.kubectl("delete", "namespace", NAMESPACE, "--timeout=200s", timeout=220)


def _object(version: str, kind: str, name: str, labels: dict[str, str] | None = None, **rest: Any) -> dict[str, Any]:
    about = {"name": name, "namespace": NAMESPACE, "labels": labels or {}}
    return {"apiVersion": version, "kind": kind, "metadata": about, **rest}


def example(api: Kube, opens: datetime) -> list[dict[str, Any]]:
    """examples/batch.yaml for this namespace: its window opens at `opens`, its receiver is the one that is here."""
    address = api.get("service", "receiver", "-n", NAMESPACE)["spec"]["clusterIP"]
    found: list[dict[str, Any]] = list(yaml.safe_load_all((ROOT / "examples" / "batch.yaml").read_text()))
    for each in found:
        each["metadata"]["namespace"] = NAMESPACE
        spec = each["spec"]
        if each["kind"] == "SluiceGateway":
            bundle = {"configMap": {"name": "house", "key": "ca.crt"}}
            spec["egress"] = {"allow": [f"{address}/32"], "caBundle": bundle}
        elif each["kind"] == "BatchWindow":
            spec |= {"timeZone": "UTC", "windows": [hours(opens, opens + LASTS)]}
            spec["capacity"]["replicas"] = REPLICAS
            spec["webhooks"]["allow"] = [f"https://{RECEIVER}:8443"]
    return found


def hours(opens: datetime, closes: datetime) -> dict[str, str]:
    """A window of every day."""
    return {"start": f"{opens:%H:%M}", "end": f"{closes:%H:%M}"}


def minute_after(wait: timedelta) -> datetime:
    """The first full minute that is at least so far ahead."""
    return (datetime.now(UTC) + wait + timedelta(seconds=59)).replace(second=0, microsecond=0)


def inside(api: Kube, *arguments: str) -> dict[str, Any]:
    """What /documents.py says, with OpenAI's SDK at the shared gateway."""
    there = ("exec", "-n", NAMESPACE, "deployment/app", "-c", "app", "--")
    environment = ("env", f"OPENAI_BASE_URL={workloads.shared(NAMESPACE)}", "OPENAI_API_KEY=none")
    said: dict[str, Any] = json.loads(api.kubectl(*there, *environment, "python", "/documents.py", *arguments))
    return said


def window(api: Kube) -> dict[str, Any]:
    """The window's status."""
    found: dict[str, Any] = api.get("batchwindow", "night", "-n", NAMESPACE).get("status", {})
    return found


def is_ready(api: Kube) -> bool:
    """Whether its worker is there."""
    return any(c["type"] == "Ready" and c["status"] == "True" for c in window(api).get("conditions", ()))


def replicas(api: Kube) -> tuple[int, int]:
    """Of the model: asked for, and ready."""
    found = api.get("deployment", MODEL, "-n", NAMESPACE)
    return found["spec"]["replicas"], found["status"].get("readyReplicas", 0)


def told(api: Kube) -> list[dict[str, str]]:
    """What the receiver was told, each with a signature that holds, and what it refused."""
    lines = api.kubectl("logs", "-n", NAMESPACE, "deployment/receiver").splitlines()
    return [json.loads(line) for line in lines]


def test_documents_of_the_day_are_done_in_the_window_and_told_by_a_signed_webhook(receiving: Kube) -> None:
    api = receiving
    far = datetime.now(UTC) + timedelta(hours=6)  # closed, while everything starts
    api.apply(*example(api, far))
    workloads.served(api, NAMESPACE, "documents")
    workloads.until("a window with its volume and worker", lambda: is_ready(api))

    opens = minute_after(AHEAD)
    submitted = inside(api, "submit", str(DOCUMENTS), "documents", f"https://{RECEIVER}:8443/done")
    api.apply(*(each for each in example(api, opens) if each["kind"] == "BatchWindow"))
    assert replicas(api)[0] == 1
    assert inside(api, "look", submitted["id"])["completed"] == 0
    assert not window(api)["open"]

    workloads.until("the model raised before the window opens", lambda: replicas(api)[0] == REPLICAS)
    assert datetime.now(UTC) < opens
    workloads.until("an open window", lambda: window(api)["open"])
    workloads.until("all replicas", lambda: replicas(api)[1] == REPLICAS)
    workloads.until("a webhook", lambda: bool(told(api)), seconds=LASTS.total_seconds())
    ended = {key: value for key, value in told(api)[0].items() if key != "id"}
    assert ended == {"type": "batch.completed", "batch": submitted["id"]}
    found = inside(api, "look", submitted["id"])
    assert (found["status"], found["completed"]) == ("completed", DOCUMENTS)
    assert (found["answers"], found["ids"], found["good"]) == (DOCUMENTS, DOCUMENTS, DOCUMENTS)

    api.apply(*_closing(api, opens))
    workloads.until("a closed window", lambda: not window(api)["open"])
    workloads.until("the model handed back", lambda: replicas(api)[0] == 1)
    workloads.until("figures of the window", lambda: window(api).get("done") == DOCUMENTS)
    after = window(api)
    assert (after["queued"], after["running"], after["failed"]) == (0, 0, 0)
    amount, currency = after["saved"].split()
    assert float(amount) >= 0
    assert currency == "USD"
    assert [each["type"] for each in told(api)] == ["batch.completed"]
    happened = api.get("events.events.k8s.io", "-n", NAMESPACE)["items"]
    reasons = {event["reason"] for event in happened if event["regarding"]["kind"] == "BatchWindow"}
    assert reasons >= {"WindowOpened", "WindowClosed"}


def _closing(api: Kube, opens: datetime) -> list[dict[str, Any]]:
    """The window that ended a minute ago, or ends within the next: nobody waits for its twenty minutes."""
    found = [each for each in example(api, opens) if each["kind"] == "BatchWindow"]
    for each in found:
        each["spec"]["windows"] = [hours(opens, max(opens + timedelta(minutes=1), datetime.now(UTC)))]
    return found
