"""A study as one HTML page that needs nothing else: no script, no font, no address."""

from collections.abc import Iterator, Sequence
from html import escape

from sluice_cli.tune import text
from sluice_cli.tune.curves import Curve
from sluice_cli.tune.plot import Axis, Line, plot
from sluice_cli.tune.study import Study
from sluice_sidecar.page_style import STYLE

_STYLES = {"label": 0, "paraphrase": 1, "template": 2, "plain cosine": 3}


def page(study: Study) -> str:
    """The page."""
    name = escape(study.plan.policy.name)
    curves = [curve for curve in study.curves if any(point.counts.hits for point in curve.points)]
    body = [
        f"<h1>What CachePolicy {name} may reuse</h1>",
        *(f"<p>{escape(line)}</p>" for line in text.about(study)),
        "<h2>Recommended</h2>",
        _table(text.finding_heads(study), [text.finding_cells(finding) for finding in study.findings]),
        "<ul>", *(f"<li>{escape(line)}</li>" for line in text.notes(study)), "</ul>",
        f"<pre>{escape(text.patch_text(study))}</pre>",
        "<h2>Hits against wrong hits</h2>",
        _frontier(curves, study.plan.bound),
        *(part for curve in curves for part in _section(curve, study)),
    ]  # fmt: skip
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>sluice tune: {name}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body>{''.join(body)}</body></html>\n"
    )


def _frontier(curves: Sequence[Curve], bound: float) -> str:
    lines, worst, most = [], 4.0 * bound, 0.0
    for curve in curves:
        known = [point.counts for point in curve.points if point.counts.error is not None]
        lines.append(Line(curve.name, [(c.error or 0.0, c.hit_rate) for c in known], _STYLES[curve.name]))
        most = max([most, *(c.hit_rate for c in known)])
    return plot(
        "Hits per ask, by wrong answers per hit (further left and higher is better; beyond the right end is cut off)",
        Axis("wrong per hit", 0.0, worst, _percent), Axis("hits per ask", 0.0, most or 1.0, _percent), lines,
        mark=bound, mark_name="bound",
    )  # fmt: skip


def _section(curve: Curve, study: Study) -> Iterator[str]:
    style = _STYLES[curve.name]
    what = "similarity" if curve.name == "plain cosine" else "score"
    points = [point for point in curve.points if point.counts.hits]
    x = Axis(f"{what} from", points[0].threshold, points[-1].threshold, lambda value: f"{value:.2f}")
    yield f"<h2>{escape(curve.name)}, by {what}</h2>"
    hits = Line("hits per ask", [(p.threshold, p.counts.hit_rate) for p in points], style,
                [p.counts.hit_interval for p in points])  # fmt: skip
    yield plot("Hits per ask, with 95 % intervals", x, Axis("hits", 0.0, _top([hits]), _percent), [hits])
    known = [p for p in points if p.counts.error is not None]
    wrong = Line("wrong per hit", [(p.threshold, p.counts.error or 0.0) for p in known], style,
                 [p.counts.error_interval for p in known])  # fmt: skip
    high = max([3.0 * study.plan.bound, *(y for _, y in wrong.points)])
    yield plot(
        "Wrong answers per hit, with 95 % intervals", x, Axis("wrong", 0.0, min(high * 1.2, 1.0), _percent), [wrong]
    )
    heads = (f"{what} from", "hits", "wrong per hit", "95 %", *text.saved_heads(study))
    rows = [
        (f"{p.threshold:g}", text.percent(p.counts.hit_rate), text.wrong(p.counts), text.span(p.counts),
         *text.saved(p.counts, study))
        for p in points
    ]  # fmt: skip
    yield _table(heads, rows)


def _top(lines: Sequence[Line]) -> float:
    return max(high for line in lines for _, high in line.band) or 1.0


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in heads)
    lines = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'


def _percent(value: float) -> str:
    return f"{100 * value:.3g} %"
