"""`sluice audit`: the command. What it needs is imported when it runs."""

import asyncio
import os
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sluice_cli.audit.perform import Performed
    from sluice_cli.audit.recorded import Recorded
    from sluice_cli.audit.setting import Setting
    from sluice_sidecar.audit.audit import Terms


class Money(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A decimal amount, not negative."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """The amount."""
        try:
            amount = Decimal(value)
        except InvalidOperation:
            amount = Decimal("NaN")
        if not amount.is_finite() or amount < 0:
            self.fail(f"{value} is not an amount of money such as 2.50.", param, ctx)
        return amount


_SHARE = click.FloatRange(0.0, 1.0, min_open=True, max_open=True)
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="FILE...")
@click.option("--audit", "name", metavar="NAME", help="PromptAudit, where the files have several.")
@click.option("--route", metavar="NAME", help="ModelRoute. Default: the PromptAudit's.")
@click.option(
    "--samples", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="JSONL",
    help='Recorded requests, one a line: {"messages", "answer", "expected"}.',
)  # fmt: skip
@click.option(
    "--prompt", "prompt_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
    help="The system prompt. Default: the one that most of the requests have.",
)  # fmt: skip
@click.option("--against", metavar="BACKEND", help="The route's backend that answers. Default: the PromptAudit's.")
@click.option("--judge", metavar="BACKEND", help="The route's backend that compares answers without a label.")
@click.option("--at", "addresses", multiple=True, metavar="BACKEND=URL", help="Where a backend listens, with its /v1.")
@click.option("--margin", type=_SHARE, help="Most quality that what goes may be worth. Default: 0.02.")
@click.option("--confidence", type=_SHARE, help="How sure this must be. Default: 0.95.")
@click.option("--max-cost", type=Money(), help="Most money that the audit may spend.")
@click.option("--max-calls", type=click.IntRange(1), help="Most calls of the model.")
@click.option("--requests", type=click.IntRange(1), help="Most requests that are looked at, the newest.")
@click.option("--requests-a-month", type=click.FloatRange(0, min_open=True), help="For the saving of a month.")
@click.option(
    "--cached-share", default=0.0, show_default=True, type=click.FloatRange(0, 1),
    help="Share of prompt tokens that the backend bills as cached.",
)  # fmt: skip
@click.option("--width", default=4, show_default=True, type=click.IntRange(1, 64), help="Calls at a time.")
@click.option("--seed", default=0, show_default=True, help="Of the order of the requests.")
@click.option("--yes", is_flag=True, help="Do not ask before money is spent.")
@click.option("--report", type=_FILE, help="Write an HTML page here.")
@click.option("--patch", type=_FILE, help="Write the rewrite for the ModelRoute here.")
@click.option("--json", "as_json", type=_FILE, help="Write the report as JSON here.")
@click.option(
    "--env-file", default=Path(".env"), show_default=True, type=_FILE, help="SLUICE_SECRET_NAME_KEY=value lines."
)
@click.option(
    "--work", type=click.Path(file_okay=False, path_type=Path),
    help="Folder for what was asked so far. Default: in the user's cache.",
)  # fmt: skip
def audit(
    files: tuple[Path, ...], name: str | None, route: str | None, samples: Path, prompt_file: Path | None,
    against: str | None, judge: str | None, addresses: tuple[str, ...], margin: float | None, confidence: float | None,
    max_cost: Decimal | None, max_calls: int | None, requests: int | None, requests_a_month: float | None,
    cached_share: float, width: int, seed: int, yes: bool, report: Path | None, patch: Path | None,
    as_json: Path | None, env_file: Path, work: Path | None,
) -> None:  # fmt: skip
    """Find the sections of a system prompt that the model does not need, and prove it on recorded requests.

    FILE... are kinds as `sluice run` takes them. Requests are redacted before they are sent or anything is written. An
    audit that was stopped, or met a bound, goes on where it was with the same command.
    """
    from sluice_cli.audit.perform import foreseen, terms
    from sluice_cli.audit.recorded import RecordedError, recorded
    from sluice_cli.audit.setting import Options, SettingError, setting
    from sluice_sidecar.audit.audit import Traffic, enough
    from sluice_sidecar.audit.tokens import estimated

    given = Options(name, route, against, judge, margin, confidence, max_cost, requests)
    try:
        wanted = setting(files, given)
        text = None if prompt_file is None else _text(prompt_file)
        found = recorded(samples.read_bytes().splitlines(), text, wanted.redact, wanted.requests)
    except SettingError as error:
        raise click.ClickException(str(error)) from None
    except RecordedError as error:
        raise click.ClickException(f"{samples}: {error}") from None
    traffic = None if requests_a_month is None else Traffic(requests_a_month, cached_share)
    under = terms(wanted, seed=seed, width=width, max_calls=max_calls, traffic=traffic)
    need = enough(under)
    if len(found.samples) < need:
        raise click.ClickException(
            f"{samples}: {len(found.samples)} requests are too few: {need} are needed for a margin of {under.margin:g} "
            f"with confidence {under.confidence:g}; record more, raise --requests, or widen --margin"
        )
    size, window = estimated(found.prompt.text).tokens, wanted.against.context_window
    if window is not None and size >= window:
        raise click.ClickException(
            f"the prompt has about {size:,} tokens, more than the context window of backend {wanted.against.name} "
            f"({window:,}): audit it with a backend that can read it"
        )
    if wanted.judge is None and all(one.expected is None for one in found.samples):
        click.echo("no request has a label and there is no --judge: prose cannot be compared", err=True)
    click.echo(
        f"{len(found.samples):,} requests, a prompt of about {size:,} tokens; {foreseen(found, wanted, under)}",
        err=True,
    )
    if not yes:
        click.confirm("Go on?", abort=True, err=True)
    done = _performed(found, wanted, under, dict(map(_pair, addresses)), env_file, work or _work())
    if prompt_file is not None and text is not None and _text(prompt_file) != text:
        click.echo(f"{prompt_file} was changed meanwhile: the report is of the prompt as it was before", err=True)
    _tell(done, wanted, report, patch, as_json)


def _text(path: Path) -> str:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{path}: cannot be read as UTF-8: {error}") from None
    if not text.strip():
        raise click.ClickException(f"{path}: empty")
    return text


def _pair(given: str) -> tuple[str, str]:
    name, equals, url = given.partition("=")
    if not name or not equals or not url.startswith(("http://", "https://")):
        raise click.BadParameter(f"{given!r} is not BACKEND=URL", param_hint="--at")
    return name, url


def _work() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sluice" / "audit"


def _performed(
    found: "Recorded", wanted: "Setting", under: "Terms", at: dict[str, str], env_file: Path, work: Path
) -> "Performed":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from sluice_cli.audit.asker import Unusable
    from sluice_cli.audit.perform import foreseen, kept_at, perform
    from sluice_sidecar.audit.checkpoint import FileCheckpoint
    from sluice_sidecar.credentials import Credentials

    path = kept_at(work, found, wanted)
    try:
        checkpoint = FileCheckpoint(path, prompt=found.prompt.digest, against=wanted.against.name)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{path}: {error}") from None
    before = sum("answer" in record for record in checkpoint.load())
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
            bar = progress.add_task("asking", total=foreseen(found, wanted, under).calls, completed=before)
            told = lambda: progress.advance(bar)  # noqa: E731
            secrets = Credentials(env_file=env_file)
            return asyncio.run(perform(found, wanted, under, secrets, checkpoint, at=at, cosine=None, told=told))
    except Unusable as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        click.echo("stopped; the same command goes on from here", err=True)
        sys.exit(130)
    finally:
        checkpoint.close()


def _tell(done: "Performed", wanted: "Setting", page: Path | None, patch: Path | None, as_json: Path | None) -> None:
    import orjson

    from sluice_cli.audit.text import lines, patch_text
    from sluice_sidecar.audit import html
    from sluice_sidecar.audit.patch import NotPatchable

    report = done.report
    for line in lines(done):
        click.echo(line)
    if page is not None:
        _write(page, html.page(report, f"{wanted.name} of {wanted.route}", estimated=done.estimated))
    if as_json is not None:
        _write(as_json, orjson.dumps(report.shown(), option=orjson.OPT_INDENT_2).decode() + "\n")
    if patch is not None:
        try:
            text = patch_text(report, wanted)
        except NotPatchable as error:
            raise click.ClickException(str(error)) from None
        if text is None:
            click.echo("no patch: nothing was shown to be superfluous", err=True)
        else:
            _write(patch, text)


def _write(path: Path, content: str) -> None:
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{path}: cannot be written: {error.strerror or error}") from None
    click.echo(f"written: {path}", err=True)
