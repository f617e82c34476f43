"""`sluice audit` end to end, against a model server that answers by what the prompt holds."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from doubles.audited import Part, part, stage
from sluice_cli.main import main
from sluice_sidecar.audit.model import Prompt, Sample

PARTS: tuple[Part, ...] = (part(0, 1.0), part(1), part(2, 0.3, ("refund",)), part(3))


class Model:
    """Speaks chat completions; `limit`: how many it answers before it is busy for good."""

    def __init__(self, prompt: Prompt, samples: list[Sample], needs: Any) -> None:
        asks = {sample.asked(): needs[sample.id] for sample in samples}
        self.asked: list[dict[str, Any]] = []
        self.busy = 0
        model = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                if model.busy:
                    model.busy -= 1
                    self._send(429, {"error": {"message": "slow down"}}, {"retry-after": "0"})
                    return
                if not self.path.endswith("/chat/completions"):
                    self._send(404, {"error": {"message": "no such page"}})
                    return
                model.asked.append(body)
                system = body["messages"][0]["content"] if body["messages"][0]["role"] == "system" else ""
                wanted = asks[body["messages"][-1]["content"]]
                good = all(any(PARTS[n].text.rstrip() in system for n in any_of) for any_of in wanted)
                message = {"role": "assistant", "content": "good" if good else "bad"}
                choice = {"index": 0, "message": message, "finish_reason": "stop"}
                usage = {"prompt_tokens": len(system) // 4 + 5, "completion_tokens": 1, "total_tokens": 0}
                self._send(200, {"id": "c", "object": "chat.completion", "model": "m", "choices": [choice],
                                 "usage": usage, "created": 0})  # fmt: skip

            def _send(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
                data = json.dumps(value).encode()
                self.send_response(status)
                for name, said in {"content-type": "application/json", **(headers or {})}.items():
                    self.send_header(name, said)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/v1"


class Stage:
    """A folder with kinds and recorded requests, and the model that they are asked of."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        self.prompt, samples, oracle = stage(PARTS, count, seed=3)
        numbered = [
            Sample(one.id, one.prompt, one.tenant, one.at, ({"role": "user", "content": f"{one.asked()} no. {n}"},), "")
            for n, one in enumerate(samples)
        ]
        self.model = Model(self.prompt, numbered, oracle.needs)
        backend = {"name": "small", "custom": {"url": self.model.url, "dialect": "OpenAI", "model": "oracle"},
                   "price": {"inputPerMillion": "1", "outputPerMillion": "2", "currency": "USD"}}  # fmt: skip
        kinds = [
            {"apiVersion": "sluice.dev/v1alpha1", "kind": "ModelRoute", "metadata": {"name": "support"},
             "spec": {"backends": [backend]}},
            {"apiVersion": "sluice.dev/v1alpha1", "kind": "PromptAudit", "metadata": {"name": "monthly"},
             "spec": {"route": "support", "sample": {"requests": 1000},
                      "ablation": {"against": "small", "judge": "small"}}},
        ]  # fmt: skip
        (folder / "kinds.yaml").write_text(yaml.safe_dump_all(kinds))
        system = {"role": "system", "content": self.prompt.text}
        lines = [json.dumps({"messages": [system, *one.messages], "answer": "good"}) for one in numbered]
        (folder / "asks.jsonl").write_text("\n".join(lines) + "\n")

    def run(self, *more: str) -> Result:
        at = str(self.folder)
        given = ["audit", f"{at}/kinds.yaml", "--samples", f"{at}/asks.jsonl", "--work", f"{at}/work", "--yes", *more]
        return CliRunner().invoke(main, given)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path, 330)
    yield made
    made.model.server.shutdown()
    made.model.server.server_close()


def test_a_prompt_is_audited_and_gets_a_report_and_a_patch(made: Stage) -> None:
    made.model.busy = 2
    files = [made.folder / name for name in ("report.html", "patch.yaml", "report.json")]
    done = made.run("--report", str(files[0]), "--patch", str(files[1]), "--json", str(files[2]))
    assert done.exit_code == 0, done.output
    report = json.loads(files[2].read_text())
    verdicts = {one["title"]: one["verdict"] for one in report["findings"]}
    assert verdicts == {"Topic 0": "needed", "Topic 1": "drop", "Topic 2": "needed", "Topic 3": "drop"}
    assert report["calls"] < 0.4 * report["plain"]
    assert "Topic 1" in files[0].read_text()
    assert "rewrites" in files[1].read_text()
    assert made.prompt.digest in files[1].read_text()


def test_a_bound_of_calls_ends_it_and_the_same_command_goes_on(made: Stage) -> None:
    short = made.run("--max-calls", "60")
    assert "60 calls" in short.output
    asked = len(made.model.asked)
    assert asked <= 60
    whole = made.run("--json", str(made.folder / "report.json"))
    assert whole.exit_code == 0, whole.output
    assert json.loads((made.folder / "report.json").read_text())["dropped"]
    once = len(made.model.asked)
    assert made.run().exit_code == 0
    assert len(made.model.asked) == once


def test_too_few_requests_say_how_many_are_needed(tmp_path: Path) -> None:
    few = Stage(tmp_path, 20)
    try:
        done = few.run()
        assert "248" in done.output
        assert not few.model.asked
    finally:
        few.model.server.shutdown()
        few.model.server.server_close()


@pytest.mark.parametrize(
    ("more", "said"),
    [(("--against", "smal"), "no backend 'smal'"), (("--route", "sales"), "no ModelRoute 'sales'"),
     (("--audit", "weekly"), "weekly")],
)  # fmt: skip
def test_a_wrong_name_is_told_with_the_names_that_there_are(made: Stage, more: tuple[str, ...], said: str) -> None:
    done = made.run(*more)
    assert done.exit_code != 0
    assert said in done.output
    assert not made.model.asked
