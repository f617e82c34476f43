"""How long a cold operator takes for many routes that are there before it, and that it then writes nothing."""

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.operator_api import Api, BenchError, api_server, namespace
from bench.operator_fakes import Fakes
from bench.operator_process import Operator, operator
from sluice_operator.plan.plan import Manifest

NAMESPACES, ROUTES = 100, 10
"""At full scale; routes of each namespace."""
QUIET = 60.0
"""Seconds in which nothing may be written."""
SETTLE = 20.0
"""Seconds after the last status in which controllers and slow statuses may still have something to say."""
PATIENCE = 300.0
OURS = "sluice.dev/operator"
"""Who reports the operator's Events."""
KINDS = (
    *("/api/v1/configmaps", "/api/v1/secrets", "/api/v1/services", "/api/v1/serviceaccounts", "/api/v1/pods"),
    *("/apis/apps/v1/deployments", "/apis/apps/v1/statefulsets", "/apis/policy/v1/poddisruptionbudgets"),
    *("/apis/rbac.authorization.k8s.io/v1/roles", "/apis/rbac.authorization.k8s.io/v1/rolebindings"),
    *("/apis/networking.k8s.io/v1/networkpolicies", "/apis/discovery.k8s.io/v1/endpointslices"),
    *("/apis/events.k8s.io/v1/events", "/apis/sluice.dev/v1alpha1/modelroutes"),
)
"""All that the operator may write, Leases apart: a lease is renewed each second."""


def converge(scale: float) -> dict[str, Any]:
    """1,000 ModelRoutes in 100 namespaces, made before the operator starts. Converged: every route's Config is
    published, a gateway reported it, and every status says Ready. API server, etcd, controllers, fake gateways and the
    operator share the machine. Afterwards a minute in which the operator's own counter and the resourceVersion of all
    objects must stand still; its memory is the most that it ever had."""
    return asyncio.run(_converge(max(1, round(NAMESPACES * scale))))


async def _converge(count: int) -> dict[str, Any]:
    async with api_server() as api:
        with tempfile.TemporaryDirectory() as folder:
            spaces = [f"team-{number:03}" for number in range(count)]
            await api.create_all(namespace(name) for name in spaces)
            await api.create_all(route for name in spaces for route in routes(name))
            begun, load = time.monotonic(), os.getloadavg()[0]
            async with operator(api, Path(folder), "--injection", "false") as running:
                return {"routes": count * ROUTES, "namespaces": count, "load_before": round(load, 2)} | await _watch(
                    api, running, spaces, begun
                )


async def _watch(api: Api, running: Operator, spaces: list[str], begun: float) -> dict[str, Any]:
    fakes = Fakes(api, running.webhook_port)
    await fakes.prepare(spaces)
    reporting, ready = asyncio.create_task(fakes.run()), asyncio.create_task(_ready(api, len(spaces) * ROUTES))
    try:
        await asyncio.wait({reporting, ready}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            why = reporting.exception() if reporting.done() else running.log[-2000:]
            raise BenchError(f"not converged within {PATIENCE:g} s, {fakes.sent} reports were taken: {why}")
        await ready
        seconds, busy = time.monotonic() - begun, running.processor_seconds()
        writes = await running.writes()
        await asyncio.sleep(SETTLE)
        return {
            "converged_s": round(seconds, 2),
            "operator_processor_s": round(busy, 2),
            "writes": int(writes),
            **await _quiet(api, running),
            "reports": fakes.sent,
            "rss_mb": round(running.rss(), 1),
            "rss_most_mb": round(running.rss("VmHWM"), 1),
        }
    finally:
        reporting.cancel()
        ready.cancel()


async def _ready(api: Api, wanted: int) -> None:
    """Until so many routes are Ready as they are written."""
    done: set[tuple[str, str]] = set()
    async for _, route in api.watch("/apis/sluice.dev/v1alpha1/modelroutes"):
        status = route.get("status") or {}
        ready = any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions", ()))
        key = (route["metadata"]["namespace"], route["metadata"]["name"])
        if ready and status.get("observedGeneration") == route["metadata"]["generation"]:
            done.add(key)
        else:
            done.discard(key)
        if len(done) >= wanted:
            return


async def _quiet(api: Api, running: Operator) -> dict[str, Any]:
    before, counted = await _versions(api), await running.writes()
    await asyncio.sleep(QUIET)
    after = await _versions(api)
    return {
        "quiet_s": QUIET,
        "quiet_writes": int(await running.writes() - counted),
        "quiet_objects": len(before),
        "quiet_objects_changed": len(before.items() ^ after.items()),
    }


async def _versions(api: Api) -> dict[str, str]:
    """uid -> resourceVersion of everything; Events that controllers and scheduler write apart."""
    return {
        item["metadata"]["uid"]: item["metadata"]["resourceVersion"]
        for kind in KINDS
        for item in await api.items(kind)
        if item.get("reportingController", OURS) == OURS
    }


def routes(where: str) -> Iterator[Manifest]:
    """A namespace's routes: each spreads its requests over two backends that have prices."""
    for number in range(ROUTES):
        yield {
            "apiVersion": "sluice.dev/v1alpha1",
            "kind": "ModelRoute",
            "metadata": {"name": f"route-{number}", "namespace": where},
            "spec": {
                "models": [f"model-{number}"],
                "backends": [_backend("small"), _backend("large")],
                "strategy": {"weighted": {"weights": [_weight("small"), _weight("large")]}},
            },
        }


def _backend(name: str) -> dict[str, Any]:
    custom = {"url": f"http://{name}.example.com/v1", "dialect": "OpenAI", "model": name}
    return {"name": name, "custom": custom, "price": {"inputPerMillion": "1", "outputPerMillion": "2"}}


def _weight(backend: str) -> dict[str, Any]:
    return {"backend": backend, "weight": 1}
