"""What the ledger, the metrics and the access log cost one request, in microseconds: `python bench/ledger_parts.py`.

Each figure is the median of rounds, with the rounds' 5th and 95th percentile; the garbage collector stays on.
"""

import argparse
import io
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from sluice_sidecar.ask import Usage
from sluice_sidecar.config import Backend, Config, Price, Route, Single
from sluice_sidecar.ledger.decision import Decision
from sluice_sidecar.ledger.ledger import Ledger
from sluice_sidecar.log import AccessLog
from sluice_sidecar.telemetry import Telemetry, merge

ROUTE = Route(
    name="support",
    models=("auto",),
    backends={
        name: Backend(name=name, url="http://127.0.0.1:1/v1", price=Price.model_validate({"input": "2", "output": "8"}))
        for name in ("small", "large")
    },
    strategy=Single(backend="small"),
    reference="large",
)


@dataclass(slots=True)
class Call:
    backend: str
    outcome: int | str = 200
    seconds: float = 0.9
    first_token: float | None = 0.1
    usage: Usage | None = None
    estimated: bool = False
    verdict: str | None = None


def hit(_: int) -> Decision:
    return Decision(
        "r", 1_750_000_000.0, "support", "auto", "acme", "openai_chat", False, "identical", None, "large", 200,
        Usage(100, 0, 50), latency=0.0004, took=1.0,
    )  # fmt: skip


def miss(i: int) -> Decision:
    usage = Usage(100 + i % 50, 0, 50 + i % 7)
    return Decision(
        "r", 1_750_000_000.0, "support", "auto", "acme", "openai_chat", False, "miss", None, "large", 200, usage,
        latency=0.9, attempts=(Call("large", usage=usage),),
    )  # fmt: skip


def measured(
    prepare: Callable[[int], Decision], work: Callable[[Decision], None], calls: int, rounds: int
) -> list[float]:
    """Microseconds a call, a value a round."""
    found = []
    for _ in range(rounds):
        ones = [prepare(i) for i in range(calls)]
        start = time.perf_counter()
        for one in ones:
            work(one)
        found.append((time.perf_counter() - start) / calls * 1e6)
    return sorted(found)


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--calls", type=int, default=2_000)
    cli.add_argument("--rounds", type=int, default=60)
    cli.add_argument("-o", "--output", choices=["table", "json"], default="table")
    options = cli.parse_args()
    ledger, telemetry = Ledger(), Telemetry()
    telemetry.serve(Config(routes={"support": ROUTE}).sealed())
    access = AccessLog(stream=io.StringIO(), human=False)

    def recorded(prepare: Callable[[int], Decision]) -> Callable[[int], Decision]:
        def with_ledger(i: int) -> Decision:
            one = prepare(i)
            ledger.record(one, ROUTE)
            return one

        return with_ledger

    def logged(one: Decision) -> None:
        access._waiting.clear()
        access.write(one)

    parts = {
        "ledger.record, hit": (hit, lambda one: ledger.record(one, ROUTE)),
        "ledger.record, one upstream call": (miss, lambda one: ledger.record(one, ROUTE)),
        "telemetry.finished, hit": (recorded(hit), telemetry.finished),
        "telemetry.finished, one upstream call": (recorded(miss), telemetry.finished),
        "access.write": (recorded(hit), logged),
    }
    results = {}
    for name, (prepare, work) in parts.items():
        values = measured(prepare, work, options.calls, options.rounds)
        results[name] = {
            "us": statistics.median(values),
            "p5": values[len(values) // 20],
            "p95": values[-1 - len(values) // 20],
        }
    start = time.perf_counter()
    for _ in range(100):
        ledger.savings()
    results["ledger.savings (a console's poll)"] = {"us": (time.perf_counter() - start) * 1e4}
    start = time.perf_counter()
    for _ in range(100):
        merge([telemetry.snapshot() for _ in range(4)])
    results["snapshot and merge of 4 workers (a scrape)"] = {"us": (time.perf_counter() - start) * 1e4}
    if options.output == "json":
        json.dump({"python": sys.version.split()[0], "parts": results}, sys.stdout, indent=1)
        return
    for name, value in results.items():
        spread = f"  ({value['p5']:.2f} to {value['p95']:.2f})" if "p5" in value else ""
        print(f"{name:46} {value['us']:8.2f} µs{spread}")


if __name__ == "__main__":
    main()
