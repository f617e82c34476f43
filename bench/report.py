"""A run as a table, on the terminal and in docs/benchmarks.md."""

from typing import Any

from bench.targets import TARGETS

HEAD = """# Benchmarks

Written by `make bench` (`python -m bench --docs docs/benchmarks.md`) from [its JSON](../bench/results/gateway.json); do
not edit. One core for the gateway, the other for wrk (the load) and nginx (the model, which answers at once), all on
loopback. Every request carries an API key; an ask has about 1 kB. Machines are shared and noisy: read the figures as
what this run saw. A figure that misses its target is marked **short**.
"""


def promises(results: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """(what, target, measured, verdict) of every target that the run covered."""
    rows = []
    for target in TARGETS:
        measured = target.measured(results)
        if measured is not None:
            verdict = "kept" if target.kept(measured) else "**short**"
            rows.append((target.what, f"{target.bound} {_number(target.value)} {target.unit}",
                         f"{_number(measured)} {target.unit}", verdict))  # fmt: skip
    return rows


def _shortfalls(results: dict[str, Any]) -> list[str]:
    lines = []
    for target in TARGETS:
        measured = target.measured(results)
        if measured is not None and not target.kept(measured) and target.if_short:
            lines += ["", f"Short, {target.what}: {target.if_short}"]
    return lines


def markdown(run: dict[str, Any]) -> str:
    """The page."""
    machine = run["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in {**machine["packages"], **machine["tools"]}.items())
    lines = [
        HEAD,
        f"{machine['date']}; {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB; "
        f"{machine['system']}; Python {machine['python']}; {packages}. Load average before the run: "
        f"{machine['load_before']}.",
        "",
        "| what | target | measured | |",
        "|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in promises(run["results"])),
        *_shortfalls(run["results"]),
    ]
    for name, result in run["results"].items():
        lines += ["", f"## {name}", "", run["about"][name], "", *_table(result)]
    return "\n".join(lines) + "\n"


def _table(result: dict[str, Any]) -> list[str]:
    rows = {name: value for name, value in result.items() if isinstance(value, dict)}
    lines = []
    for columns in dict.fromkeys(tuple(row) for row in rows.values()):
        lines += [
            f"| | {' | '.join(column.replace('_', ' ') for column in columns)} |",
            "|---" * (len(columns) + 1) + "|",
        ]
        lines += [
            f"| {name} | {' | '.join(_number(row[column]) for column in columns)} |"
            for name, row in rows.items()
            if tuple(row) == columns
        ]
        lines.append("")
    single = {name: value for name, value in result.items() if not isinstance(value, dict)}
    return lines + [f"- {name.replace('_', ' ')}: {_number(value)}" for name, value in single.items()]


def _number(value: Any) -> str:
    if not isinstance(value, int | float):
        return str(value)
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
