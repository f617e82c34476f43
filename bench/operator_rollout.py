"""How soon a changed route, and a changed credential, is served by every sidecar, and what callers see meanwhile."""

import asyncio
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.client import spread
from bench.operator_api import Api, api_server, namespace
from bench.operator_gateways import Fleet, Tap, fleet
from bench.operator_load import Callers, model
from bench.operator_process import operator
from bench.processes import free_port
from sluice_operator import names
from sluice_operator.plan.plan import Manifest

SIDECARS = 50
"""At full scale."""
CHANGES, CREDENTIALS = 10, 5
PAUSE = 0.5
"""Seconds between two asks of one caller."""
REST = 2.0
"""Seconds between two changes."""
TEAM = "team"
OPEN, KEYED = "open", "keyed"


def rollout(scale: float) -> dict[str, Any]:
    """50 sidecars and their shared gateway, real processes without an embedder, and the real operator, all on this
    machine. `kubectl apply` changes a route ten times and a credential five times; each time counts from kubectl's
    return to the arrival of a sidecar's report that it serves the new Config. Each sidecar has a caller who asks twice
    a second, in turn for the changed route and for one whose key the shared gateway adds. Each answer tells the version
    in its upstream's path and in its model's name: two that differ would be a mix."""
    return asyncio.run(_rollout(max(2, round(SIDECARS * scale))))


async def _rollout(count: int) -> dict[str, Any]:
    async with api_server() as api, model() as host:
        with tempfile.TemporaryDirectory() as folder:
            await api.create(namespace(TEAM))
            for made in (credential(host, 0), route(OPEN, host, 0), route(KEYED, host, 0, keyed=True)):
                await api.create(made)
            port = free_port()
            tap = Tap(port)
            flags = ("--injection", "false", "--report-url", f"http://127.0.0.1:{tap.port}")
            async with (
                tap.running(),
                operator(api, Path(folder), *flags, webhook_port=port) as running,
                fleet(api, TEAM, Path(folder), tap, count) as started,
            ):
                await asyncio.sleep(REST)
                load = os.getloadavg()[0]
                async with Callers(started.sidecars, (OPEN, KEYED), PAUSE).calling() as tally:
                    await asyncio.sleep(REST)
                    changes = [route(OPEN, host, n + 1) for n in range(CHANGES)]
                    routes = await _changes(api, tap, started, "route", changes)
                    changes = [credential(host, n + 1) for n in range(CREDENTIALS)]
                    keys = await _changes(api, tap, started, "credential", changes)
                return {
                    "sidecars": count,
                    "load_before": round(load, 2),
                    **routes,
                    **keys,
                    "route_p99_ms": routes["route"]["p99"],
                    "credential_p99_ms": keys["credential"]["p99"],
                    **tally.plain(),
                    "operator_rss_mb": round(running.rss(), 1),
                }


async def _changes(
    api: Api, tap: Tap, started: Fleet, what: str, changes: list[Manifest]
) -> dict[str, dict[str, float]]:
    """Milliseconds of each change and each sidecar, since kubectl returned and since it was started."""
    sidecars = [gateway.name for gateway in started.sidecars]
    returned, begun = [], []
    for change in changes:
        before = tap.digests[sidecars[0]][0]
        start = time.perf_counter()
        await api.kubectl_apply(change)
        end = time.perf_counter()
        served = await tap.all_serve([*sidecars, started.shared.name], before)
        # The operator is often done before kubectl has ended.
        returned += [max(0.0, served[name] - end) * 1e3 for name in sidecars]
        begun += [(served[name] - start) * 1e3 for name in sidecars]
        await asyncio.sleep(REST)
    return {what: _most(returned), f"{what}, since kubectl began": _most(begun)}


def _most(times: list[float]) -> dict[str, float]:
    return {**spread(times), "most": round(max(times), 4)}


def route(name: str, host: str, version: int, *, keyed: bool = False) -> Manifest:
    """A route whose address and model both carry the version."""
    key = {"apiKey": {"secret": "key", "key": "token"}} if keyed else {}
    custom = {"url": f"http://{host}/v{version}/v1", "dialect": "OpenAI", "model": f"m-{version}", **key}
    return {
        "apiVersion": "sluice.dev/v1alpha1",
        "kind": "ModelRoute",
        "metadata": {"name": name, "namespace": TEAM},
        "spec": {"models": [name], "backends": [{"name": "house", "custom": custom}]},
    }


def credential(host: str, version: int) -> Manifest:
    """The key's Secret; it may go to the model alone."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "key",
            "namespace": TEAM,
            "labels": {names.CREDENTIAL: "true"},
            "annotations": {names.HOSTS: host},
        },
        "stringData": {"token": f"key-{version}"},
    }
