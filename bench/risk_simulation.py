"""The risk control on 500 simulated streams: `python -m bench.risk_simulation [--streams 500] [--proposals 4000]`.

Every decision is compared with the true error of what it would serve, which is known here. Four tables: does the bound
hold, how soon does it open, what does noise in the comparison cost, how long does a drift stay unseen.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from bench.risk_streams import Outcome, Stream, run, worlds
from sluice_sidecar.cache.risk import RiskBound
from sluice_sidecar.cache.risk.evidence import BINS

ALPHA = 0.015


def uniform(error: float, *, noise: float = 0.0, proposed: float = 0.5) -> Stream:
    """One partition, one error for every score."""
    mix = np.zeros((1, BINS + 1))
    mix[0, [10, 14, 16]] = 0.2, 0.5, 0.3
    return Stream("uniform", np.ones(1), mix, np.full((1, BINS + 1), error), noise=noise, proposed=proposed)


def jump(before: float, after: float, hits: float, at: int, *, near: bool) -> Stream:
    """An error that jumps; `hits` of all requests hit. `near`: proposals just below the threshold get worse too."""
    mix = np.zeros((1, BINS + 1))
    mix[0, [9, 10, 14, 16]] = 0.2, 0.2, 0.35, 0.25
    error = np.full((1, BINS + 1), before)
    error[0, [9, 10]] = 0.10
    later = np.full((1, BINS + 1), after)
    later[0, [9, 10]] = min(0.1 + 3.0 * after, 0.9) if near else 0.10
    return Stream("jump", np.ones(1), mix, error, later, at, proposed=min(hits / 0.6, 1.0))


def held(streams: int, proposals: int, seed: int) -> list[Outcome]:
    """Every family of worlds in turn."""
    return [run(stream, RiskBound(ALPHA), proposals, rng) for stream, rng in worlds(streams, seed, ALPHA)]


def table_held(outcomes: Sequence[Outcome]) -> list[str]:
    """By family: streams in which the bound was ever broken, and what was served."""
    families: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        families[outcome.family].append(outcome)
    lines = [
        "| world | streams | bound broken | opened | served, of proposals | a safe threshold would serve | wrong "
        "| asked again, of requests |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, rows in [*families.items(), ("all", list(outcomes))]:
        hits = sum(o.hits for o in rows)
        lines.append(
            f"| {name} | {len(rows)} | {sum(o.broke for o in rows)} "
            f"| {sum(o.opened_after is not None for o in rows)} "
            f"| {hits / sum(o.proposals for o in rows):.1%} | {np.mean([o.possible for o in rows]):.1%} "
            f"| {sum(o.wrong for o in rows) / max(hits, 1):.2%} "
            f"| {sum(o.shadowed for o in rows) / sum(o.requests for o in rows):.2%} |"
        )
    return lines


def table_power(runs: int, proposals: int) -> list[str]:
    """Labels until it opens, by true error, without and with noise."""
    lines = [
        f"| true error | noise | labels until it opens, median | 90 % | hits of {proposals:,} proposals | of those "
        "without noise | wrong |",
        "|---|---|---|---|---|---|---|",
    ]
    for error in (0.0, 0.002, 0.005, 0.008, 0.010):
        clean = 0
        for noise in (0.0, 0.01):
            rows = [
                run(uniform(error, noise=noise), RiskBound(ALPHA), proposals, np.random.default_rng([7, i]))
                for i in range(runs)
            ]
            opened = [o.opened_after if o.opened_after is not None else np.inf for o in rows]
            middle, most = (_labels(float(v)) for v in np.percentile(opened, [50, 90], method="higher"))
            hits = sum(o.hits for o in rows)
            clean = clean or hits
            lines.append(
                f"| {error:.1%} | {noise:.0%} | {middle} | {most} | {hits / runs:,.0f} | {hits / max(clean, 1):.0%} "
                f"| {sum(o.wrong for o in rows) / max(hits, 1):.2%} |"
            )
    return lines


def _labels(count: float) -> str:
    return f"{count:,.0f}" if np.isfinite(count) else "not opened"


def table_drift(runs: int, before: int, after: int) -> list[str]:
    """How long a jump of the error stays unseen."""
    lines = [
        "| hits of all requests | error jumps from 0.2 % to | near misses | requests unseen, median | 90 % "
        "| hits served in it, median | wrong ones, median | 90 % | never within the stream |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for hits in (0.1, 0.3, 0.6):
        for error in (0.03, 0.06, 0.15, 0.5):
            for near in (False, True):
                world = jump(0.002, error, hits, before, near=near)
                rows = [
                    run(world, RiskBound(ALPHA), before + after, np.random.default_rng([9, i])) for i in range(runs)
                ]
                rows = [o for o in rows if o.unseen]
                unseen = np.percentile([o.unseen or 0 for o in rows], [50, 90])
                wrong = np.percentile([o.wrong_unseen for o in rows], [50, 90])
                lines.append(
                    f"| {hits:.0%} | {error:.0%} | {'worse too' if near else 'as before'} | {unseen[0]:,.0f} "
                    f"| {unseen[1]:,.0f} | {np.median([o.hits_unseen for o in rows]):,.0f} | {wrong[0]:.0f} "
                    f"| {wrong[1]:.0f} | {sum(o.still_unsafe for o in rows)} of {len(rows)} |"
                )
    return lines


def main() -> None:
    """Prints the tables; `--json` keeps each stream's outcome."""
    cli = argparse.ArgumentParser(prog="bench.risk_simulation", description=__doc__)
    cli.add_argument("--streams", type=int, default=500)
    cli.add_argument("--proposals", type=int, default=4000, help="of each stream")
    cli.add_argument("--runs", type=int, default=10, help="for each row of the other tables")
    cli.add_argument("--seed", type=int, default=1)
    cli.add_argument("--json", type=Path, help="file for the outcomes of the streams")
    options = cli.parse_args()
    outcomes = held(options.streams, options.proposals, options.seed)
    print(*table_held(outcomes), "", sep="\n", flush=True)
    if options.json:
        options.json.write_text(json.dumps([asdict(outcome) for outcome in outcomes]) + "\n")
    print(*table_power(options.runs, 12_000), "", sep="\n", flush=True)
    print(*table_drift(options.runs, 5000, 8000), sep="\n")


if __name__ == "__main__":
    main()
