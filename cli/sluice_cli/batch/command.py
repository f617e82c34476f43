"""`sluice batch`: the commands. What each needs is imported when it runs."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

GATEWAY = "http://127.0.0.1:8080"
"""Where `sluice run` has its data port unless told otherwise."""

F = TypeVar("F", bound=Callable[..., Any])


def _gateway(command: F) -> F:
    url = click.option(
        "--base-url", default=GATEWAY, show_default=True, envvar="OPENAI_BASE_URL", metavar="URL",
        help="The gateway's address, with or without /v1. Also: OPENAI_BASE_URL.",
    )  # fmt: skip
    key = click.option("--key", envvar="OPENAI_API_KEY", metavar="KEY", help="API key. Also: OPENAI_API_KEY.")
    return url(key(command))


@click.group()
def batch() -> None:
    """Run a file of requests when its BatchWindow is open; follow it, fetch what came of it."""


@batch.command()
@_gateway
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--endpoint", help="Path that all requests ask. Default: the url of the first line.")
@click.option("--urgency", type=click.IntRange(0, 7), help="0 goes first, 7 last. Default: 3.")
@click.option("--webhook", metavar="URL", help="Address that is told when the batch has ended.")
@click.option("--wait/--no-wait", default=False, help="Whether to follow the batch to its end.")
def submit(
    base_url: str,
    key: str | None,
    file: Path,
    endpoint: str | None,
    urgency: int | None,
    webhook: str | None,
    wait: bool,
) -> None:
    """Upload FILE, one request a line as OpenAI's batches have them, and queue it. Prints the batch's id."""
    from sluice_cli.batch.gateway import Gateway
    from sluice_cli.batch.progress import follow

    with Gateway(base_url, key) as gateway:
        made = gateway.submit(file, endpoint, urgency, webhook)
        click.echo(made["id"])
        if wait:
            _end(follow(gateway, made["id"]))


@batch.command()
@_gateway
@click.argument("id_", metavar="[ID]", required=False)
@click.option("--wait/--no-wait", default=False, help="Whether to follow the batch to its end.")
@click.option("--json", "as_json", is_flag=True, help="As the gateway gives it.")
def status(base_url: str, key: str | None, id_: str | None, wait: bool, as_json: bool) -> None:
    """Show how far batch ID is, or the newest batches."""
    from sluice_cli.batch.gateway import Gateway
    from sluice_cli.batch.progress import follow, show

    with Gateway(base_url, key) as gateway:
        if id_ is None:
            found = gateway.newest()
        else:
            found = [follow(gateway, id_) if wait else gateway.batch(id_)]
    if as_json:
        import orjson

        click.echo(orjson.dumps(found if id_ is None else found[0], option=orjson.OPT_INDENT_2).decode())
    else:
        show(found)
    if id_ is not None:
        _end(found[0])


@batch.command()
@_gateway
@click.argument("id_", metavar="ID")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: standard output.")
@click.option("--errors", is_flag=True, help="Requests that failed, instead of the answers.")
def results(base_url: str, key: str | None, id_: str, output: Path | None, errors: bool) -> None:
    """Write the answers of batch ID, one a line, in the order of its input."""
    from sluice_cli.batch.gateway import Gateway

    with Gateway(base_url, key) as gateway:
        pieces = gateway.results(id_, errors=errors)
        if output is None:
            for piece in pieces:
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
        else:
            first = next(pieces, b"")  # a batch that has none makes no file
            with output.open("wb") as file:
                file.write(first)
                file.writelines(pieces)


@batch.command()
@_gateway
@click.argument("id_", metavar="ID")
def cancel(base_url: str, key: str | None, id_: str) -> None:
    """Take back what waits of batch ID; what runs comes to its end."""
    from sluice_cli.batch.gateway import Gateway
    from sluice_cli.batch.progress import show

    with Gateway(base_url, key) as gateway:
        show([gateway.cancel(id_)])


@batch.command()
@_gateway
@click.argument("id_", metavar="[ID]", required=False)
@click.option("--since", metavar="TIME", help="All that failed since then: ISO 8601, or 2h, 1d ago.")
def replay(base_url: str, key: str | None, id_: str | None, since: str | None) -> None:
    """Send the webhooks of batch ID again, delivered ones too, or all of yours that failed since a time.

    They keep their ids, by which a receiver knows what it has handled already.
    """
    from sluice_cli.batch.gateway import Gateway
    from sluice_cli.batch.progress import moment

    if (id_ is None) == (since is None):
        raise click.UsageError("name a batch, or a time by --since, and not both")
    wanted = {"batch": id_} if id_ is not None else {"since": moment(since or "")}
    with Gateway(base_url, key) as gateway:
        count = gateway.replay(wanted)
    click.echo(f"{count} webhook{'' if count == 1 else 's'} will be sent again")


def _end(found: dict[str, Any]) -> None:
    """Exits with 1 for a batch that ended otherwise than well."""
    if found["status"] in ("failed", "expired", "cancelled"):
        sys.exit(1)
