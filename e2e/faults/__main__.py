"""Kills processes at random points while deferred requests are handed over, and checks what came of them:
`python -m e2e.faults [--kills 200] [--seed 8]`. History and log go to build/e2e/, figures to e2e/results/faults.json.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("tests", "operator", "sidecar", "cli")]

from e2e.faults.check import violations  # noqa: E402
from e2e.faults.run import run, summary, written  # noqa: E402
from e2e.reliability import FAULTS, PAGE, RESULTS, machine, page  # noqa: E402


def main() -> None:
    cli = argparse.ArgumentParser(prog="python -m e2e.faults", description=__doc__)
    cli.add_argument("--kills", type=int, default=200)
    cli.add_argument("--seed", type=int, default=8, help="of the submissions and of when is killed what")
    cli.add_argument("--seconds", type=float, default=1_800.0, help="no kill after so many")
    options = cli.parse_args()
    with tempfile.TemporaryDirectory(prefix="sluice-faults-") as folder:
        ran = asyncio.run(run(Path(folder), seed=options.seed, kills=options.kills, seconds=options.seconds))
        kept = ROOT / "build" / "e2e"
        kept.mkdir(parents=True, exist_ok=True)
        (kept / "faults-history.jsonl").write_bytes(written(ran.history))
        shutil.copyfile(Path(folder) / "stderr", kept / "faults-stderr.log")
    found = violations(ran.history)
    for one in found:
        print(f"{one.rule}: {one.where}")
    result = {"about": {**machine(), "seed": options.seed}, **summary(ran, found)}
    FAULTS.write_text(json.dumps(result, indent=1) + "\n")
    PAGE.write_text(page(json.loads(RESULTS.read_text()), result))
    print(json.dumps(result))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
