"""`sluice run` from the first process to the last."""

import asyncio
import os
import signal
import socket
import time
from pathlib import Path

from doubles.behaviours import text
from doubles.running import alive, route, running, start, until
from doubles.scripted import Gate, Scripted


async def test_it_serves_says_how_to_use_it_and_leaves_nothing(tmp_path: Path) -> None:
    async with Scripted().otherwise(text("Water.")) as up:
        (tmp_path / "kinds.yaml").write_text(route(up.url))
        async with running(tmp_path) as sluice:
            answer = await sluice.ask()
            assert answer.json()["choices"][0]["message"]["content"] == "Water."
            assert (await sluice.client.get(sluice.admin + "/readyz")).status_code == 200
            assert f"export OPENAI_BASE_URL={sluice.url}/v1" in sluice.banner
            assert "models   auto" in sluice.banner
            children = sluice.children()
            assert len(children) == 1
            sluice.process.send_signal(signal.SIGTERM)
            assert await sluice.ends() == 0
            assert not any(map(alive, children))


async def test_it_is_ready_within_two_seconds(tmp_path: Path) -> None:
    (tmp_path / "kinds.yaml").write_text(route("http://127.0.0.1:9/v1"))
    took: list[float] = []
    while len(took) < 3 and min(took, default=2.0) >= 2.0:  # others' work on this machine is not ours
        began = time.monotonic()
        async with running(tmp_path) as sluice:
            assert (await sluice.client.get(sluice.admin + "/readyz")).status_code == 200
            took.append(time.monotonic() - began)
    busy = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    assert min(took) < 2.0 * busy


async def test_an_open_request_ends_before_the_gateway_does(tmp_path: Path) -> None:
    gate = Gate()
    async with Scripted().otherwise(text(["One ", "two ", "three."], gate=gate)) as up:
        (tmp_path / "kinds.yaml").write_text(route(up.url))
        async with running(tmp_path) as sluice:
            asked = asyncio.create_task(sluice.ask())
            await up.arrived(1)
            sluice.process.send_signal(signal.SIGTERM)
            await sluice.hears("stopping")
            gate.open()
            assert (await asked).json()["choices"][0]["message"]["content"] == "One two three."
            assert await sluice.ends() == 0


async def test_a_second_signal_stops_at_once(tmp_path: Path) -> None:
    gate = Gate()
    async with Scripted().otherwise(text(["One ", "two."], gate=gate)) as up:
        (tmp_path / "kinds.yaml").write_text(route(up.url))
        async with running(tmp_path) as sluice:
            asked = asyncio.create_task(sluice.ask())
            await up.arrived(1)
            sluice.process.send_signal(signal.SIGINT)
            await sluice.hears("stopping: open")
            began = time.monotonic()
            while "at once" not in sluice.said.partition("stopping: open")[2].partition("\n")[2]:
                sluice.process.send_signal(signal.SIGINT)  # one that comes with the first counts as the first
                await asyncio.sleep(0.05)
            assert await sluice.ends() == 0
            assert time.monotonic() - began < 25  # the drain alone would be 30
            gate.open()
            await asyncio.gather(asked, return_exceptions=True)


async def test_a_port_in_use_is_named_with_its_holder(tmp_path: Path) -> None:
    (tmp_path / "kinds.yaml").write_text(route("http://127.0.0.1:9/v1"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        sluice = await start(tmp_path, "--port", str(port))
        assert await sluice.ends() == 1
        assert f"port {port} on 127.0.0.1 is in use" in sluice.said
        assert f"(pid {os.getpid()})" in sluice.said
        await sluice.client.aclose()


async def test_two_runs_do_not_share_a_data_folder(tmp_path: Path) -> None:
    (tmp_path / "kinds.yaml").write_text(route("http://127.0.0.1:9/v1"))
    async with running(tmp_path) as sluice:
        second = await start(tmp_path)
        assert await second.ends() == 1
        assert f"used by another sluice run (pid {sluice.process.pid})" in second.said
        await second.client.aclose()
        assert (await sluice.client.get(sluice.admin + "/readyz")).status_code == 200


async def test_what_is_wrong_in_the_files_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "kinds.yaml").write_text(route("http://127.0.0.1:9/v1").replace("backends:", "backend:"))
    sluice = await start(tmp_path)
    assert await sluice.ends() == 1
    assert "kinds.yaml:6" in sluice.said
    assert "backends" in sluice.said
    await until(lambda: not sluice.children(), "no process is left")
    await sluice.client.aclose()


async def test_a_secret_without_a_value_is_told_by_its_variable_and_fails_its_requests_alone(tmp_path: Path) -> None:
    async with Scripted().otherwise(text("ok")) as up:
        keyed = route(up.url, "keyed", model="keyed", more=", apiKey: {secret: up, key: token}")
        (tmp_path / "kinds.yaml").write_text(keyed + route(up.url))
        async with running(tmp_path) as sluice:
            await sluice.hears("SLUICE_SECRET_UP_TOKEN")
            refused = await sluice.ask(model="keyed")
            assert refused.status_code == 500
            assert "SLUICE_SECRET_UP_TOKEN" in refused.json()["error"]["message"]
            assert (await sluice.ask()).status_code == 200
