"""The operator with the chart's rights: a BatchWindow brings its worker and capacity, and takes them back."""

from collections.abc import Mapping
from typing import Any

from doubles.kube import Api
from doubles.objects import gateway, managed, model, route, window
from doubles.operating import Operator
from doubles.running import until
from sluice_operator import names

MODEL = "sluice-model-smollm2"
RAISED = {"quantisedModel": {"name": "smollm2"}, "replicas": 3}


def put(api: Api, namespace: str, *objects: Mapping[str, Any]) -> None:
    api.apply(*({**data, "metadata": {**data["metadata"], "namespace": namespace}} for data in objects))


def always(**spec: Any) -> dict[str, Any]:
    found = window("r", always=True, files={"pvc": {"storage": "1Mi"}}, **spec)
    del found["spec"]["windows"]
    return found


def volume(namespace: str) -> dict[str, Any]:
    """What a provisioner would bind to the claim."""
    claim = {"name": names.FILES_CLAIM, "namespace": namespace}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"files-{namespace}"},
        "spec": {
            "capacity": {"storage": "1Mi"},
            "accessModes": ["ReadWriteMany"],
            "claimRef": claim,
            "hostPath": {"path": f"/nowhere/{namespace}"},
        },
    }


def status(api: Api, namespace: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = api.get("batchwindow", "night", "-n", namespace).get("status", {})
    return found


def reason(api: Api, namespace: str) -> str:
    """Of the condition Ready."""
    found = [one["reason"] for one in status(api, namespace).get("conditions", ()) if one["type"] == "Ready"]
    return str(found[0]) if found else ""


def replicas(api: Api, namespace: str) -> int:
    return int(api.get("deployment", MODEL, "-n", namespace)["spec"]["replicas"])


def events(api: Api, namespace: str) -> set[str]:
    found = api.get("events.events.k8s.io", "-n", namespace)["items"]
    return {event["reason"] for event in found if event["regarding"]["kind"] == "BatchWindow"}


async def test_a_window_comes_is_told_and_goes(api: Api, operator: Operator, namespace: str) -> None:
    put(api, namespace, route("r", managed("m")), model(), always(capacity=RAISED))
    await until(lambda: reason(api, namespace) == "NoDurableQueue", "a window without a queue told")
    assert replicas(api, namespace) == 1

    put(api, namespace, gateway(state={"redis": {"managed": {}}}))
    await until(lambda: reason(api, namespace) == "FilesPending", "a window that waits for its volume")
    await until(lambda: replicas(api, namespace) == 3, "the capacity of an open window")
    assert api.get("quantisedmodel", "smollm2", "-n", namespace)["spec"].get("replicas") is None
    assert status(api, namespace)["capacity"]["replicas"] == 3
    await until(lambda: "WindowOpened" in events(api, namespace), "its Event")

    api.apply(volume(namespace))
    await until(lambda: reason(api, namespace) == "WorkerStarting", "a window that waits for its worker")
    mounted = api.get("deployment", names.GATEWAY_NAME, "-n", namespace)["spec"]["template"]["spec"]["volumes"]
    assert "sluice-files" in {each["name"] for each in mounted}
    columns = api.kubectl("get", "bw", "-n", namespace).split("\n")[0].split()
    shown = ["NAME", "READY", "OPEN", "OPENS", "CLOSES", "QUEUED", "RUNNING", "DONE", "FAILED", "SAVED", "AGE"]
    assert columns == shown

    api.kubectl("delete", "batchwindow", "night", "-n", namespace)
    await until(lambda: replicas(api, namespace) == 1, "the capacity handed back")
    left = api.get("deployments,serviceaccounts,pdb,networkpolicies,pvc", "-n", namespace)["items"]
    assert [each["kind"] for each in left if "batch" in each["metadata"]["name"]] == ["PersistentVolumeClaim"]
    api.kubectl("delete", "pv", f"files-{namespace}", "--wait=false")
    assert "Traceback" not in operator.log, operator.log
