"""A report as one HTML file that needs nothing else: no script, no font, no address. What a prompt says stays text."""

from collections.abc import Iterator
from html import escape

from sluice_sidecar.audit.patch import edits
from sluice_sidecar.audit.report import Finding, Report, Share
from sluice_sidecar.page_style import STYLE

_MORE = """
body { max-width: 68rem; }
.bars { width: 100%; } .bars td { vertical-align: middle; } .bars td:nth-child(2) { width: 45%; text-align: left; }
.bar { display: inline-block; height: .8em; min-width: 2px; background: var(--c); border-radius: 2px; }
.drop { --c: var(--c2); } .keep { --c: var(--c0); } .needed { --c: var(--c1); } .untested { --c: var(--c3); }
.tag { color: var(--c); font-weight: 600; } td.words, th.words { text-align: left; min-width: 14rem; }
td { font-variant-numeric: tabular-nums; white-space: nowrap; }
td:first-child, td.words { white-space: normal; overflow-wrap: anywhere; } td:first-child { min-width: 10rem; }
td small { display: block; color: var(--soft); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); gap: 1rem; margin: 1.5rem 0; }
.figures div { border: 1px solid var(--rule); border-radius: 6px; padding: .6rem .8rem; }
.figures b { display: block; font-size: 1.4rem; } .figures span { color: var(--soft); font-size: .85rem; }
.partial { border-left: .3rem solid var(--c1); padding: .6rem 1rem;
  background: color-mix(in srgb, var(--c1) 12%, transparent); }
.prompt { white-space: pre-wrap; overflow-wrap: anywhere; }
del { color: var(--soft); background: color-mix(in srgb, var(--c1) 18%, transparent); }
ins { text-decoration: none; background: color-mix(in srgb, var(--c2) 25%, transparent); }
.scale { position: relative; height: 1em; min-width: 8rem; background: color-mix(in srgb, var(--ink) 7%, transparent); }
.scale i { position: absolute; top: .35em; height: .3em; background: var(--c); opacity: .45; }
.scale b { position: absolute; top: .1em; width: 3px; height: .8em; background: var(--c); }
.scale u { position: absolute; top: 0; width: 1px; height: 1em; background: var(--ink); }
"""
_WORDS = {"drop": "can go", "keep": "stays", "needed": "is needed", "untested": "not tested"}
MARGIN_AT = 0.35
"""Where a scale of losses has its right end, at least: 35 % of lost quality."""


def page(report: Report, name: str, *, estimated: bool = False) -> str:
    """The page; `name` says what was audited, `estimated` that tokens were not counted by the model's tokenizer."""
    title = escape(f"Prompt audit: {name}")
    body = [
        f"<h1>{title}</h1>",
        f'<p class="partial"><strong>Not complete.</strong> {escape(report.partial)}</p>' if report.partial else "",
        f"<p>{escape(_summary(report))}</p>",
        _figures(report, estimated),
        "<h2>Tokens by section</h2>",
        _bars(report),
        "<h2>Sections</h2>",
        _sections(report),
        "<h2>The prompt</h2>",
        "<p>What goes is struck through.</p>" if report.dropped else "<p>Nothing goes.</p>",
        f'<pre class="prompt">{"".join(_difference(report))}</pre>',
        "<h2>How it was found</h2>",
        *(f"<p>{escape(line)}</p>" for line in _method(report, estimated)),
        f"<p>{escape('Prompt ' + report.prompt)}</p>",
    ]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}{_MORE}</style></head>'
        f"<body>{''.join(body)}</body></html>\n"
    )


def _summary(report: Report) -> str:
    if not report.dropped:
        return (
            f"Nothing was shown to be worth less than {report.method.margin:.1%} of quality: the prompt stays as it is."
        )
    return (
        f"{len(report.dropped)} of {len(report.findings)} parts can go: {report.reduction:.0%} of the prompt's tokens. "
        f"On requests that had no part in the choice, the shorter prompt loses less than {report.method.margin:.1%} "
        f"of quality, with {report.method.confidence:.0%} confidence."
    )


def _figures(report: Report, estimated: bool) -> str:
    about = "about " if estimated else ""
    shown = [
        (f"{about}{report.tokens_before:,} → {report.tokens_after:,}", "tokens of the prompt"),
        (f"{report.p95_before:,.0f} → {report.p95_after:,.0f}", "tokens of a request, 95th percentile"),
        (_share(report.loss) or "not known", "quality lost by the shorter prompt, with interval"),
        (f"{report.samples:,}", "requests looked at"),
        (f"{report.calls:,}", f"calls of the model; plain ablation takes {report.plain:,}"),
        (_money(report.cost, report.currency), "cost of this audit"),
    ]
    if report.saving_a_month is not None:
        shown.append((_money(report.saving_a_month, report.currency), "saved a month, at full price"))
    if report.net_of_cache_discount is not None:
        shown.append(
            (_money(report.net_of_cache_discount, report.currency), "saved a month, cache discount considered")
        )
    cells = "".join(f"<div><b>{escape(value)}</b><span>{escape(what)}</span></div>" for value, what in shown)
    return f'<div class="figures">{cells}</div>'


def _bars(report: Report) -> str:
    most = max((one.tokens for one in report.findings), default=0) or 1
    rows = "".join(
        f'<tr class="{one.verdict}"><td>{escape(_title(one))}</td>'
        f'<td><span class="bar" style="width:{max(100 * one.tokens / most, 0.0):.1f}%"></span></td>'
        f'<td>{one.tokens:,}</td><td><span class="tag">{_WORDS[one.verdict]}</span></td></tr>'
        for one in report.findings
    )
    return f'<div class="wide"><table class="bars"><tbody>{rows}</tbody></table></div>'


def _sections(report: Report) -> str:
    high = max([MARGIN_AT, *(one.loss[2] for one in report.findings if one.loss is not None)])
    heads = ("section", "verdict", "serves", "lost without it", "", "asked", "p")
    head = "".join(f"<th>{cell}</th>" for cell in heads) + '<th class="words">why</th>'
    rows = "".join(
        f'<tr class="{one.verdict}"><td>{escape(_title(one))}</td>'
        f'<td><span class="tag">{_WORDS[one.verdict]}</span></td>'
        f"<td>{'' if one.kind == 'compression' else _cell(one.serves)}</td><td>{_cell(one.loss)}</td>"
        f"<td>{_scale(one.loss, report.method.margin, high)}</td><td>{one.asked:,}</td>"
        f'<td>{"" if one.p_value is None else f"{one.p_value:.2g}"}</td><td class="words">{escape(one.why)}</td></tr>'
        for one in report.findings
    )
    note = (
        "<p>The scale shows the interval of the loss, its mean, and the margin as a thin line. What goes is proven as "
        "a whole; alone, a section is only tried on a few requests, hence the wide intervals.</p>"
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{note}'


def _scale(loss: Share | None, margin: float, high: float) -> str:
    if loss is None:
        return ""

    def at(value: float) -> float:
        return 100 * min(max(value, -high), high) / (2 * high) + 50

    mean, low, top = loss
    return (
        f'<div class="scale" role="img" aria-label="{escape(_share(loss))}"><i style="left:{at(low):.1f}%;'
        f'width:{at(top) - at(low):.1f}%"></i><b style="left:{at(mean):.1f}%"></b>'
        f'<u style="left:{at(margin):.1f}%"></u></div>'
    )


def _difference(report: Report) -> Iterator[str]:
    """The prompt with what goes in <del> and what comes in <ins>; both whole where that cannot be told apart."""
    found = edits(report.text, report.shorter)
    if found is None:
        yield f"<del>{escape(report.text)}</del>\n<ins>{escape(report.shorter)}</ins>"
        return
    now, done = report.text, 0
    for edit in found:
        at = now.index(edit.find)
        head = len(_common(edit.find, edit.replace))
        tail = len(_common(edit.find[head:][::-1], edit.replace[head:][::-1]))
        start, end = at + head, at + len(edit.find) - tail
        new = edit.replace[head : len(edit.replace) - tail]
        yield escape(now[done:start])
        yield f"<del>{escape(now[start:end])}</del>" if end > start else ""
        yield f"<ins>{escape(new)}</ins>" if new else ""
        now, done = now[:start] + new + now[end:], start + len(new)
    yield escape(now[done:])


def _common(one: str, other: str) -> str:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return one[:count]


def _method(report: Report, estimated: bool) -> Iterator[str]:
    how = report.method
    yield (
        f"{how.screening:,} requests chose what is tried, {how.confirming:,} others proved it; at least {how.needed:,} "
        "are needed in all. Each was asked with the prompt as it is and with the shorter one; the answers were "
        f"compared by {how.comparator}."
    )
    yield (
        f"The proof is one sequential test of non-inferiority by betting (Waudby-Smith and Ramdas, arXiv 2010.09686): "
        f"the probability that a prompt is shortened although it loses {how.margin:.1%} of quality or more is at most "
        f"{1 - how.confidence:.1%}, whatever was tried before. Order and draws follow seed {how.seed}."
    )
    if how.noise:
        yield f"Asked twice under the same prompt, answers differ by {how.noise:.1%}; that is taken off every loss."
    if estimated:
        yield "Tokens are estimated (four bytes each): the backend has no tokenizer that can be asked."
    yield from report.notes


def _title(one: Finding) -> str:
    return one.title or one.id


def _share(share: Share | None) -> str:
    return "" if share is None else f"{share[0]:.1%} ({share[1]:.1%} to {share[2]:.1%})"


def _cell(share: Share | None) -> str:
    return "" if share is None else f"{share[0]:.1%}<small>{share[1]:.1%} to {share[2]:.1%}</small>"


def _money(amount: str, currency: str) -> str:
    return f"{float(amount):,.2f} {currency}" if float(amount) >= 1 else f"{float(amount):.4g} {currency}"
