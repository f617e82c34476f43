"""Evidence and hits as people read them: aligned lines, in colour on a terminal."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

SHOWN = 300
"""Characters of a question that are shown; --json has more."""
WHY = {"evidence": "not enough evidence yet", "drift": "its error changed: proven anew"}
"""Reasons of the gateway that want more words."""
WIDE = 200
"""Columns that a table may take, whatever the terminal has: a wrapped line is read more easily than cut words."""


def show_evidence(policies: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    """A line for each policy and strategy."""
    out = _console()
    if not any(policies.values()):
        out.print("no evidence yet: nothing was proposed by meaning since the start, or no policy promises a bound")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("policy", "strategy", "state"):
        table.add_column(name, no_wrap=True)
    for name in ("bound", "threshold", "labels", "errors", "re-asked", "needed", "drift"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("why", no_wrap=True)
    for policy, strategies in policies.items():
        for strategy, report in strategies.items():
            table.add_row(policy, strategy, *_row(report))
    out.print(table)


def _row(report: Mapping[str, Any]) -> Sequence[str | Text]:
    is_open = report["open"]
    promised = report.get("promised")
    most = "" if promised is None else f" of {percent(promised)}"
    return (
        Text("open", style="green") if is_open else Text("closed", style="yellow"),
        (percent(report["bound"]) if is_open else "-") + most,
        f"{report['threshold']:.3f}" if is_open else "-",
        f"{report['labels']:.0f}",
        f"{report['errors']:.1f}".removesuffix(".0"),
        f"{report['shadowed']} of {report['served']}",
        "" if is_open else f"about {report['needed']:.0f}",
        "suspected" if report["suspected"] else f"{report['drift']:.2f}",
        WHY.get(report["reason"], report["reason"]),
    )


def show_hits(hits: Sequence[Mapping[str, Any]]) -> None:
    """Each question beside the one that filled the answer."""
    out = _console()
    if not hits:
        out.print("no answer was reused by meaning since the start (in this worker)")
    for hit in hits:
        when = time.strftime("%H:%M:%S", time.localtime(hit["at"]))
        words = f"{hit['policy']}  {hit['strategy']}  score {hit['score']:.3f}  similarity {hit['similarity']:.3f}"
        out.print(Text.assemble((when, "dim"), "  ", (words, "cyan"), (f"  {hit['tenant']}", "dim")))
        out.print(Text.assemble(("  asked   ", "dim"), plain(hit["asked"])))
        out.print(Text.assemble(("  filled  ", "dim"), plain(hit["filled"])))


def percent(share: float) -> str:
    """A share with three digits at most: 0.83 %."""
    return f"{100 * share:.3g} %"


def plain(text: str) -> str:
    """A text in one line, without what would command the terminal."""
    shown = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return shown if len(shown) <= SHOWN else shown[: SHOWN - 1] + "…"


def _console() -> Console:
    return Console(highlight=False, markup=False, soft_wrap=True, width=WIDE)
