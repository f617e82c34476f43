"""What the cluster's tests apply: the application in its forms, a model server, a route to it, a load of requests."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from e2e.installation import image
from e2e.kube import Kube

Manifest = dict[str, Any]
SIDECAR = "http://127.0.0.1:15480/v1"
"""The injected gateway's address, in its pod."""
WAIT = 300
"""Seconds that a condition may take on a busy machine."""


def pod(*arguments: str, env: Mapping[str, str] | None = None, grace: int = 30, script: str = "/app.py") -> Manifest:
    """A pod's template: the application, with a gateway injected."""
    container = {
        "name": "app",
        "image": image("app"),
        "command": ["python", script],
        "args": list(arguments),
        "env": [{"name": name, "value": value} for name, value in (env or {}).items()],
    }
    spec = {"containers": [container], "terminationGracePeriodSeconds": grace, "restartPolicy": "Never"}
    return {"metadata": {"labels": {"sluice.dev/inject": "true"}}, "spec": spec}


def bare(namespace: str, name: str, template: Manifest) -> Manifest:
    """The pod by itself."""
    metadata = {**template["metadata"], "name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def job(template: Manifest) -> Manifest:
    """What a Job and a CronJob say of their pods."""
    return {"backoffLimit": 0, "template": template}


def deployment(namespace: str, name: str, template: Manifest, *, inject: bool = True) -> Manifest:
    """One replica of the pod."""
    labels = {"app": name} | (template["metadata"]["labels"] if inject else {})
    spec = {**template["spec"], "restartPolicy": "Always"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def upstream(namespace: str) -> list[Manifest]:
    """A model server, `upstream`, that answers at /NAME/v1 with NAME."""
    service = {"selector": {"app": "upstream"}, "ports": [{"port": 8000}]}
    return [
        deployment(namespace, "upstream", pod(script="/upstream.py", grace=1), inject=False),
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "upstream", "namespace": namespace},
            "spec": service,
        },
    ]


def route(namespace: str, version: str) -> Manifest:
    """Route `auto`: its one backend is called `version`, and answers so."""
    url = f"http://upstream.{namespace}.svc.cluster.local:8000/{version}/v1"
    backend = {"name": version, "custom": {"url": url, "dialect": "OpenAI", "model": "any"}}
    return {
        "apiVersion": "sluice.dev/v1alpha1",
        "kind": "ModelRoute",
        "metadata": {"name": "auto", "namespace": namespace},
        "spec": {"backends": [backend]},
    }


def gateways(namespace: str, *, replicas: int, allow: str) -> Manifest:
    """How many shared gateways there are, and the private network that they may call."""
    return {
        "apiVersion": "sluice.dev/v1alpha1",
        "kind": "SluiceGateway",
        "metadata": {"name": "default", "namespace": namespace},
        "spec": {"replicas": replicas, "egress": {"allow": [allow]}},
    }


def served(api: Kube, namespace: str, name: str = "auto", *, seconds: float = WAIT) -> Manifest:
    """The route, once its status says Ready of what is written now. Raises AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        found = api.get("modelroute", name, "-n", namespace)
        ready = [c for c in found.get("status", {}).get("conditions", ()) if c["type"] == "Ready"]
        if any(c["status"] == "True" and c.get("observedGeneration") == found["metadata"]["generation"] for c in ready):
            return found
        assert time.monotonic() < deadline, f"{namespace}/{name} is not served: {ready}"
        time.sleep(0.2)


def shared(namespace: str) -> str:
    """The shared gateways' address."""
    return f"http://sluice-gateway.{namespace}.svc.cluster.local/v1"


def until(what: str, true: Callable[[], bool], seconds: float = WAIT) -> None:
    """Waits for a condition. Raises AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"{what} did not happen in {seconds:.0f} s"
        time.sleep(0.1)


def change(api: Kube, namespace: str, version: str) -> None:
    """Changes the route's backend, and returns once every gateway has said that it serves that."""
    spec = {"spec": route(namespace, version)["spec"]}
    api.kubectl("patch", "-n", namespace, "modelroute", "auto", "--type=merge", "-p", json.dumps(spec))
    served(api, namespace)


@dataclass
class Counted:
    """What a load counted."""

    sent: int = 0
    failed: int = 0
    mixed: int = 0
    seconds: float = 0
    failures: dict[str, int] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)


@dataclass
class Running:
    """A load that runs; `counted` is filled when it has ended."""

    counted: Counted
    process: "subprocess.Popen[str]"

    def round(self) -> None:
        """Returns once every caller has had an answer to a request that it made after this was called."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        said = self.process.stdout.readline()
        assert said == "asked\n", said


@contextmanager
def load(api: Kube, namespace: str, url: str) -> Iterator[Running]:
    """Requests to `url` from inside Deployment `load`, until the block ends; each caller asks before and after."""
    inside = ["exec", "-i", "-n", namespace, "deployment/load", "-c", "app", "--", "python", "/load.py", url, "auto"]
    command = [str(api.binaries / "kubebox"), "kubectl", *inside]
    with subprocess.Popen(
        command, env=api.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        running = Running(Counted(), process)
        try:
            running.round()
            yield running
            running.round()
        finally:
            process.stdin.close()
            said = process.stdout.read()
    for name, value in json.loads(said).items():
        setattr(running.counted, name, value)
