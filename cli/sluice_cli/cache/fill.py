"""`sluice cache import`: a file of lines, in batches, to a gateway's admin port."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import click
import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from sluice_cli.cache.admin import AdminPort
from sluice_cli.cache.shapes import ShapeError, shaped
from sluice_cli.cache.tables import plain

BATCH_LINES = 100
BATCH_BYTES = 1_048_576
"""A batch is sent once it has so many lines or bytes."""
LINE_BYTES = 8_000_000
"""Most bytes of a line: a gateway takes 8 MiB in one call."""
TOLD = 50
"""Wrong lines that are told one by one."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be imported. `tenant` and `model` replace what the lines say."""

    file: Path
    policy: str
    from_line: int = 1
    requests: Path | None = None
    tenant: str | None = None
    model: str | None = None


class _Tally:
    """What became of the lines so far."""

    def __init__(self, name: str, say: Console) -> None:
        self.counts = dict.fromkeys(("stored", "known", "expired"), 0)
        self.refused = 0
        self.memory_only = False
        self._name, self._say = name, say

    def wrong(self, number: int, field: str, message: str) -> None:
        self.refused += 1
        if self.refused <= TOLD:
            self._say.print(f"{self._name}:{number}: {plain(f'{field}: {message}' if field else message)}", style="red")
        elif self.refused == TOLD + 1:
            self._say.print("further wrong lines are only counted", style="red")

    def took(self, numbers: list[int], said: Mapping[str, Any]) -> None:
        for name in self.counts:
            self.counts[name] += said[name]
        self.memory_only = said["store"] == "none"
        for one in said["refused"]:
            self.wrong(numbers[one["line"] - 1], one["field"], one["message"])

    def words(self) -> str:
        return (
            f"{self.counts['stored']} stored, {self.counts['known']} known already, {self.counts['expired']} too old, "
            f"{self.refused} wrong"
        )


def fill(port: AdminPort, plan: Plan) -> int:
    """Sends the file; how many lines were wrong. Raises ClickException, which says where to go on."""
    say = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    requests = None if plan.requests is None else _requests(plan.requests)
    standard = str(plan.file) == "-"
    tally = _Tally("-" if standard else str(plan.file), say)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    following = plan.from_line
    with Progress(*columns, console=say, disable=not say.is_terminal, transient=True) as progress:
        bar = progress.add_task("importing", total=None if standard else plan.file.stat().st_size)
        try:
            with nullcontext(sys.stdin.buffer) if standard else plan.file.open("rb") as lines:
                for numbers, body, following, read in _batches(lines, plan, requests, tally):
                    if numbers:
                        tally.took(numbers, port.post("/-/import", body, policy=plan.policy))
                    plan = _at(plan, following)
                    progress.update(bar, completed=read, description=f"importing, {tally.counts['stored']} stored")
        except (click.ClickException, KeyboardInterrupt) as error:
            why = "stopped" if isinstance(error, KeyboardInterrupt) else error.format_message()
            raise click.ClickException(f"{why}\n{tally.words()}; go on with --from-line {plan.from_line}") from None
    say.print(tally.words())
    if tally.memory_only and tally.counts["stored"]:
        say.print("this gateway has no store: what was imported ends with its process", style="yellow")
    return tally.refused


def _at(plan: Plan, line: int) -> Plan:
    return Plan(plan.file, plan.policy, line, plan.requests, plan.tenant, plan.model)


def _batches(
    lines: IO[bytes], plan: Plan, requests: Mapping[str, dict[str, Any]] | None, tally: _Tally
) -> Iterator[tuple[list[int], bytes, int, int]]:
    """(numbers of its lines, body, the line that follows, bytes read so far) of each batch."""
    numbers: list[int] = []
    parts: list[bytes] = []
    size = read = number = 0
    for number, raw in enumerate(lines, 1):
        read += len(raw)
        if number < plan.from_line or not raw.strip():
            continue
        try:
            part = _line(raw, plan, requests)
        except ShapeError as wrong:
            tally.wrong(number, wrong.field, wrong.message)
            continue
        if parts and size + len(part) > LINE_BYTES:
            yield numbers, b"\n".join(parts), number, read
            numbers, parts, size = [], [], 0
        numbers.append(number)
        parts.append(part)
        size += len(part) + 1
        if len(parts) >= BATCH_LINES or size >= BATCH_BYTES:
            yield numbers, b"\n".join(parts), number + 1, read
            numbers, parts, size = [], [], 0
    yield numbers, b"\n".join(parts), number + 1, read


def _line(raw: bytes, plan: Plan, requests: Mapping[str, dict[str, Any]] | None) -> bytes:
    try:
        line = orjson.loads(raw)
    except ValueError as error:
        raise ShapeError("", f"it is not JSON: {error}") from None
    if not isinstance(line, dict):
        raise ShapeError("", 'it is not an object: write {"request": {...}, "response": {...}}')
    part = orjson.dumps(shaped(line, requests=requests, tenant=plan.tenant, model=plan.model))
    if len(part) > LINE_BYTES:
        raise ShapeError("", f"it has {len(part)} bytes; {LINE_BYTES} is the most")
    return part


def _requests(file: Path) -> dict[str, dict[str, Any]]:
    """The lines of a batch's input by custom_id. Raises ClickException."""
    found: dict[str, dict[str, Any]] = {}
    with file.open("rb") as lines:
        for number, raw in enumerate(lines, 1):
            if not raw.strip():
                continue
            try:
                line = orjson.loads(raw)
                found[str(line["custom_id"])] = line
            except (ValueError, TypeError, KeyError):
                raise click.ClickException(
                    f"{file}:{number}: no line of a batch's input: it has no custom_id"
                ) from None
    return found
