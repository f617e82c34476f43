"""`sluice demo`: the command."""

import os
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

import click
import orjson
import yaml
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from sluice_cli.demo import report, setting
from sluice_cli.demo.measure import measure
from sluice_cli.demo.replay import ReplayError
from sluice_cli.demo.service import ServiceError, served
from sluice_cli.demo.setting import PROVIDERS, Provider


@click.command()
@click.option(
    "--provider",
    type=click.Choice([*PROVIDERS, "none"]),
    help="Ask a real provider as the large backend (its key must be in the environment; it charges you), or none. "
    "Without this option a terminal is asked when a key is found; otherwise a local stand-in is used.",
)
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the result here too.")
@click.option(
    "--stay/--no-stay", default=None, help="Keep Sluice and its page running until Ctrl-C. Default: on a terminal."
)
def demo(provider: str | None, json_file: Path | None, stay: bool | None) -> None:
    """Ask one workload directly and through Sluice, and show what the difference is.

    Serves two real models on this machine, sends 150 requests of an online shop to the large one directly and then to
    Sluice, and asks every answer that was reused for another wording again, to see whether it was right.
    """
    console = Console()
    terminal = sys.stdout.isatty() and sys.stdin.isatty()
    chosen = choose(provider, os.environ, terminal)
    with tempfile.TemporaryDirectory(prefix="sluice-demo-") as folder:
        try:
            _run(chosen, Path(folder), console, json_file, terminal if stay is None else stay)
        except (ServiceError, ReplayError) as error:
            raise click.ClickException(str(error)) from error
        except KeyboardInterrupt:
            console.print("\nstopped")
            sys.exit(130)


def choose(named: str | None, environment: Mapping[str, str], terminal: bool) -> Provider | None:
    """The provider to ask, None for the stand-in. A provider is used only when named or agreed to at a terminal."""
    if named == "none":
        return None
    if named is not None:
        provider = PROVIDERS[named]
        if not environment.get(provider.key_variable):
            raise click.UsageError(f"--provider {named} needs its key in {provider.key_variable}")
        return provider
    if not terminal:
        return None
    for provider in PROVIDERS.values():
        if environment.get(provider.key_variable) and click.confirm(
            f"{provider.key_variable} is set. Ask {provider.model} as the large backend (about 250 short requests, "
            "a few cents) instead of a local stand-in?"
        ):
            return provider
    return None


def _run(provider: Provider | None, folder: Path, console: Console, json_file: Path | None, stay: bool) -> None:
    documents, secrets = setting.shipped(), {}
    if provider:
        documents = setting.with_provider(documents, provider)
        secrets = {provider.secret_variable: os.environ[provider.key_variable]}
    file = folder / "demo.yaml"
    file.write_text(yaml.safe_dump_all(documents, sort_keys=False))
    with ExitStack() as stack:
        with console.status("starting Sluice and its models (the first start prepares the weights)"):
            service = stack.enter_context(served(file, folder, secrets))
        columns = (TextColumn("{task.description:<14}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console) as progress:
            result = measure(service, provider, os.environ, documents, progress)
        report.show(result, console)
        if json_file:
            json_file.write_bytes(orjson.dumps(report.as_data(result), option=orjson.OPT_INDENT_2) + b"\n")
            console.print(f"Written to {json_file}")
        if stay:
            console.print(
                f"\nSavings, latency and decisions: {service.admin_url}/console   (Ctrl-C ends)", style="bold"
            )
            console.print(f"Your own application: OPENAI_BASE_URL={service.base_url}, model {setting.MODEL}")
            with suppress(KeyboardInterrupt):
                threading.Event().wait()
