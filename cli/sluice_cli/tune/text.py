"""A study as data for `-o json`, and as tables for a person."""

from collections.abc import Iterator
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sluice_cli.tune import recommend
from sluice_cli.tune.curves import Counts, Curve
from sluice_cli.tune.recommend import Finding
from sluice_cli.tune.study import Study


def as_data(study: Study) -> dict[str, Any]:
    """JSON-ready; shares are 0..1, times seconds, counts means over the orders."""
    return {
        "policy": study.plan.policy.name,
        "bound": study.plan.bound,
        "data": {
            "lines": study.data.lines, "used": len(study.data.asks), "leftOut": dict(study.data.left_out),
            "timed": study.data.timed, "heldOut": study.together.asks, "orders": study.orders, "seed": study.plan.seed,
        },
        "findings": [recommend.as_data(finding) for finding in study.findings],
        "together": study.together.as_data(),
        "identical": study.identical.as_data(),
        "checked": study.shadows,
        "neededToOpen": dict(study.needed),
        "curves": [
            {"name": curve.name, "points": [{"threshold": p.threshold, **p.counts.as_data()} for p in curve.points]}
            for curve in study.curves
        ],
        "call": {"seconds": study.saving.seconds, "cost": study.saving.cost, "currency": study.saving.currency},
        "patch": study.patch,
    }  # fmt: skip


def patch_text(study: Study) -> str:
    """The patch as YAML, with how to apply it."""
    name = study.plan.policy.name
    return (
        f"# kubectl patch cachepolicy {name} --type merge --patch-file FILE\n"
        "# null takes a field away; in a file of kinds, set these fields of the CachePolicy.\n"
    ) + yaml.safe_dump(study.patch, sort_keys=False)


def show(study: Study, console: Console) -> None:
    """Prints what was read, the curves, the recommendation and the patch."""
    for line in about(study):
        console.print(Text(line))
    for curve in study.curves:
        if any(point.counts.hits for point in curve.points):
            console.print(_curve(curve, study))
    console.print(Text("Recommended", style="bold"))
    console.print(_findings(study))
    for line in notes(study):
        console.print(Text("- " + line))
    console.print(Text("\nPatch", style="bold"))
    console.print(Text(patch_text(study).rstrip()))


def about(study: Study) -> Iterator[str]:
    """What was replayed, in sentences."""
    data = study.data
    left = "".join(f"; left out: {count:,} {why}" for why, count in data.left_out.items())
    yield f"{len(data.asks):,} of {data.lines:,} lines used{left}."
    order = (
        "in the order of their times"
        if data.timed
        else f"in {study.orders} random order{'s' if study.orders > 1 else ''} (the data has no times)"
    )
    yield (
        f"Replayed from an empty cache {order}; the last {study.together.asks:,.0f} asks were held out from every "
        "choice and give all figures below. Intervals are of 95 %."
    )


def notes(study: Study) -> Iterator[str]:
    """What the figures mean and do not."""
    for finding in study.findings:
        yield f"{finding.choice.how}: {finding.reason}."
    for how, labels in study.needed.items():
        yield f"{how} was still closed at the end; about {labels:,.0f} more right proposals would open it."
    together = study.together
    yield (
        f"All together the replay reused {percent(together.hit_rate)} of the held-out asks by meaning"
        f"{_wrong_words(together)}; {study.identical.hits:,.0f} more were identical; {study.shadows:,.0f} hits were "
        "asked again to check them."
    )
    if study.identical.wrong:
        yield (
            f"{study.identical.wrong:,.0f} of the identical ones have another answer in the data: so often the model "
            "differs from itself, and so often a right hit may count as wrong."
        )
    yield from _saving(study)
    if any(one.expected.unknown for one in study.findings):
        yield "Hits whose answers could not be compared count as hits, and neither as right nor as wrong."


def _saving(study: Study) -> Iterator[str]:
    saving, together = study.saving, study.together
    hits = together.hits + study.identical.hits
    if saving.seconds is not None:
        yield f"A call took {saving.seconds:.3g} s (median); {percent(hits / together.asks)} of the asks are spared it."
    if saving.cost is not None:
        net = 1000 * saving.cost * (hits - study.shadows) / together.asks
        yield f"A call cost {saving.cost:.6f} {saving.currency} (mean): {net:.4f} are saved per 1,000 asks."
    else:
        yield f"What it saves is not known: {saving.why_no_cost}."


def _curve(curve: Curve, study: Study) -> Table:
    what = "similarity" if curve.name == "plain cosine" else "score"
    table = Table(title=f"{curve.name}, by {what}", title_justify="left")
    for name in (f"{what} from", "hits", "hits (95 %)", "wrong per hit", "wrong per hit (95 %)", *saved_heads(study)):
        table.add_column(name, justify="right")
    for point in curve.points:
        counts = point.counts
        if counts.hits:
            low, high = counts.hit_interval
            table.add_row(
                f"{point.threshold:g}", percent(counts.hit_rate), ends(low, high, 1), wrong(counts),
                span(counts), *saved(counts, study),
            )  # fmt: skip
    return table


def saved_heads(study: Study) -> list[str]:
    """What columns `saved` fills."""
    heads = ["s saved per 1,000"] if study.saving.seconds is not None else []
    return heads + ([f"{study.saving.currency} saved per 1,000"] if study.saving.cost is not None else [])


def saved(counts: Counts, study: Study) -> list[str]:
    """What these hits save per 1,000 asks, as far as it is known."""
    saving, cells = study.saving, []
    if saving.seconds is not None:
        cells.append(f"{1000 * counts.hit_rate * saving.seconds:,.0f}")
    if saving.cost is not None:
        cells.append(f"{1000 * counts.hit_rate * saving.cost:,.4f}")
    return cells


def finding_heads(study: Study) -> tuple[str, ...]:
    """What columns `finding_cells` fills."""
    return (
        "strategy", "set to", "hits once open (95 %)", "wrong per hit (95 %)", f"at most {100 * study.plan.bound:g} %",
        "hits in the replay", "wrong per hit (95 %)",
    )  # fmt: skip


def finding_cells(finding: Finding) -> tuple[str, ...]:
    """A finding in words."""
    choice, counts, replayed = finding.choice, finding.expected, finding.replayed
    similarity = f", similarity {choice.similarity:g}" if choice.similarity else ""
    low, high = counts.hit_interval
    return (
        choice.how, f"on{similarity}" if finding.on else "off", f"{percent(counts.hit_rate)} ({ends(low, high, 1)})",
        _error(counts), finding.verdict, percent(replayed.hit_rate), _error(replayed),
    )  # fmt: skip


def _findings(study: Study) -> Table:
    table = Table()
    for name in finding_heads(study):
        table.add_column(name, overflow="fold")
    for finding in study.findings:
        table.add_row(*finding_cells(finding))
    return table


def _error(counts: Counts) -> str:
    return f"{wrong(counts)} ({span(counts)})" if counts.judged else "-"


def ends(low: float, high: float, digits: int) -> str:
    """1.2-3.4 %."""
    return f"{100 * low:.{digits}f}-{100 * high:.{digits}f} %"


def wrong(counts: Counts) -> str:
    """Wrong hits per judged hit."""
    return "-" if counts.error is None else percent(counts.error, 2)


def span(counts: Counts) -> str:
    """The interval of the error."""
    low, high = counts.error_interval
    return ends(low, high, 2) if counts.judged else "-"


def percent(share: float, digits: int = 1) -> str:
    """12.3 %."""
    return f"{100 * share:.{digits}f} %"


def _wrong_words(counts: Counts) -> str:
    return f", {wrong(counts)} of them wrong ({span(counts)})" if counts.judged else ""
