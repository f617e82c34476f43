"""Measures gateway, operator or cache: `python -m bench [--suite NAME] [SCENARIO ...] [--json F] [--docs F]`.

The cache's scenarios are programs of their own, whose JSON lies in bench/results: see bench.cache_suite.
"""

import argparse
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

from bench import machine
from bench.report import markdown, promises
from bench.suite import Suite

SUITES = ("gateway", "operator", "cache")


def main() -> None:
    """Runs the scenarios one after the other, each in a fresh process, and writes what they found."""
    cli = argparse.ArgumentParser(prog="bench", description=__doc__)
    cli.add_argument("scenarios", nargs="*", help="default: all of the suite")
    cli.add_argument("--suite", choices=SUITES, default="gateway")
    cli.add_argument("--seconds", type=int, default=8, help="of each load on a gateway")
    cli.add_argument("--scale", type=float, default=1.0, help="share of the operator's full sizes: 0.1 is 5 sidecars")
    cli.add_argument("--json", type=Path, help="file for the figures")
    cli.add_argument("--docs", type=Path, help="page to write")
    cli.add_argument("--datasets", type=Path, help="folder of the data sets, for the cache's suite")
    cli.add_argument("--render", action="store_true", help="the cache's page alone, from what was measured before")
    cli.add_argument("--only", help=argparse.SUPPRESS)
    options = cli.parse_args()
    if options.suite == "cache":
        from bench import cache_suite

        cache_suite.main(options.scenarios, options.datasets, options.docs, measure=not options.render)
        return
    suite = _suite(options.suite)
    size = getattr(options, suite.sized)
    if options.docs and suite.sized == "scale" and size != 1:
        cli.error("a page is of full sizes: leave --scale or --docs out")
    if options.only:
        print(json.dumps(suite.scenarios[options.only](size)))
        return
    unknown = set(options.scenarios) - set(suite.scenarios)
    if unknown:
        cli.error(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(suite.scenarios)}")
    names = options.scenarios or list(suite.scenarios)
    about = {name: inspect.getdoc(suite.scenarios[name]) or "" for name in names}
    run = {"machine": machine.describe(suite.packages, suite.tools), "about": about}
    results = run["results"] = {}
    for name in names:
        print(f"{name} ...", end=" ", flush=True, file=sys.stderr)
        command = [sys.executable, "-m", "bench", "--suite", options.suite, "--only", name]
        command += [f"--{suite.sized}", str(size)]
        environment = {**os.environ, **suite.environment}
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
        results[name] = json.loads(said)
        print("done", flush=True, file=sys.stderr)
    for row in promises(suite.targets, results):
        print("{:58} {:>20} {:>20}  {}".format(*row))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(run, indent=1) + "\n")
    if options.docs:
        options.docs.write_text(markdown(suite, run))


def _suite(name: str) -> Suite:
    """Only the one that is wanted is imported: each needs packages of its own."""
    if name == "operator":
        from bench.operator_suite import OPERATOR

        return OPERATOR
    from bench.gateway_suite import GATEWAY

    return GATEWAY


if __name__ == "__main__":
    main()
