"""`sluice plan`: what files of kinds would serve, or everything that is wrong with them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import click

from sluice_cli.files import Checked, Finding, check
from sluice_cli.words import backend_words, gateway_words, model_words, policy_words, strategy_words
from sluice_operator.kinds.quantity import duration_text

Format = Literal["text", "json"]


@click.command()
@click.argument("paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Format.")
def plan(paths: tuple[Path, ...], output: Format) -> None:
    """Check files and folders of kinds, and show what they would serve.

    Exits with 1 when they would be refused; every problem is told with file, line and field.
    """
    checked = check(paths)
    if output == "json":
        _print_json(checked)
    else:
        _print_text(checked)
    if checked.errors:
        raise SystemExit(1)


def planned(checked: Checked) -> dict[str, Any]:
    """The plan as plain data: what would be served, digests, problems."""
    config = checked.compiled.config
    return {
        "served": not checked.errors,
        "digest": config.digest,
        "namespace": config.namespace,
        "routes": {
            name: {
                "models": list(route.models),
                "strategy": strategy_words(route.strategy),
                "backends": {b.name: backend_words(b) for b in route.backends.values()},
                "fallbacks": list(route.fallbacks),
                "reference": route.reference,
                "cachePolicy": route.policy,
                "digest": route.digest,
            }
            for name, route in config.routes.items()
        },
        "cachePolicies": {
            name: {"ttlSeconds": policy.ttl, "reuse": policy_words(policy), "digest": policy.digest}
            for name, policy in config.policies.items()
        },
        "quantisedModels": {name: model_words(name, model) for name, model in checked.compiled.models.items()},
        "gateway": gateway_words(config.gateway),
        "errors": [_finding(finding) for finding in checked.errors],
        "warnings": [_finding(finding) for finding in checked.warnings],
        "config": config.model_dump(mode="json", by_alias=True),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    problem = finding.problem
    return {
        "file": finding.file,
        "line": finding.line,
        "kind": problem.kind or None,
        "name": problem.name or None,
        "field": problem.field or None,
        "reason": problem.reason,
        "message": problem.message,
        "allowed": list(problem.allowed),
        "nearest": problem.nearest,
    }


def _print_json(checked: Checked) -> None:
    import orjson

    click.echo(orjson.dumps(planned(checked), option=orjson.OPT_INDENT_2).decode())


def _print_text(checked: Checked) -> None:
    """Tables on a terminal, plain aligned lines elsewhere; problems go to standard error."""
    from rich.console import Console
    from rich.text import Text

    out = Console(highlight=False, soft_wrap=True)
    err = Console(stderr=True, highlight=False, soft_wrap=True)
    if not checked.errors:
        for heading, digest, rows in _sections(checked):
            out.print(Text.assemble((heading, "bold"), (f"  {digest}" if digest else "", "dim")))
            width = max(len(label) for label, _ in rows)
            for label, words in rows:
                out.print(Text.assemble("  ", (label.ljust(width), "cyan"), "  ", words))
            out.print()
    for finding in checked.errors:
        err.print(Text.assemble(("error ", "bold red"), str(finding)))
    for finding in checked.warnings:
        err.print(Text.assemble(("warning ", "yellow"), str(finding)))
    if checked.errors:
        err.print(f"refused: {_counted(len(checked.errors), 'problem')}")
        return
    config = checked.compiled.config
    if not config.routes:
        err.print(Text.assemble(("warning ", "yellow"), "no ModelRoute in these files: nothing would be served"))
    out.print(f"would serve {_counted(len(config.routes), 'route')}, {_short(config.digest)}")


def _sections(checked: Checked) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """What is shown: heading, digest, labelled lines."""
    config = checked.compiled.config
    for name, route in config.routes.items():
        rows = [("models", ", ".join(route.models)), ("strategy", strategy_words(route.strategy))]
        width = max(map(len, route.backends))
        for index, backend in enumerate(route.backends.values()):
            rows.append(("" if index else "backends", f"{backend.name.ljust(width)}  {backend_words(backend)}"))
        if route.fallbacks:
            rows.append(("fallbacks", ", then ".join(route.fallbacks)))
        if route.mirror:
            rows.append(("mirror", f"{route.mirror.percent:g} % also to {route.mirror.backend}"))
        rows.append(("reference", f"{route.reference}: savings are counted against it"))
        within = (
            f"first byte {duration_text(route.resilience.first_token)}, all {duration_text(route.resilience.total)}"
        )
        rows.append(("within", within))
        rows.append(("cache", f"CachePolicy {route.policy}" if route.policy else "none"))
        yield f"ModelRoute {name}", _short(route.digest), rows
    for name, policy in config.policies.items():
        words = policy_words(policy)
        yield f"CachePolicy {name}", _short(policy.digest), [("for", duration_text(policy.ttl)), ("reuse", words)]
    for name, model in checked.compiled.models.items():
        yield f"QuantisedModel {name}", "", [("runs", model_words(name, model))]
    yield "Gateway", "", [("callers", gateway_words(config.gateway))]


def _short(digest: str) -> str:
    return digest[: len("sha256:") + 12]


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
