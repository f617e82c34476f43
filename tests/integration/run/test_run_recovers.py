"""Processes that die are started again; when the supervisor dies, nothing is left."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from doubles.behaviours import text
from doubles.running import ROOT, alive, route, running, until
from doubles.scripted import Scripted


async def test_a_killed_gateway_comes_back_on_the_same_port(tmp_path: Path) -> None:
    async with Scripted().otherwise(text("ok")) as up:
        (tmp_path / "kinds.yaml").write_text(route(up.url))
        async with running(tmp_path) as sluice:
            [worker] = sluice.children()
            os.kill(worker, signal.SIGKILL)
            await until(lambda: not alive(worker), "it is dead")
            # The supervisor holds the socket: a caller waits in it instead of being refused.
            assert (await sluice.ask()).status_code == 200
            assert sluice.children() != [worker]
            await sluice.hears("gateway 0: killed by SIGKILL, starting again")


async def test_one_of_several_gateways_dies_and_the_others_serve(tmp_path: Path) -> None:
    async with Scripted().otherwise(text("ok")) as up:
        (tmp_path / "kinds.yaml").write_text(route(up.url))
        async with running(tmp_path, "--workers", "2") as sluice:
            first = sluice.children("--worker 1".replace(" ", "\0"))
            assert len(first) == 1
            os.kill(first[0], signal.SIGKILL)
            await until(lambda: not alive(first[0]), "it is dead")
            for _ in range(10):
                assert (await sluice.ask()).status_code == 200
            await until(lambda: len(sluice.children("sluice_sidecar.main")) == 2, "it is back")


async def test_a_killed_supervisor_leaves_no_process_and_the_next_run_starts(tmp_path: Path) -> None:
    async with Scripted().otherwise(text("ok")) as up:
        (tmp_path / "kinds.yaml").write_text(route(up.url))
        async with running(tmp_path) as sluice:
            children = sluice.children()
            assert children
            sluice.process.kill()
            await sluice.ends()
            async with running(tmp_path) as again:
                assert (await again.ask()).status_code == 200
            await until(lambda: not any(map(alive, children)), "the old gateway is gone")


async def test_a_gateway_that_never_starts_is_given_up(tmp_path: Path) -> None:
    (tmp_path / "kinds.yaml").write_text(route("http://127.0.0.1:9/v1"))
    broken = tmp_path / "broken" / "sluice_sidecar"
    broken.mkdir(parents=True)
    # A package of the same name, first on the path of the children alone: as a broken installation would be.
    (broken / "__init__.py").write_text("raise ImportError('this installation is broken')\n")
    code = (
        "import os, sys; from sluice_cli.main import main; import sluice_sidecar.credentials; "
        f"os.environ['PYTHONPATH'] = {str(broken.parent)!r} + os.pathsep + os.environ['PYTHONPATH']; "
        "sys.argv = ['sluice', 'run', 'kinds.yaml', '--port', '0', '--admin-port', '0']; main()"
    )
    paths = os.pathsep.join(str(ROOT / part) for part in ("operator", "sidecar", "cli"))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code), cwd=tmp_path, env=os.environ | {"PYTHONPATH": paths}, stdout=pipe, stderr=pipe
    )
    _, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 1
    assert b"this installation is broken" in errors
    assert b"the gateway cannot start" in errors
