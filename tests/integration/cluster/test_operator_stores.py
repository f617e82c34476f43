"""The operator, as a process, makes a managed Qdrant's collection, makes it again, and saves it before an upgrade."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from doubles.kube import Api
from doubles.made import put
from doubles.objects import policy
from doubles.operating import Operator, operating
from doubles.qdrant_stand_in import Standing, standing_in
from doubles.running import until
from sluice_operator import names
from sluice_operator.qdrant_admin import INDEXES
from sluice_operator.sections import collection_name

NEW = "qdrant/qdrant:v99"


def reached(server: Standing, namespace: str) -> tuple[str, ...]:
    """Flags of an operator that reaches the namespace's Qdrant here, and looks every second."""
    hosts = (f"{names.QDRANT_NAME}.{namespace}.svc", f"sluice-qdrant-0.sluice-qdrant-headless.{namespace}.svc")
    places = ",".join(f"{host}:6333=127.0.0.1:{server.port}" for host in hosts)
    return ("--store-seconds", "1", "--connect-to", places)


def becomes_ready(api: Api, namespace: str) -> None:
    """What a kubelet would say of the pod that the StatefulSet has."""
    api.kubectl("wait", "--for=create", "pod/sluice-qdrant-0", "-n", namespace, "--timeout=120s")
    status = {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}
    patch = ("--subresource=status", "--type=merge", "-p", json.dumps(status))
    api.kubectl("patch", "pod", "sluice-qdrant-0", "-n", namespace, *patch)


def told(api: Api, namespace: str) -> Mapping[str, Any]:
    """The policy's condition Ready."""
    conditions = api.get("cachepolicy", "p", "-n", namespace).get("status", {}).get("conditions", [])
    return next((entry for entry in conditions if entry["type"] == "Ready"), {})


def image(api: Api, namespace: str) -> str:
    spec = api.get("statefulset", names.QDRANT_NAME, "-n", namespace)["spec"]["template"]["spec"]
    return str(spec["containers"][0]["image"])


async def ready(api: Api, namespace: str) -> None:
    await until(lambda: told(api, namespace).get("status") == "True", "the policy Ready")


async def made(server: Standing, namespace: str) -> None:
    schemas, name = server.app.schemas, collection_name(namespace)
    await until(lambda: schemas.get(name, {}).keys() == INDEXES.keys(), f"{name} with its indexes")


async def started(api: Api, namespace: str, server: Standing, operator: Operator) -> str:
    """A route with a managed Qdrant that runs and holds its collection; the server's key."""
    await operator.leads()
    used = policy("p", store={"qdrant": {"managed": {}}})
    used["metadata"]["namespace"] = namespace
    api.apply(used)
    put(api, namespace, "house", cachePolicy={"name": "p"})
    api.kubectl("wait", "--for=create", f"statefulset/{names.QDRANT_NAME}", "-n", namespace, "--timeout=120s")
    secret = api.get("secret", names.STORE_ADMIN_SECRET, "-n", namespace)
    key = base64.b64decode(secret["data"]["qdrant-key"]).decode()
    server.app.api_key = key
    becomes_ready(api, namespace)
    await made(server, namespace)
    await ready(api, namespace)
    return key


async def test_the_collection_is_made_with_the_servers_key_and_healed(api: Api, namespace: str, tmp_path: Path) -> None:
    name = collection_name(namespace)

    async with standing_in(tmp_path) as server, operating(api, namespace, *reached(server, namespace)) as operator:
        key = await started(api, namespace, server, operator)
        drop = {"method": "DELETE", "path": f"/collections/{name}", "headers": [(b"api-key", key.encode())]}
        assert server.app.answer(drop, b"") is True
        await made(server, namespace)

        server.app.api_key = "another"
        await until(lambda: told(api, namespace).get("reason") == "StoreUnavailable", "the policy without its store")
        message = told(api, namespace)["message"]
        assert "was answered 401" in message
        assert key not in f"{message}{operator.log}"
        server.app.api_key = key
        await ready(api, namespace)
        assert "Traceback" not in operator.log, operator.log


async def test_another_image_runs_once_the_collection_was_saved(api: Api, namespace: str, tmp_path: Path) -> None:
    snapshots = tmp_path / collection_name(namespace) / "snapshots"
    async with standing_in(tmp_path) as server:
        flags = reached(server, namespace)
        async with operating(api, namespace, *flags) as operator:
            await started(api, namespace, server, operator)
            before = image(api, namespace)
            await operator.stop()
        snapshots.write_text("in the way")
        async with operating(api, namespace, *flags, "--image-qdrant", NEW) as operator:
            await until(
                lambda: "StoreUpgradeBlocked" in api.kubectl("get", "cachepolicy", "p", "-n", namespace, "-o", "yaml"),
                "what holds the upgrade back",
            )
            assert image(api, namespace) == before != NEW
            snapshots.unlink()
            await until(lambda: image(api, namespace) == NEW, "the new image")
            assert len(list(snapshots.glob("*.snapshot"))) == 1
