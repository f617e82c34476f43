"""What a batch does, for eyes: a bar while it is followed, a line or its mistakes when it is not."""

import time
from datetime import datetime
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from sluice_cli.batch.gateway import Gateway

ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
EVERY = 0.2
"""Seconds before it is looked at again whose stream has ended."""
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
TOLD = 20
"""Most mistakes of a file that are shown."""


def follow(gateway: Gateway, id_: str) -> dict[str, Any]:
    """Shows how far a batch is until it ends. Raises ClickException."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("validating", total=None)
        while (found := gateway.batch(id_))["status"] not in ENDED:
            for told in gateway.progress(id_):
                counts = told["request_counts"]
                progress.update(
                    bar,
                    description=_words(told),
                    total=counts["total"] or None,
                    completed=counts["completed"] + counts["failed"],
                )
            time.sleep(EVERY)  # it has ended, or the gateway stops and another takes over
    show([found], Console(stderr=True))
    return found


def _words(told: dict[str, Any]) -> str:
    """What a batch does, or waits for."""
    words = str(told["status"]).replace("_", " ")
    if told.get("notice"):
        return f"{words}: {told['notice']}"
    if told.get("opens_at"):
        opens = datetime.fromtimestamp(told["opens_at"]).strftime("%a %H:%M")
        return f"{words}, window {told['window']} opens {opens}"
    seconds = told.get("estimated_seconds")
    return words if seconds is None else f"{words}, about {seconds} s left"


def moment(text: str) -> float:
    """A time, ISO 8601 or so long ago (90m, 2h, 1d), as unix seconds. Raises click.BadParameter."""
    try:
        if text[-1:] in _UNITS and text[:-1].isdigit():
            return time.time() - int(text[:-1]) * _UNITS[text[-1]]
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        message = f'"{text}" is not a time; write for example 2026-12-24T20:00, or 2h'
        raise click.BadParameter(message, param_hint="--since") from None


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
