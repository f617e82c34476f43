"""What a batch does, for eyes: a bar while it is followed, a line or its mistakes when it is not."""

import time
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from sluice_cli.batch.gateway import Gateway

ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
EVERY = 0.5
"""Seconds between looks."""
TOLD = 20
"""Most mistakes of a file that are shown."""


def follow(gateway: Gateway, id_: str) -> dict[str, Any]:
    """Shows how far a batch is until it ends. Raises ClickException."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("validating", total=None)
        while True:
            found = gateway.batch(id_)
            counts = found["request_counts"]
            progress.update(
                bar,
                description=found["status"].replace("_", " "),
                total=counts["total"] or None,
                completed=counts["completed"] + counts["failed"],
            )
            if found["status"] in ENDED:
                break
            time.sleep(EVERY)
    show([found], Console(stderr=True))
    return found


def show(batches: list[dict[str, Any]], console: Console | None = None) -> None:
    """One row a batch; below it what was wrong with its file."""
    console = console or Console(soft_wrap=True)
    table = Table("batch", "status", "done", "failed", "of", box=None, pad_edge=False)
    for one in batches:
        counts = one["request_counts"]
        numbers = (str(counts[name]) for name in ("completed", "failed", "total"))
        table.add_row(one["id"], one["status"].replace("_", " "), *numbers)
    console.print(table)
    for one in batches if len(batches) == 1 else ():
        mistakes = (one["errors"] or {"data": []})["data"]
        for mistake in mistakes[:TOLD]:
            where = f"line {mistake['line']}: " if mistake["line"] else ""
            console.print(f"{where}{mistake['message']}", markup=False, highlight=False)
        if len(mistakes) > TOLD:
            console.print(f"and {len(mistakes) - TOLD} more")
