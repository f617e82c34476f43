"""`sluice run`: serves the kinds in YAML files on this machine."""

import sys
from pathlib import Path

import click


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="FILE...")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option(
    "--admin-port", default=8081, show_default=True, type=click.IntRange(0, 65535), help="Health, metrics, savings."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to serve on; 0.0.0.0 is every one.")
@click.option("--admin-host", default="127.0.0.1", show_default=True, help="Address of the admin port.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Gateway processes.")
@click.option(
    "--data",
    default=Path(".sluice"),
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for cache and ledger; one run at a time.",
)
@click.option(
    "--env-file",
    default=Path(".env"),
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of SLUICE_SECRET_NAME_KEY=value lines; the environment wins.",
)
@click.option("--models/--no-models", default=True, help="Whether QuantisedModels are started.")
def run(
    files: tuple[Path, ...],
    port: int,
    admin_port: int,
    host: str,
    admin_host: str,
    workers: int,
    data: Path,
    env_file: Path,
    models: bool,
) -> None:
    """Serve the kinds in FILE... (files or folders), and follow their changes until Ctrl-C.

    A valid change is live within a second; an invalid one is told, and what was served before stays.
    """
    from sluice_cli.supervisor.data_dir import DataDirError
    from sluice_cli.supervisor.listen import ListenError
    from sluice_cli.supervisor.options import RunOptions
    from sluice_cli.supervisor.supervise import run as supervise

    options = RunOptions(files, host, port, admin_host, admin_port, workers, data, env_file, models)
    try:
        status = supervise(options)
    except (DataDirError, ListenError) as problem:
        raise click.ClickException(str(problem)) from None
    sys.exit(status)
