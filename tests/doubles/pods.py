"""Gateways as they run in pods: real processes on a real API server, with the mounts and rights that pods have."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from doubles.kube import Api
from doubles.running import PATIENCE, ROOT, until
from sluice_sidecar.config import Backend, Config, Credential, Endpoints, Route, Single
from sluice_sidecar.signature import sign

ACCOUNT = "sluice-gateway"
SALT = "f0" * 32


def routed(url: str, *, model: str = "auto", credential: Credential | None = None) -> Config:
    """A sealed Config with one route, `house`, to one upstream."""
    backend = Backend(name="house", url=url, credential=credential, model="upstream")
    route = Route(
        name="house", models=(model,), backends={"house": backend}, strategy=Single(backend="house"), reference="house"
    )
    return Config(routes={"house": route}).sealed()


def config_map(namespace: str, name: str, **data: str) -> dict[str, Any]:
    """A ConfigMap; `config`, `shards` and `endpoints` stand for their file names."""
    files = {"config": "config.json", "endpoints": "endpoints.json", "shards": "shards.json"}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": {files.get(key, key): value for key, value in data.items()},
    }


def published(namespace: str, config: Config) -> dict[str, Any]:
    """The ConfigMap of a Config, signed."""
    text = config.to_json().decode()
    return config_map(namespace, "sluice-config", config=text, signature=sign(SALT, namespace, text))


def addresses(namespace: str, endpoints: Endpoints) -> dict[str, Any]:
    """The ConfigMap of Endpoints, signed."""
    text = endpoints.model_dump_json()
    signature = sign(SALT, namespace, text, "endpoints")
    return config_map(namespace, "sluice-endpoints", endpoints=text, signature=signature)


def secret(namespace: str, index: Mapping[str, Any], **values: str) -> dict[str, Any]:
    """The aggregated Secret."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "sluice-credentials", "namespace": namespace},
        "stringData": {"index.json": json.dumps(index), "salt": SALT, **values},
    }


def rights(namespace: str) -> list[dict[str, Any]]:
    """The gateway's ServiceAccount and what it may read: its objects, by name."""
    objects = (
        ("configmaps", ["sluice-config", "sluice-config-0", "sluice-endpoints"]),
        ("secrets", ["sluice-credentials"]),
    )
    rules = [
        {"apiGroups": [""], "resources": [kind], "resourceNames": named, "verbs": ["get", "list", "watch"]}
        for kind, named in objects
    ]
    meta = {"name": ACCOUNT, "namespace": namespace}
    rbac = "rbac.authorization.k8s.io"
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta},
        {"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": meta, "rules": rules},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": meta,
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": ACCOUNT},
            "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": namespace}],
        },
    ]


def mounts(api: Api, namespace: str, folder: Path) -> Path:
    """What is mounted in a gateway's container, without a Config; rights and a Secret without credentials included."""
    api.apply(*rights(namespace))
    if not api.kubectl("get", "secret", "sluice-credentials", "-n", namespace, "--ignore-not-found"):
        api.apply(secret(namespace, {}))
    files = {
        "api/ca.crt": api.get("configmap", "kube-root-ca.crt", "-n", namespace)["data"]["ca.crt"],
        "api/token": api.kubectl("create", "token", ACCOUNT, "-n", namespace),
        "operator/token": api.kubectl("create", "token", ACCOUNT, "-n", namespace, "--audience", "sluice"),
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content.strip() + "\n")
    return folder


@dataclass
class Pod:
    """A gateway process."""

    process: asyncio.subprocess.Process
    errors: Path
    url: str = ""
    admin: str = ""

    @property
    def said(self) -> str:
        return self.errors.read_text()

    async def answers(self, client: httpx.AsyncClient, path: str) -> Any:
        """JSON of the admin port."""
        return (await client.get(self.admin + path)).json()

    async def serves(self, config: Config) -> None:
        """Waits until it serves this Config."""
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
            try:
                async with asyncio.timeout(PATIENCE):
                    while (await self.answers(client, "/-/config"))["digest"] != config.digest:
                        await asyncio.sleep(0.005)
            except TimeoutError:
                raise AssertionError(f"it never served {config.digest}: {self.said}") from None


@asynccontextmanager
async def pod(
    run: Path,
    namespace: str,
    server: str,
    role: str = "shared",
    *more: str,
    ready: bool = True,
    program: Sequence[str] = ("-m", "sluice_sidecar.main"),
) -> AsyncIterator[Pod]:
    """A gateway with the mounts in `run`. `server`: the API server's URL. `ready`: waits for its data port.

    `program`: what Python runs.
    """
    host, _, port = server.removeprefix("https://").partition(":")
    errors = run / f"stderr-{role}"
    admin_port = _free()
    arguments = ["--cluster", role, "--namespace", namespace, "--run", str(run), "--port", "0", "--report"]
    arguments += ["--admin-port", str(admin_port), "--allow-loopback", *more]
    with errors.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *program, *arguments),
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT / "sidecar"),
                "KUBERNETES_SERVICE_HOST": host,
                "KUBERNETES_SERVICE_PORT": port,
                "POD_SERVICE_ACCOUNT": "app",
            },
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
        )
    found = Pod(process, errors, admin=f"http://127.0.0.1:{admin_port}")
    try:
        if ready:
            await _ready(found)
        yield found
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            await process.wait()


async def _ready(found: Pod) -> None:
    assert found.process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        while not found.url:
            line = (await found.process.stdout.readline()).decode()
            assert line, f"it ended: {found.said}"
            if ready := re.match(r"READY (\S+) (\d+)", line):
                found.url = f"http://{ready[1]}:{ready[2]}"


async def hears(found: Pod, pattern: str) -> None:
    """Waits until it said so."""
    await until(lambda: re.search(pattern, found.said), f"{pattern} in what it said")


def _free() -> int:
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
