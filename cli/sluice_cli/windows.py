"""`sluice windows`: when the BatchWindows of files open next, in their zone and in this machine's time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import click

from sluice_cli.files import Finding, load
from sluice_operator.checks import check_hours
from sluice_operator.kinds import BatchWindow
from sluice_operator.kinds.quantity import duration_text
from sluice_operator.window_section import window_section
from sluice_sidecar.batch.windows import ClockChange, Opening, Schedule

Format = Literal["text", "json"]


@dataclass(frozen=True, slots=True)
class Preview:
    """One BatchWindow's next openings, and for each which other BatchWindows of the files are open during it."""

    name: str
    routes: tuple[str, ...]
    schedule: Schedule
    openings: tuple[Opening, ...]
    beside: tuple[tuple[str, ...], ...]


@click.command()
@click.argument("paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--now", metavar="TIME", help="Look from this time, ISO 8601; without an offset it is this machine's.")
@click.option("--count", type=click.IntRange(1, 1000), default=10, show_default=True, help="Openings to show.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Format.")
def windows(paths: tuple[Path, ...], now: str | None, count: int, output: Format) -> None:
    """Show when the BatchWindows of files and folders open next.

    Exits with 1 when one of them cannot be read or never opens. Other kinds are not looked at.
    """
    moment = _moment(now)
    found, findings = _read(paths)
    for finding in findings:
        click.echo(f"{finding.problem.severity} {finding}", err=True)
    if any(finding.problem.severity == "error" for finding in findings):
        raise SystemExit(1)
    if not found:
        click.echo("no BatchWindow in these files", err=True)
        raise SystemExit(1)
    previews = previewed(found, moment, count)
    if output == "json":
        import orjson

        click.echo(orjson.dumps([_plain(one, moment) for one in previews], option=orjson.OPT_INDENT_2).decode())
    else:
        click.echo("\n\n".join("\n".join(_lines(one, moment)) for one in previews))


def previewed(found: Sequence[BatchWindow], now: float, count: int) -> list[Preview]:
    """The next `count` openings of each, after `now` (unix seconds)."""
    schedules = {each.metadata.name: Schedule.of(window_section(each)) for each in found}
    previews = []
    for each in found:
        name = each.metadata.name
        openings = tuple(schedules[name].openings(now, count))
        beside = tuple(
            tuple(
                other
                for other, schedule in schedules.items()
                if other != name and schedule.next(opening.start) < opening.end
            )
            for opening in openings
        )
        previews.append(Preview(name, each.spec.routes, schedules[name], openings, beside))
    return previews


def _read(paths: Sequence[Path]) -> tuple[list[BatchWindow], list[Finding]]:
    loaded = load(paths)
    found: list[BatchWindow] = []
    findings = list(loaded.findings)
    for resource in loaded.resources:
        if resource.kind != "BatchWindow":
            continue
        findings += map(loaded.finding, resource.problems)
        if isinstance(resource.value, BatchWindow):
            found.append(resource.value)
            findings += map(loaded.finding, check_hours(resource.value))
    return found, findings


def _moment(text: str | None) -> float:
    try:
        return (datetime.now() if text is None else datetime.fromisoformat(text)).timestamp()
    except (ValueError, OverflowError):
        message = f'"{text}" is not a time; write for example 2026-12-24T20:00+01:00'
        raise click.BadParameter(message, param_hint="--now") from None


def _lines(preview: Preview, now: float) -> list[str]:
    schedule = preview.schedule
    lines = [f"BatchWindow {preview.name}  {schedule.zone.key}, for {', '.join(preview.routes)}"]
    if schedule.open(now):
        closes = schedule.closes(now)
        until = "always" if math.isinf(closes) else f"until {_stamp(schedule.local(closes))}"
        lines.append(f"  open now, {until}")
    elif preview.openings:
        lines.append(f"  closed now, opens in {_words(preview.openings[0].start - now)}")
    else:
        lines.append("  closed now, and never opens again")
    rows = [(schedule.zone.key, "", "lasts", "this machine's time", "")]
    for opening, beside in zip(preview.openings, preview.beside, strict=True):
        rows.append(
            (
                _stamp(schedule.local(opening.start)),
                _end(schedule, opening),
                _words(opening.end - opening.start),
                _stamp(datetime.fromtimestamp(opening.start).astimezone()),
                "; ".join(_notes(schedule, opening, beside)),
            )
        )
    if len(rows) > 1:
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        lines += [
            "  " + "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]]).rstrip()
            for row in rows
        ]
    return lines


def _plain(preview: Preview, now: float) -> dict[str, Any]:
    schedule = preview.schedule
    closes = schedule.closes(now)
    return {
        "name": preview.name,
        "timeZone": schedule.zone.key,
        "routes": list(preview.routes),
        "open": schedule.open(now),
        "closes": None if math.isinf(closes) or not schedule.open(now) else schedule.local(closes).isoformat(),
        "openings": [
            {
                "start": schedule.local(opening.start).isoformat(),
                "end": None if math.isinf(opening.end) else schedule.local(opening.end).isoformat(),
                "seconds": None if math.isinf(opening.end) else int(opening.end - opening.start),
                "alsoOpen": list(beside),
                "clockChanges": [
                    {"at": schedule.local(change.at).isoformat(), "seconds": change.seconds}
                    for change in schedule.clock_changes(opening)
                ],
            }
            for opening, beside in zip(preview.openings, preview.beside, strict=True)
        ],
    }


def _notes(schedule: Schedule, opening: Opening, beside: Sequence[str]) -> list[str]:
    notes = [_change_words(schedule, change) for change in schedule.clock_changes(opening)]
    return [*notes, *([f"also open: {', '.join(beside)}"] if beside else [])]


def _change_words(schedule: Schedule, change: ClockChange) -> str:
    by = duration_text(abs(change.seconds))
    way = "forward" if change.seconds > 0 else "back"
    before, after = schedule.local(change.at - 1), schedule.local(change.at)
    jump = f"after {before:%H:%M:%S} comes {after:%H:%M:%S}"
    return f"clocks go {way} by {by}: {jump}"


def _stamp(moment: datetime) -> str:
    offset = moment.strftime("%z")
    return f"{moment:%a %Y-%m-%d %H:%M} {offset[:3]}:{offset[3:5]}"


def _end(schedule: Schedule, opening: Opening) -> str:
    if math.isinf(opening.end):
        return "on"
    end = schedule.local(opening.end)
    return f"to {end:%a %H:%M}" if opening.end - opening.start < 6 * 86_400 else f"to {_stamp(end)}"


def _words(seconds: float) -> str:
    """2d 8h 30m, to the minute."""
    if math.isinf(seconds):
        return "for good"
    minutes = max(1, int(seconds) // 60)
    parts = ((minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "m"))
    return " ".join(f"{number}{unit}" for number, unit in parts if number)
