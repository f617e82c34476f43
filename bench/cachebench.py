"""The cache judged from outside by the cachebench tool: hit rate and wrong hits on streams of real questions.

    python -m bench.cachebench --tool FOLDER --datasets FOLDER [--limit 5000] [--json FILE] [--docs FILE]

`--tool` holds streams.py, oracle.py and replay.py, `--datasets` one folder a stream; neither is part of this
repository. Each stream goes through a fresh `sluice run` with an empty cache, once for each similarity.
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
from pathlib import Path
from typing import Any

from bench.machine import describe
from bench.processes import free_port, process

STREAMS = ("banking77", "clinc150", "nlu_home")
SIMILARITIES = ("0.85", "0.90", "0.94")
KINDS = """\
apiVersion: sluice.dev/v1alpha1
kind: CachePolicy
metadata: {{name: judged}}
spec:
  workload: Classification
  reuse: {{paraphrase: {{similarity: "{similarity}"}}}}
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
order, from an empty cache, {limit} a stream; exact repeats ({repeat:.0%} mixed in) are counted apart. Paraphrase reuse
is the first form: plain similarity and the vetoes of [cache.md](cache.md), without a proven bound.

{machine}
"""


def main() -> None:
    """Judges, prints, writes."""
    cli = argparse.ArgumentParser(prog="bench.cachebench", description=__doc__)
    cli.add_argument("--tool", type=Path, required=True)
    cli.add_argument("--datasets", type=Path, required=True)
    cli.add_argument("--limit", type=int, default=5000, help="texts of each stream")
    cli.add_argument("--repeat", type=float, default=0.2, help="share of exact repeats mixed in")
    cli.add_argument("--json", type=Path)
    cli.add_argument("--docs", type=Path)
    options = cli.parse_args()
    for path in (options.tool / "replay.py", *(options.datasets / name for name in STREAMS)):
        if not path.exists():
            cli.error(f"{path} is not there: name the folders of the cachebench tool and of the data sets")
    run: dict[str, Any] = {"machine": describe(), "limit": options.limit, "repeat": options.repeat, "results": []}
    for name in STREAMS:
        for similarity in SIMILARITIES:
            print(f"{name} {similarity} ...", file=sys.stderr, flush=True)
            run["results"].append({"similarity": similarity, **_judge(options, name, similarity)})
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
        "| stream | similarity | asked | hits | wrong per hit (95 %) | last fifth: hits | wrong per hit | repeats hit "
        "| p50 paraphrase, miss (ms) |",
        "|---" * 9 + "|",
    ]
    for one in run["results"]:
        every, last, p50 = one["all"], one["last_fifth"], one["p50_ms"]
        low, high = every["wrong_per_hit_95"]
        lines.append(
            f"| {one['stream'].removesuffix('.jsonl')} | {one['similarity']} | {every['asked']} "
            f"| {every['hit_rate']:.1%} | {every['wrong_per_hit']:.1%} ({low:.1%}-{high:.1%}) "
            f"| {last['hit_rate']:.1%} | {last['wrong_per_hit']:.1%} | {every['repeat_hits']}/{every['repeats']} "
            f"| {p50.get('paraphrase', '-')}, {p50.get('miss', '-')} |"
        )
    return "\n".join(lines) + "\n"


def _judge(options: argparse.Namespace, name: str, similarity: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        stream = Path(folder) / f"{name}.jsonl"
        with stream.open("w") as out:
            subprocess.run(
                [sys.executable, str(options.tool / "streams.py"), str(options.datasets / name)], stdout=out, check=True
            )
        port = free_port()
        oracle = [sys.executable, str(options.tool / "oracle.py"), str(stream), "--port", str(port), "--vary"]
        kinds = Path(folder) / "kinds.yaml"
        kinds.write_text(KINDS.format(similarity=similarity, oracle=port))
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
