"""What happened while the operator was down is caught up with, and while nothing happens it writes nothing."""

import asyncio
from pathlib import Path

from doubles.kube import Api
from doubles.made import KINDS, MADE, listed, put, versions
from doubles.objects import provider
from doubles.operator_process import installed
from doubles.running import PATIENCE, until

TRIES = 5
"""Looks until what was made before has come to rest."""


async def made(api: Api, namespace: str) -> None:
    await until(lambda: listed(api, namespace).keys() >= MADE, f"all of {MADE}")


async def test_what_happened_while_it_was_down_is_caught_up_with(api: Api, namespace: str, tmp_path: Path) -> None:
    put(api, namespace, "before")
    async with installed(api, tmp_path, "--leader-election", "false") as first:
        await made(api, namespace)
        assert await first.stop() == 0
    api.kubectl("delete", "modelroute", "before", "-n", namespace)
    assert listed(api, namespace).keys() >= MADE
    async with installed(api, tmp_path, "--leader-election", "false") as second:
        await until(lambda: not listed(api, namespace).keys() & MADE, "what the route had is gone")
        assert await second.stop() == 0


async def test_while_nothing_changes_nothing_is_written(api: Api, namespace: str, tmp_path: Path) -> None:
    everything = f"{KINDS},modelroutes,events"
    put(api, namespace, "good")
    put(api, namespace, "broken", backends=[provider("gpt")])
    async with installed(api, tmp_path, "--leader-election", "false") as operator:
        await made(api, namespace)

        looks = 'sluice_operator_reconcile_seconds_count{result="success"}'

        async def quiet() -> bool:
            """Whether all stands in the version that it had, after this namespace was looked at again,."""
            before, seen = versions(listed(api, namespace, everything)), await operator.figure(looks)
            # A list that finds nothing wakes nobody: an annotation that means nothing does.
            api.kubectl("annotate", "modelroute", "broken", "-n", namespace, f"test={seen:.0f}", "--overwrite")
            async with asyncio.timeout(PATIENCE):
                while await operator.figure(looks) <= seen:
                    await asyncio.sleep(0.01)
            after = versions(listed(api, namespace, everything))
            route = ("ModelRoute", "broken")
            return {k: v for k, v in after.items() if k != route} == {k: v for k, v in before.items() if k != route}

        for _ in range(TRIES):
            if await quiet():
                return
        raise AssertionError("something is written again and again")
