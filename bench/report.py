"""A run as a table, on the terminal and on its page in docs/."""

from collections.abc import Iterable
from typing import Any

from bench.suite import Suite
from bench.targets import Target


def promises(targets: Iterable[Target], results: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """(what, target, measured, verdict) of every target that the run covered."""
    rows = []
    for target in targets:
        measured = target.measured(results)
        if measured is not None:
            verdict = "kept" if target.kept(measured) else "**short**"
            rows.append((target.what, f"{target.bound} {_number(target.value)} {target.unit}",
                         f"{_number(measured)} {target.unit}", verdict))  # fmt: skip
    return rows


def _shortfalls(targets: Iterable[Target], results: dict[str, Any]) -> list[str]:
    lines = []
    for target in targets:
        measured = target.measured(results)
        if measured is not None and not target.kept(measured) and target.if_short:
            lines += ["", f"Short, {target.what}: {target.if_short}"]
    return lines


def markdown(suite: Suite, run: dict[str, Any]) -> str:
    """The page."""
    machine = run["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in {**machine["packages"], **machine["tools"]}.items())
    lines = [
        suite.head,
        f"{machine['date']}; {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB; "
        f"{machine['system']}; Python {machine['python']}; {packages}. Load average before the run: "
        f"{machine['load_before']}.",
        "",
        "| what | target | measured | |",
        "|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in promises(suite.targets, run["results"])),
        *_shortfalls(suite.targets, run["results"]),
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
