"""Watches that are silently dead: the periodic list finds what changed, and liveness asks for a new process."""

import asyncio
from pathlib import Path

import httpx

from doubles.kube import Api
from doubles.made import published, put
from doubles.operating import operating
from doubles.running import PATIENCE, until
from doubles.silent_watches import silencing

IMPATIENT = (
    "from sluice_operator import main, relist",
    "relist.PATIENCE = 1.0",  # a probe would fail after a minute and a half
    "raise SystemExit(main.main())",
)


async def test_a_change_is_applied_although_no_watch_tells_of_it_and_liveness_fails(
    api: Api, namespace: str, tmp_path: Path
) -> None:
    async with silencing(api, tmp_path) as (silencer, kubeconfig):
        flags = ("--kubeconfig", str(kubeconfig), "--relist-seconds", "1", "--leader-election", "false")
        program = ("-c", "\n".join(IMPATIENT))
        async with operating(api, namespace, *flags, program=program) as operator:
            put(api, namespace, "first")
            await until(lambda: "first" in published(api, namespace), "a route of which a watch tells")
            async with httpx.AsyncClient(base_url=await operator.url(), trust_env=False, timeout=PATIENCE) as client:

                async def probed(said: str) -> None:
                    """Waits until liveness says so."""
                    async with asyncio.timeout(PATIENCE):
                        while said not in (await client.get("/healthz")).text:
                            await asyncio.sleep(0.05)

                await probed("ok\n")
                # Before that its client lists, and what is listed needs no watch.
                path = f"/apis/sluice.dev/v1alpha1/namespaces/{namespace}/modelroutes"
                await until(lambda: path in silencer.watched, "a watch of routes")
                silencer.silence()
                put(api, namespace, "second")
                await until(lambda: "second" in published(api, namespace), "a route of which no watch told")
                assert silencer.swallowed
                missed = 'sluice_operator_watch_missed_total{resource="modelroutes.sluice.dev"}'
                assert await operator.figure(missed) >= 1
                await probed("modelroutes.sluice.dev")
                assert (await client.get("/healthz")).status_code == 503
                # What is dead is to be started again; until then it goes on.
                put(api, namespace, "third")
                await until(lambda: "third" in published(api, namespace), "another one")
