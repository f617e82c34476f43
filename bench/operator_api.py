"""An API server of its own for a benchmark, and a client that costs little: plain JSON, many calls at once."""

import asyncio
import json
import os
import ssl
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from e2e.kubebox import cluster
from e2e.kubebox.build import binaries
from e2e.kubebox.layout import Layout
from sluice_operator.plan.plan import Manifest

CRDS = Path(__file__).resolve().parents[1] / "crds"
MERGE = "application/merge-patch+json"
AT_ONCE = 16
"""Calls under way while objects are made."""
PLURALS = {
    "Namespace": "namespaces",
    "Pod": "pods",
    "Secret": "secrets",
    "Service": "services",
    "ConfigMap": "configmaps",
    "ServiceAccount": "serviceaccounts",
    "ModelRoute": "modelroutes",
    "MutatingWebhookConfiguration": "mutatingwebhookconfigurations",
}


class BenchError(RuntimeError):
    """A benchmark cannot go on."""


@dataclass(frozen=True)
class Api:
    """A running API server, and a session with it as its administrator."""

    layout: Layout
    session: aiohttp.ClientSession
    base: str

    async def call(self, method: str, path: str, body: Mapping[str, Any] | None = None, content: str = "") -> Any:
        """JSON of the answer; raises BenchError where the server refuses."""
        data = None if body is None else orjson.dumps(body)
        headers = {"content-type": content or "application/json"}
        async with self.session.request(method, self.base + path, data=data, headers=headers) as response:
            said = await response.read()
            if response.status >= 300:
                raise BenchError(f"{method} {path}: {response.status} {said[:500].decode()}")
            return orjson.loads(said)

    async def create(self, manifest: Manifest, query: str = "") -> Any:
        """Makes an object."""
        return await self.call("POST", collection(manifest) + query, manifest)

    async def create_all(self, manifests: Iterable[Manifest]) -> None:
        """Makes objects, many at a time, in any order."""
        left = iter(manifests)

        async def some() -> None:
            for manifest in left:
                await self.create(manifest)

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(some())

    async def items(self, path: str) -> list[dict[str, Any]]:
        """A whole list."""
        listed: list[dict[str, Any]] = (await self.call("GET", path))["items"]
        return listed

    async def watch(self, path: str, query: str = "") -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Type and object of all that is there and of each change, until the caller has seen enough."""
        url = f"{self.base}{path}?watch=true&{query}"
        rest = b""
        async with self.session.get(url) as response:
            async for chunk in response.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    event = orjson.loads(line)
                    yield event["type"], event["object"]
        raise BenchError(f"the watch of {path} ended")

    async def kubectl_apply(self, manifest: Manifest) -> None:
        """`kubectl apply` as a user runs it; returns when it has returned."""
        child = await asyncio.create_subprocess_exec(
            *(self.layout.kubebox, "kubectl", "--kubeconfig", self.layout.kubeconfig),
            *("--cache-dir", self.layout.path("cache"), "apply", "-f", "-"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await child.communicate(json.dumps(manifest).encode())
        if child.returncode:
            raise BenchError(f"kubectl apply: {said.decode()}")

    async def bound_token(self, namespace: str, pod: Mapping[str, Any]) -> str:
        """A token of a pod's account for Sluice, as it is projected into that pod."""
        name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
        bound = {"apiVersion": "v1", "kind": "Pod", "name": name, "uid": uid}
        spec = {"audiences": ["sluice"], "expirationSeconds": 7200, "boundObjectRef": bound}
        return await self._token(namespace, pod["spec"]["serviceAccountName"], spec)

    async def account_token(self, namespace: str, account: str) -> str:
        """A token of a service account for the API server."""
        return await self._token(namespace, account, {"expirationSeconds": 7200})

    async def _token(self, namespace: str, account: str, spec: Mapping[str, Any]) -> str:
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        token: str = (await self.call("POST", path, body))["status"]["token"]
        return token

    async def running(self, pod: Manifest) -> dict[str, Any]:
        """Makes a pod that nothing runs, and says of it that it runs and is ready."""
        made: dict[str, Any] = await self.create(pod)
        ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        await self.call("PATCH", f"{collection(pod)}/{pod['metadata']['name']}/status", {"status": ready}, MERGE)
        return made


def collection(manifest: Manifest) -> str:
    """The path where an object of this kind and namespace is made."""
    version, namespace = manifest["apiVersion"], manifest["metadata"].get("namespace")
    parts = ["apis" if "/" in version else "api", version, *(["namespaces", namespace] if namespace else [])]
    return "/" + "/".join([*parts, PLURALS[manifest["kind"]]])


def namespace(name: str) -> Manifest:
    """A Namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def gateway_pod(where: str, name: str, role: str) -> Manifest:
    """A pod that counts as one with a gateway in it."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": where, "labels": {"sluice.dev/gateway": role}},
        "spec": {"containers": [{"name": "app", "image": "app"}]},
    }


@asynccontextmanager
async def api_server() -> AsyncIterator[Api]:
    """etcd, API server, controllers and scheduler, without a node, with the kinds in it; nothing is left of them."""
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        place = Path(folder) / "cluster"
        layout = await asyncio.to_thread(cluster.up, place, binaries())
        try:
            context = ssl.create_default_context(cafile=layout.pki("ca.crt"))
            context.load_cert_chain(layout.pki("admin.crt"), layout.pki("admin.key"))
            connector = aiohttp.TCPConnector(ssl=context, limit=0)
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
            async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
                api = Api(layout, session, f"https://127.0.0.1:{layout.port}")
                await _install(api)
                yield api
        finally:
            await asyncio.to_thread(cluster.down, place)


async def _install(api: Api) -> None:
    """The kinds, and the operator's own namespace."""
    environment = {**os.environ, "KUBECONFIG": api.layout.kubeconfig, "KUBECACHEDIR": api.layout.path("cache")}
    for arguments in (
        ("apply", "--server-side", "-f", str(CRDS)),
        ("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"),
    ):
        child = await asyncio.create_subprocess_exec(
            *(api.layout.kubebox, "kubectl", *arguments), env=environment, stdout=asyncio.subprocess.DEVNULL
        )
        if await child.wait():
            raise BenchError(f"kubectl {' '.join(arguments)} failed")
    await api.create(namespace("sluice-system"))
