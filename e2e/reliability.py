"""Makes docs/reliability.md of what the cluster's tests and `make faults` counted: python -m e2e.reliability."""

import argparse
import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from e2e.faults.check import RULES
from sluice_sidecar.version import __version__

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "e2e" / "results" / "reliability.json"
FAULTS = RESULTS.with_name("faults.json")
PAGE = ROOT / "docs" / "reliability.md"

HEAD = """\
# Reliability

## Changes under load

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

BATCHES = """
## Deferred requests and kill -9

`make faults` hands deferred requests to a real `sluice run`: batches of files, message batches and single requests,
each under an idempotency key, every second with a webhook. Meanwhile SIGKILL hits the gateway process, the supervisor,
or both at random points, also while they start. Callers repeat what was not answered, and fetch results all along; the
model never answers twice alike. In the end a check reads the history of what callers and the receiver of webhooks saw.

| killed | times |
|---|---:|
{kills}
| handed over and acknowledged | |
|---|---:|
{handed}
| of the history must hold | violations |
|---|---:|
{rules}
Measured {date}, with Sluice {version}: {cores} cores, {memory_gib} GiB, {system}; {seconds:.0f} s, seed {seed}. The
model was called {calls} times for {requests} requests: {again} calls were made again after a kill, and the first answer
of such a request that was kept stays.

What it does not show: a machine that loses power, a disk that lies about a flush, and the queue of a cluster in Redis,
which has [tests of its own](batch.md).
"""


def machine() -> dict[str, Any]:
    """Date, version and the machine."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "version": __version__,
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.release()}",
    }


def describe(kubernetes: str) -> dict[str, Any]:
    """Date, versions and the machine that the tests run on; `kubernetes` is the API server's version."""
    return {**machine(), "kubernetes": kubernetes}


def page(found: dict[str, Any], faults: dict[str, Any]) -> str:
    """The page of the counts of a run of `make e2e`, and of one of `make faults`."""
    rows = (
        "| {event} | {gateway} | {sent} | {failed} | {mixed} | {seconds:.0f} |\n".format(**row) for row in found["rows"]
    )
    return HEAD + "".join(rows) + TAIL.format(**found["about"]) + _batches(faults)


def _batches(found: dict[str, Any]) -> str:
    handed = {
        "batches of a file": found["submissions"].get("file", 0),
        "message batches": found["submissions"].get("messages", 0),
        "single requests": found["submissions"].get("single", 0),
        "requests in all": found["requests"],
        "acknowledged again under the same key": found["repeated_acknowledgements"],
        "results fetched": found["results_fetched"],
        "webhooks asked for": found["webhooks"],
        "webhooks that came, repetitions included": found["webhook_deliveries"],
    }
    return BATCHES.format(
        kills=_rows(found["kills"]),
        handed=_rows(handed),
        rules=_rows({RULES[rule]: count for rule, count in found["violations"].items()}),
        again=found["calls"] - found["requests"],
        **found["about"],
        **{name: found[name] for name in ("seconds", "calls", "requests")},
    )


def _rows(of: dict[str, int]) -> str:
    return "".join(f"| {name} | {count:,} |\n" for name, count in of.items())


def main() -> None:
    """Keeps a run's counts, where one is named, and writes the page of what is kept."""
    cli = argparse.ArgumentParser(prog="python -m e2e.reliability", description=__doc__)
    cli.add_argument("--found", type=Path, help="counts of a run of `make e2e`, kept from now on")
    options = cli.parse_args()
    if options.found:
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        RESULTS.write_text(options.found.read_text())
    PAGE.write_text(page(json.loads(RESULTS.read_text()), json.loads(FAULTS.read_text())))


if __name__ == "__main__":
    main()
