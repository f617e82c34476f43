"""`sluice tune`: the command."""

import asyncio
import os
import sys
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sluice_cli.cache.command import ADMIN

if TYPE_CHECKING:
    from sluice_cli.files import Checked
    from sluice_cli.tune.data import Data
    from sluice_cli.tune.study import Plan, Study
    from sluice_sidecar.cache.embedders.onnx_folder import OnnxFolder
    from sluice_sidecar.config import Policy


class Share(click.FloatRange):
    """A number within a range; NaN lies in none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number."""
        number = float(super().convert(value, param, ctx))
        if number != number:
            self.fail(f"{value} is not a number.", param, ctx)
        return number


@click.command()
@click.argument("policy", metavar="POLICY")
@click.option(
    "-f",
    "--file",
    "files",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File or folder of kinds with the CachePolicy; may be given several times.",
)
@click.option(
    "--data",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='Recorded asks, one a line: {"text", "answer"} or {"request", "response"}; also "at", "tenant", "took".',
)
@click.option("--from-traffic", is_flag=True, help="Take what a running gateway has stored, instead of --data.")
@click.option(
    "--admin",
    default=ADMIN,
    show_default=True,
    envvar="SLUICE_ADMIN",
    metavar="URL",
    help="That gateway's admin address, as `sluice run` prints it. Also: SLUICE_ADMIN.",
)
@click.option(
    "--bound",
    type=Share(0.0005, 0.2),
    help="Most wrong answers per reused one. Default: the policy's, else 0.01.",
)
@click.option(
    "--strategy",
    "strategies",
    multiple=True,
    type=click.Choice(["label", "paraphrase", "template"]),
    help="Study these instead of those that the policy turns on.",
)
@click.option(
    "--held-out",
    default=0.5,
    show_default=True,
    type=Share(0.1, 0.9),
    help="Share of the asks that only judges.",
)
@click.option(
    "--orders",
    default=3,
    show_default=True,
    type=click.IntRange(1, 20),
    help="Random orders, where the data has no times.",
)
@click.option("--seed", default=0, show_default=True, help="Of the orders, and of which hits are asked again.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write an HTML page with plots here.")
@click.option(
    "--patch", type=click.Path(dir_okay=False, path_type=Path), help="Write the patch of the CachePolicy here."
)
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Format.")
@click.option(
    "--work",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for what is done so far. Default: in the user's cache.",
)
def tune(
    policy: str, files: tuple[Path, ...], data: Path | None, from_traffic: bool, admin: str,
    bound: float | None, strategies: tuple[str, ...],
    held_out: float, orders: int, seed: int, report: Path | None, patch: Path | None, output: str, work: Path | None,
) -> None:  # fmt: skip
    """Find out what CachePolicy POLICY would reuse of recorded asks, how often wrongly, and what to set.

    The asks are replayed through the gateway's own cache from an empty one. A part of them is held out: it chooses
    nothing and gives the figures. A run that was stopped goes on where it was.
    """
    from sluice_cli.files import check
    from sluice_cli.tune.data import DataError, content, read
    from sluice_cli.tune.study import LEAST, STRATEGIES, Plan, strategies_of

    if (data is None) != from_traffic:
        raise click.UsageError("give either --data FILE or --from-traffic")
    checked = check(files)
    for finding in checked.errors:
        click.echo(f"error {finding}", err=True)
    if checked.errors:
        raise SystemExit(1)
    found = _policy(checked, policy)
    wanted = [how for how in STRATEGIES if how in strategies] or strategies_of(found)
    if not wanted:
        raise click.ClickException(
            f"CachePolicy {policy} turns on identical reuse alone, whose answers are the recorded ones; "
            "name what to study with --strategy"
        )
    try:
        lines = _exported(admin, policy) if data is None else content(data)
        recorded = read(str(data or admin), lines, found)
    except DataError as error:
        raise click.ClickException(f"the data cannot be used\n{error}") from None
    if len(recorded.asks) < LEAST:
        raise click.ClickException(
            f"{data or admin}: {len(recorded.asks)} asks can be used; at least {LEAST} are needed to hold a part out"
        )
    plan = Plan(found, wanted, bound or found.bound or 0.01, held_out, orders, seed)
    try:
        study = _studied(plan, recorded, checked, work or _work(lines))
    except KeyboardInterrupt:
        click.echo("stopped; the same command goes on from here", err=True)
        sys.exit(130)
    _tell(study, output, report, patch)


def _policy(checked: "Checked", name: str) -> "Policy":
    policies = checked.compiled.config.policies
    if name not in policies:
        known = ", ".join(sorted(policies)) or "none"
        raise click.ClickException(f"no CachePolicy {name!r} in these files; there are: {known}")
    return policies[name]


def _exported(admin: str, policy: str) -> bytes:
    from sluice_cli.cache.admin import AdminPort

    with AdminPort(admin) as port:
        return b"".join(port.lines("/-/export", policy=policy))


def _work(lines: bytes) -> Path:
    digest = sha256(lines).hexdigest()[:16]
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sluice" / "tune" / digest


def _studied(plan: "Plan", data: "Data", checked: "Checked", work: Path) -> "Study":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from sluice_cli.tune.folds import Folds
    from sluice_cli.tune.savings import saving
    from sluice_cli.tune.study import study
    from sluice_cli.tune.vectors import embedded, wanted
    from sluice_sidecar.cache.embed import EmbeddingError

    columns = (TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        texts = wanted(data.asks) if set(plan.strategies) != {"template"} else []
        embedding = progress.add_task("embedding", total=len(texts))

        async def run() -> "Study":
            embedder = _embedder(plan.policy)
            try:
                if texts:
                    await embedder.load()
                told = partial(progress.advance, embedding)
                table = await embedded(texts, embedder, work / "vectors", embedder.identity, told)
            finally:
                embedder.close()
            times = 1 if data.timed else plan.orders
            replaying = progress.add_task("replaying", total=2 * times * len(data.asks))
            folds = Folds(work / "replays", data.asks, table, partial(progress.advance, replaying))
            return await study(plan, data, folds, saving(data.asks, checked.compiled.config, plan.policy.name))

        try:
            return asyncio.run(run())
        except EmbeddingError as error:
            raise click.ClickException(f"the asks cannot be embedded: {error}") from None


def _embedder(policy: "Policy") -> "OnnxFolder":
    """The policy's model. Raises ClickException for one that is not on this machine."""
    from sluice_sidecar.cache.embed import MiniLM
    from sluice_sidecar.cache.embedders.onnx_folder import OnnxFolder
    from sluice_sidecar.config import WIDTH, BuiltinEmbedding, OnnxEmbedding

    threads = min(4, os.cpu_count() or 1)
    if isinstance(policy.embedding, BuiltinEmbedding):
        return MiniLM(threads=threads)
    if isinstance(policy.embedding, OnnxEmbedding) and policy.embedding.dimensions != WIDTH:
        raise click.ClickException(
            f"CachePolicy {policy.name} embeds in {policy.embedding.dimensions} dimensions; "
            f"this command takes models of {WIDTH}"
        )
    if isinstance(policy.embedding, OnnxEmbedding):
        folder = Path(policy.embedding.path)
        return OnnxFolder(lambda: folder, threads=threads)
    raise click.ClickException(
        f"CachePolicy {policy.name} embeds at an endpoint, which this command does not call: a policy of builtin or "
        "onnx embedding can be tuned"
    )


def _tell(study: "Study", output: str, report: Path | None, patch: Path | None) -> None:
    import orjson
    from rich.console import Console

    from sluice_cli.tune import text
    from sluice_cli.tune.report import page

    if output == "json":
        click.echo(orjson.dumps(text.as_data(study), option=orjson.OPT_INDENT_2).decode())
    else:
        console = Console(highlight=False, soft_wrap=True)
        if not console.is_terminal:
            console.width = 120
        text.show(study, console)
    for path, content in ((report, page(study) if report else ""), (patch, text.patch_text(study))):
        if path is not None:
            try:
                path.write_text(content, encoding="utf-8")
            except OSError as error:
                raise click.ClickException(f"{path}: cannot be written: {error.strerror or error}") from None
            click.echo(f"written: {path}", err=True)
