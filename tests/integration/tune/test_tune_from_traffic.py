"""`sluice tune --from-traffic` studies what a running gateway has stored."""

import asyncio
import json
from pathlib import Path

import httpx
import orjson
from click.testing import CliRunner, Result

from doubles import objects
from doubles.recordings import recorded
from doubles.scripted import Scripted
from doubles.serve import backend, config, policy, route, serving
from sluice_cli.main import main


async def test_stored_answers_are_the_data(tmp_path: Path) -> None:
    (tmp_path / "kinds.yaml").write_text(json.dumps(objects.policy("keep", workload="Invoice")))

    def tune(admin: str) -> Result:
        arguments = ["tune", "keep", "-f", str(tmp_path / "kinds.yaml"), "--from-traffic", "--admin", admin]
        return CliRunner().invoke(main, [*arguments, "--work", str(tmp_path / "work"), "-o", "json"])

    lines = []
    for one in recorded(50, 2, 0.0):
        said = {"index": 0, "message": {"role": "assistant", "content": one["answer"]}, "finish_reason": "stop"}
        request = {"model": "auto", "messages": [{"role": "user", "content": one["text"]}]}
        lines.append({"request": request, "response": {"object": "chat.completion", "choices": [said]}})
    async with Scripted() as up:
        served = config(route([backend(up.url)], policy="keep"), policies=[policy()])
        async with serving(served, data=tmp_path / "data") as gateway:
            assert "holds no ask that can be used: it is empty" in (await asyncio.to_thread(tune, gateway.admin)).stderr
            async with httpx.AsyncClient() as client:
                await client.post(
                    f"{gateway.admin}/-/import?policy=keep", content=b"\n".join(map(orjson.dumps, lines)),
                    headers={"x-sluice-admin": "1"},
                )  # fmt: skip
            result = await asyncio.to_thread(tune, gateway.admin)
    assert result.exit_code == 0, result.stderr
    study = json.loads(result.stdout)
    assert (study["data"]["used"], study["data"]["timed"]) == (50, True)
    assert study["findings"][0]["verdict"] == "unused"
