"""The cache judged from outside by the cachebench tool: hit rate and wrong hits on streams of real questions.

    python -m bench.cachebench --tool FOLDER --datasets FOLDER [--limit 5000] [--json FILE] [--docs FILE]

`--tool` holds streams.py, oracle.py and replay.py, `--datasets` one folder a stream; neither is part of this
repository. Each stream goes through a fresh `sluice run` with an empty cache, under its policy.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.machine import describe
from bench.processes import free_port, process


@dataclass(frozen=True, slots=True)
class Judged:
    """One stream under one policy. `varied`: the model words the same answer in several ways."""

    title: str
    stream: str
    reuse: str
    varied: bool


STREAMS = ("banking77", "clinc150", "nlu_home")
RUNS = (
    Judged("banking77 as classification", "banking77", 'label: {}, maxFalsePerHit: "0.015"', False),
    Judged("banking77 as FAQ", "banking77", 'paraphrase: {}, maxFalsePerHit: "0.015"', True),
    Judged("clinc150 as classification", "clinc150", 'label: {}, maxFalsePerHit: "0.015"', False),
    Judged("nlu_home, strict", "nlu_home", 'paraphrase: {}, maxFalsePerHit: "0.025"', True),
)
KINDS = """\
apiVersion: sluice.dev/v1alpha1
kind: CachePolicy
metadata: {{name: judged}}
spec:
  workload: Custom
  ttl: 30d
  reuse: {{{reuse}}}
---
apiVersion: sluice.dev/v1alpha1
kind: ModelRoute
metadata: {{name: auto}}
spec:
  cachePolicy: {{name: judged}}
  backends:
  - name: oracle
    custom: {{url: "http://127.0.0.1:{oracle}/v1", dialect: OpenAI, model: oracle}}
"""
HEAD = """# The cache, judged from outside

Written by `python -m bench.cachebench --tool FOLDER --datasets FOLDER --docs docs/cachebench.md`; do not edit. A model
that is always right answers every miss; a hit is wrong when it gives another question's answer. Unique texts in random
order, from an empty cache, {limit} a stream; exact repeats ({repeat:.0%} mixed in) are counted apart. Nothing is told
about the data beforehand: every strategy starts closed and opens on the evidence of the stream itself, see
[the bound](cache-bound.md). FAQ and nlu_home: the model words the same answer in five ways.

{machine}
"""


def main() -> None:
    """Judges, prints, writes."""
    cli = argparse.ArgumentParser(prog="bench.cachebench", description=__doc__)
    cli.add_argument("--tool", type=Path, required=True)
    cli.add_argument("--datasets", type=Path, required=True)
    cli.add_argument("--limit", type=int, default=5000, help="texts of each stream")
    cli.add_argument("--repeat", type=float, default=0.2, help="share of exact repeats mixed in")
    cli.add_argument("--only", help="part of a run's title")
    cli.add_argument("--json", type=Path)
    cli.add_argument("--docs", type=Path)
    options = cli.parse_args()
    for path in (options.tool / "replay.py", *(options.datasets / name for name in STREAMS)):
        if not path.exists():
            cli.error(f"{path} is not there: name the folders of the cachebench tool and of the data sets")
    run: dict[str, Any] = {"machine": describe(), "limit": options.limit, "repeat": options.repeat, "results": []}
    for one in RUNS:
        if options.only and options.only not in one.title:
            continue
        print(f"{one.title} ...", file=sys.stderr, flush=True)
        run["results"].append({"title": one.title, "reuse": one.reuse, **_judge(options, one)})
    text = markdown(run)
    print(text)
    if options.json:
        options.json.write_text(json.dumps(run, indent=1) + "\n")
    if options.docs:
        options.docs.write_text(text)


def markdown(run: dict[str, Any]) -> str:
    """The page."""
    machine = run["machine"]
    about = f"{machine['date']}; {machine['processor']}, {machine['cores']} cores; Python {machine['python']}."
    lines = [
        HEAD.format(limit=run["limit"], repeat=run["repeat"], machine=about),
        "| stream | reuse | asked | hits | wrong per hit (95 %) | last fifth: hits | wrong (95 %) | repeats hit "
        "| p50 hit, miss (ms) |",
        "|---" * 9 + "|",
    ]
    for one in run["results"]:
        every, last, p50 = one["all"], one["last_fifth"], one["p50_ms"]
        by_meaning = next((p50[how] for how in ("label", "paraphrase") if how in p50), "-")
        lines.append(
            f"| {one['title']} | `{one['reuse']}` | {every['asked']} "
            f"| {every['hit_rate']:.1%} | {_rate(every)} | {last['hit_rate']:.1%} | {_rate(last)} "
            f"| {every['repeat_hits']}/{every['repeats']} | {by_meaning}, {p50.get('miss', '-')} |"
        )
    return "\n".join(lines) + "\n"


def _rate(part: dict[str, Any]) -> str:
    low, high = part["wrong_per_hit_95"]
    return f"{part['wrong_per_hit']:.2%} ({low:.2%}-{high:.2%})"


def _judge(options: argparse.Namespace, one: Judged) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        stream = Path(folder) / f"{one.stream}.jsonl"
        with stream.open("w") as out:
            subprocess.run(
                [sys.executable, str(options.tool / "streams.py"), str(options.datasets / one.stream)],
                stdout=out,
                check=True,
            )
        port = free_port()
        oracle = [sys.executable, str(options.tool / "oracle.py"), str(stream), "--port", str(port)]
        oracle += ["--vary"] if one.varied else []
        kinds = Path(folder) / "kinds.yaml"
        kinds.write_text(KINDS.format(reuse=one.reuse, oracle=port))
        with process(oracle, port, None), _sluice(kinds) as url:
            said = subprocess.run(
                [sys.executable, str(options.tool / "replay.py"), str(stream), "--base-url", url + "/v1",
                 "--limit", str(options.limit), "--repeat", str(options.repeat)],
                stdout=subprocess.PIPE, text=True, check=True,
            ).stdout  # fmt: skip
    found: dict[str, Any] = json.loads(said)
    return found


@contextlib.contextmanager
def _sluice(kinds: Path) -> Iterator[str]:
    """`sluice run`, ready; its URL."""
    command = shutil.which("sluice", path=str(Path(sys.executable).parent))
    if command is None:
        raise SystemExit("bench: the command `sluice` is not installed beside this Python")
    port, admin = free_port(), free_port()
    run = [command, "run", str(kinds), "--port", str(port), "--admin-port", str(admin),
           "--data", str(kinds.parent / "data")]  # fmt: skip
    with process(run, port, None, NO_COLOR="1"):
        deadline = time.monotonic() + 30
        while not _ready(admin) and time.monotonic() < deadline:
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    main()
