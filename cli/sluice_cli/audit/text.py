"""A report in lines for a person, and its rewrite as YAML for a pull request."""

from collections.abc import Iterator

import yaml

from sluice_cli.audit.perform import Performed
from sluice_cli.audit.setting import Setting
from sluice_sidecar.audit.patch import PERCENT, patch
from sluice_sidecar.audit.report import Report

_WORDS = {"drop": "can go", "keep": "stays", "needed": "needed", "untested": "untested"}


def lines(done: Performed) -> Iterator[str]:
    """What was found."""
    report = done.report
    if report.partial:
        yield f"Not complete: {report.partial}"
    about = "about " if done.estimated else ""
    yield (
        f"Tokens of the prompt: {about}{report.tokens_before:,} before, {report.tokens_after:,} after "
        f"({report.reduction:.0%} less); 95th percentile of a request: "
        f"{report.p95_before:,.0f}, {report.p95_after:,.0f}."
    )
    if report.loss is not None:
        mean, low, high = report.loss
        yield f"Quality lost by the shorter prompt: {mean:.1%} ({low:.1%} to {high:.1%}), p = {report.p_value:.2g}."
    if report.saving_a_month is not None:
        yield (
            f"Saved a month: {report.saving_a_month} {report.currency}; net of the discount for cached prefixes: "
            f"{report.net_of_cache_discount} {report.currency}."
        )
    yield f"Asked {report.calls:,} times, compared {report.compared:,} answers: {report.cost} {report.currency}."
    for one in report.findings:
        yield f"{_WORDS[one.verdict]:>9}  {one.tokens:>7,}  {one.title or one.id}: {one.why}"
    for note in report.notes:
        yield f"- {note}"


def patch_text(report: Report, setting: Setting) -> str | None:
    """YAML that holds the rewrite; None where there is none. Raises NotPatchable."""
    made = patch(report, setting.route, namespace=setting.namespace)
    if made is None:
        return None
    return (
        f"# {report.reduction:.0%} of the prompt's tokens; {PERCENT} % of the conversations get it to begin with.\n"
        f"# Put the entry into ModelRoute {setting.route}, or:\n"
        "# kubectl apply --server-side --field-manager=sluice-audit -f FILE\n"
    ) + yaml.safe_dump_all(made.objects, sort_keys=False, allow_unicode=True, width=120)
