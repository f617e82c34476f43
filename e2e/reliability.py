"""Makes docs/reliability.md of what the cluster's tests counted: python -m e2e.reliability [--found FILE]."""

import argparse
import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sluice_sidecar.version import __version__

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "e2e" / "results" / "reliability.json"
PAGE = ROOT / "docs" / "reliability.md"

HEAD = """\
# Reliability

While something changes, no request may be dropped, and none may be answered by a mix of configurations. `make e2e`
counts that in a cluster: a pod sends small chat completions, one after the other, through gateways, to a model
server that answers with the name of the backend that it was called as.

| while | gateway | requests | failed | mixed | seconds |
|---|---|---:|---:|---:|---:|
"""

TAIL = """
Measured {date}, with Sluice {version} on Kubernetes {kubernetes}: one node, {cores} cores, {memory_gib} GiB,
{system}. These are counts of one run and not a rate; each is a test of `make e2e`, which is red where one is not 0.

- *Sent* is counted by the caller: four callers, two with kept connections, two with a new one a request; every second
  answer is streamed. A caller looks whether an idle connection was closed before it uses it again, as the pools of HTTP
  clients do, and tries nothing twice.
- *Failed* is every answer that did not come whole with status 200.
- *Mixed* is every answer whose parts are not all of one configuration: the header `x-sluice-backend` names a backend,
  and each event of the answer must come from that.
- A change counts as made when the route's status says that every gateway serves it. In the first rows, each of the
  ten must have been served.
- *shared* is the Service `sluice-gateway` with two replicas; *injected* the sidecar of the calling pod.

What it does not show: a node that dies, a cluster of more than one node, a gateway or an operator killed without
a warning, load near what a gateway can bear. An answer that a killed gateway was giving is lost; clients ask again.

`make e2e`, then `python -m e2e.reliability --found build/e2e/reliability.json` makes this page anew; the counts are in
`e2e/results/reliability.json`.
"""


def describe(kubernetes: str) -> dict[str, Any]:
    """Date, versions and the machine that the tests run on; `kubernetes` is the API server's version."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "version": __version__,
        "kubernetes": kubernetes,
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.release()}",
    }


def page(found: dict[str, Any]) -> str:
    """The page of a run's counts."""
    rows = (
        "| {event} | {gateway} | {sent} | {failed} | {mixed} | {seconds:.0f} |\n".format(**row) for row in found["rows"]
    )
    return HEAD + "".join(rows) + TAIL.format(**found["about"])


def main() -> None:
    """Keeps a run's counts, where one is named, and writes the page of what is kept."""
    cli = argparse.ArgumentParser(prog="python -m e2e.reliability", description=__doc__)
    cli.add_argument("--found", type=Path, help="counts of a run of `make e2e`, kept from now on")
    options = cli.parse_args()
    if options.found:
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        RESULTS.write_text(options.found.read_text())
    PAGE.write_text(page(json.loads(RESULTS.read_text())))


if __name__ == "__main__":
    main()
