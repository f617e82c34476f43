"""What the webhook adds to the making of a pod."""

import asyncio
import os
import ssl
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp

from bench.client import spread
from bench.operator_api import Api, api_server, namespace
from bench.operator_convergence import routes
from bench.operator_process import HOME, PATIENCE, Operator, operator
from bench.processes import free_port
from sluice_operator import names
from sluice_operator.plan.plan import Manifest

PODS = 200
"""At full scale."""
TEAM = "team"


def inject(scale: float) -> dict[str, Any]:
    """200 pods that ask for a sidecar and 200 that do not, made one after the other by dry run through the API server,
    which calls the operator's real webhook over TLS; and 200 AdmissionReviews sent to it directly. "added" compares
    the first two, "with sidecar" is the whole of a pod's making as its user sees it. Milliseconds."""
    return asyncio.run(_inject(max(10, round(PODS * scale))))


async def _inject(count: int) -> dict[str, Any]:
    async with api_server() as api:
        await api.create(namespace(TEAM))
        await api.create_all(routes(TEAM))
        with tempfile.TemporaryDirectory() as folder:
            load = os.getloadavg()[0]
            port = free_port()
            await _install(api, port)
            async with operator(api, Path(folder), webhook_port=port) as running:
                await running.serves()
                async with asyncio.timeout(PATIENCE):
                    while not await _dry_run(api, pod("trial", ask=True)):
                        await asyncio.sleep(0.1)
                plain, injected = await _made(api, count)
                direct = await _asked(running, count)
                return {
                    "pods": count,
                    "load_before": round(load, 2),
                    "without_sidecar": plain,
                    "with_sidecar": injected,
                    "webhook_alone": direct,
                    "added_p50_ms": round(injected["p50"] - plain["p50"], 2),
                    "p99_ms": injected["p99"],
                }


async def _install(api: Api, port: int) -> None:
    """The chart's configuration and Service; the operator adds which authorities to trust."""
    name, labels = names.WEBHOOK_CONFIGURATION, {names.INJECT: "true"}
    service = {"name": names.OPERATOR_NAME, "namespace": HOME, "path": "/inject", "port": port}
    # Nothing routes to Services here: this one leads the API server to the process, under the Service's name.
    local = {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]}
    meta = {"name": names.OPERATOR_NAME, "namespace": HOME}
    await api.create({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": local})
    webhook = {
        "name": "inject.sluice.dev",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "timeoutSeconds": 3,
        "failurePolicy": "Ignore",
        "clientConfig": {"service": service},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
        "objectSelector": {"matchLabels": labels},
    }
    version = "admissionregistration.k8s.io/v1"
    kind = "MutatingWebhookConfiguration"
    await api.create({"apiVersion": version, "kind": kind, "metadata": {"name": name}, "webhooks": [webhook]})


async def _made(api: Api, count: int) -> tuple[dict[str, float], dict[str, float]]:
    """Alternately without and with a sidecar, so that both see the same machine."""
    times: dict[bool, list[float]] = {False: [], True: []}
    for number in range(count):
        for ask in (False, True):
            began = time.perf_counter()
            injected = await _dry_run(api, pod(f"pod-{number}", ask=ask))
            times[ask].append((time.perf_counter() - began) * 1e3)
            if injected != ask:
                raise SystemExit("bench: a pod came out with the wrong containers")
    return spread(times[False]), spread(times[True])


async def _dry_run(api: Api, manifest: Manifest) -> bool:
    """Whether the pod would have a sidecar."""
    made = await api.create(manifest, "?dryRun=All")
    return any(one["name"] == names.SIDECAR_CONTAINER for one in made["spec"].get("initContainers") or ())


async def _asked(running: Operator, count: int) -> dict[str, float]:
    """AdmissionReviews by one client on one connection."""
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    times = []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust, limit=1)) as session:
        for number in range(count):
            review = _review(pod(f"pod-{number}", ask=True), f"uid-{number}")
            began = time.perf_counter()
            async with session.post(f"https://127.0.0.1:{running.webhook_port}/inject", json=review) as response:
                said = await response.json()
            times.append((time.perf_counter() - began) * 1e3)
            if not said["response"]["allowed"] or "patch" not in said["response"]:
                raise SystemExit(f"bench: the webhook did not inject: {said}")
    return spread(times)


def _review(manifest: Manifest, uid: str) -> dict[str, Any]:
    request = {
        "uid": uid,
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "namespace": TEAM,
        "operation": "CREATE",
        "dryRun": True,
        "object": manifest,
    }
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}


def pod(name: str, *, ask: bool) -> Manifest:
    """An application's pod."""
    labels = {"app": "app", **({names.INJECT: "true"} if ask else {})}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": TEAM, "labels": labels},
        "spec": {"containers": [{"name": "app", "image": "app", "env": [{"name": "LANGUAGE", "value": "en"}]}]},
    }
