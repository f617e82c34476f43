"""Measures the gateway: `python -m bench [SCENARIO ...] [--seconds 8] [--json FILE] [--docs FILE]`."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from bench import machine
from bench.configs import KEYS
from bench.report import markdown, promises
from bench.scenarios import SCENARIOS


def main() -> None:
    """Runs the scenarios one after the other, each in a fresh process, and writes what they found."""
    cli = argparse.ArgumentParser(prog="bench", description=__doc__)
    cli.add_argument("scenarios", nargs="*", help=f"default: all of {', '.join(SCENARIOS)}")
    cli.add_argument("--seconds", type=int, default=8, help="of each load")
    cli.add_argument("--json", type=Path, help="file for the figures")
    cli.add_argument("--docs", type=Path, help="page to write, docs/benchmarks.md")
    cli.add_argument("--only", help=argparse.SUPPRESS)
    options = cli.parse_args()
    if options.only:
        print(json.dumps(SCENARIOS[options.only](options.seconds)))
        return
    unknown = set(options.scenarios) - set(SCENARIOS)
    if unknown:
        cli.error(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    names = options.scenarios or list(SCENARIOS)
    run = {"machine": machine.describe(), "about": {n: (SCENARIOS[n].__doc__ or "").strip() for n in names}}
    results = run["results"] = {}
    for name in names:
        print(f"{name} ...", end=" ", flush=True, file=sys.stderr)
        command = [sys.executable, "-m", "bench", "--only", name, "--seconds", str(options.seconds)]
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, **KEYS}).stdout
        results[name] = json.loads(said)
        print("done", flush=True, file=sys.stderr)
    for row in promises(results):
        print("{:58} {:>20} {:>20}  {}".format(*row))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(run, indent=1) + "\n")
    if options.docs:
        options.docs.write_text(markdown(run))


if __name__ == "__main__":
    main()
