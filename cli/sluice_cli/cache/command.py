"""`sluice cache`: the commands. What each needs is imported when it runs."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

ADMIN = "http://127.0.0.1:8081"
"""Where `sluice run` has its admin port unless told otherwise."""

F = TypeVar("F", bound=Callable[..., Any])


def _admin(command: F) -> F:
    return click.option(
        "--admin", default=ADMIN, show_default=True, envvar="SLUICE_ADMIN", metavar="URL",
        help="The gateway's admin address, as `sluice run` prints it. Also: SLUICE_ADMIN.",
    )(command)  # fmt: skip


@click.group()
def cache() -> None:
    """Look into the cache of a running gateway; purge, fill and move it.

    In a cluster, reach a gateway with `kubectl port-forward POD 8081`.
    """


@cache.command()
@_admin
@click.argument("policy", required=False)
@click.option("--json", "as_json", is_flag=True, help="As the admin port gives it, history included.")
def evidence(admin: str, policy: str | None, as_json: bool) -> None:
    """Show what is known of each strategy's error: of POLICY, or of every policy.

    A strategy is open while the upper bound on its share of wrong answers is within what the policy promises.
    """
    from sluice_cli.cache.admin import AdminPort
    from sluice_cli.cache.tables import show_evidence

    with AdminPort(admin) as port:
        found = port.get("/-/evidence")["policies"]
    if policy is not None:
        if policy not in found:
            raise click.ClickException(f"there is no evidence for a policy {policy!r}; for: {_listed(found)}")
        found = {policy: found[policy]}
    _print_json(found) if as_json else show_evidence(found)


@cache.command()
@_admin
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many, newest first.")
@click.option("--json", "as_json", is_flag=True, help="As the admin port gives it, texts whole.")
def hits(admin: str, limit: int, as_json: bool) -> None:
    """Show the last answers that were reused by meaning: each question beside the one that filled it."""
    from sluice_cli.cache.admin import AdminPort
    from sluice_cli.cache.tables import show_hits

    with AdminPort(admin) as port:
        found = port.get("/-/hits", limit=limit)["hits"]
    _print_json(found) if as_json else show_hits(found)


@cache.command()
@_admin
@click.option("--policy", help="Answers of this CachePolicy.")
@click.option("--tenant", help="Answers of this tenant.")
@click.option("--entry", help="One answer: its key, as `sluice cache hits --json` tells it.")
def purge(admin: str, policy: str | None, tenant: str | None, entry: str | None) -> None:
    """Drop cached answers. Of several options all must match."""
    from sluice_cli.cache.admin import AdminPort

    wanted = {name: value for name, value in (("policy", policy), ("tenant", tenant), ("entry", entry)) if value}
    if not wanted:
        raise click.UsageError("say what to drop: --policy, --tenant, --entry, or several, which must all match")
    with AdminPort(admin) as port:
        purged = port.post("/-/purge", wanted)["purged"]
    click.echo(f"dropped {purged} answer{'' if purged == 1 else 's'}")


@cache.command("import")
@_admin
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path, allow_dash=True))
@click.option("--policy", required=True, help="The CachePolicy that is to hold the answers.")
@click.option("--from-line", default=1, show_default=True, type=click.IntRange(1), help="Where to go on.")
@click.option(
    "--requests", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Input file of an OpenAI batch; FILE is its output.",
)  # fmt: skip
@click.option("--tenant", help="Whose the answers are, whatever the lines say.")
@click.option("--model", help="The model name that callers use here, where the log has another.")
def import_(
    admin: str, file: Path, policy: str, from_line: int, requests: Path | None, tenant: str | None, model: str | None
) -> None:
    """Fill the cache from FILE (- reads standard input), one JSON object a line.

    A line is a logged exchange, {"request": {...}, "response": {...}}, with "path", "tenant", "headers" and "created"
    (unix seconds) where they matter; or what `sluice cache export` wrote. LiteLLM's standard log and OpenAI batch
    output are read too. Wrong lines are told and passed over; then it ends with 1.
    """
    from sluice_cli.cache.admin import AdminPort
    from sluice_cli.cache.fill import Plan, fill

    with AdminPort(admin) as port:
        refused = fill(port, Plan(file, policy, from_line, requests, tenant, model))
    sys.exit(1 if refused else 0)


@cache.command()
@_admin
@click.option("--policy", required=True, help="The CachePolicy whose answers are written.")
def export(admin: str, policy: str) -> None:
    """Write a policy's living answers to standard output, a line each, for `sluice cache import` elsewhere.

    They are found again only by a gateway with the same routes and policy. The texts of asks and answers are in them.
    """
    from sluice_cli.cache.admin import AdminPort

    lines = 0
    with AdminPort(admin) as port:
        for line in port.lines("/-/export", policy=policy):
            sys.stdout.buffer.write(line)
            lines += 1
    sys.stdout.buffer.flush()
    click.echo(f"{lines} answer{'' if lines == 1 else 's'}", err=True)


def _listed(names: Any) -> str:
    return ", ".join(sorted(names)) or "none"


def _print_json(value: object) -> None:
    import orjson

    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
