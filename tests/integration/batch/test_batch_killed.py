"""A gateway killed in the midst of a batch: what it acknowledged is answered by the next one, each request once."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import orjson

from doubles.batching import jsonl, line, until
from doubles.scripted import Behaviour, Call, Scripted
from doubles.serve import backend, config, route

COUNT = 120


def numbered(up: Scripted) -> Behaviour:
    """An answer that tells which call of all it is: two runs of one request never answer the same."""

    async def behave(call: Call) -> None:
        message = {"role": "assistant", "content": f"call {up.count}"}
        whole = {"id": "x", "object": "chat.completion", "created": 1, "model": "m",
                 "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                 "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}  # fmt: skip
        await call.send(200, orjson.dumps(whole))

    return behave


@asynccontextmanager
async def gateway(file: Path, data: Path) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """A gateway process; its data port's URL."""
    command = [sys.executable, "-m", "sluice_sidecar.main", "--config", str(file), "--data", str(data), "--port", "0"]
    process = await asyncio.create_subprocess_exec(
        *command, "--admin-port", "0", "--allow-loopback", "--report", "--no-access-log",
        stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            while not (said := await process.stdout.readline()).startswith(b"READY"):
                assert said, "the gateway ended"
        yield f"http://127.0.0.1:{int(said.split()[2])}", process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.communicate()


async def test_every_acknowledged_request_has_one_answer(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "config.json"
    async with Scripted() as up:
        up.otherwise(numbered(up))
        file.write_bytes(config(route([backend(up.url)])).to_json())
        async with gateway(file, data) as (url, process), httpx.AsyncClient(base_url=url) as http:
            upload = jsonl(line(f"c{n}", f"ask {n}") for n in range(COUNT))
            made = await http.post("/v1/files", files={"file": ("a.jsonl", upload)}, data={"purpose": "batch"})
            wanted = {
                "input_file_id": made.json()["id"], "endpoint": "/v1/chat/completions", "completion_window": "24h",
            }  # fmt: skip
            batch = (await http.post("/v1/batches", json=wanted)).json()["id"]
            single = (
                await http.post("/v1/chat/completions", json=line("x")["body"], headers={"prefer": "respond-async"})
            ).headers["location"]
            await up.arrived(COUNT // 4)
            process.send_signal(signal.SIGKILL)
        for at in (COUNT // 2, COUNT * 3 // 4):
            async with gateway(file, data) as (url, process):
                await up.arrived(at)
                process.send_signal(signal.SIGKILL)
        async with gateway(file, data) as (url, _), httpx.AsyncClient(base_url=url) as http:

            async def look() -> httpx.Response:
                return await http.get(f"/v1/batches/{batch}")

            found = (await until(look, lambda said: said.json()["status"] == "completed")).json()
            assert found["request_counts"] == {"total": COUNT, "completed": COUNT, "failed": 0}
            lines = (await http.get(f"/v1/files/{found['output_file_id']}/content")).content.splitlines()
            results = [orjson.loads(one) for one in lines]
            assert [one["custom_id"] for one in results] == [f"c{n}" for n in range(COUNT)]
            said = {one["response"]["body"]["choices"][0]["message"]["content"] for one in results}
            assert len(said) == COUNT
            answered = await http.get(single + "/result", headers={"prefer": "wait=20"})
            assert answered.status_code == 200
            assert (await http.get(single + "/result")).content == answered.content
