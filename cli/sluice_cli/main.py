"""`sluice`: the command line. Each command's module is imported when the command runs, so `sluice --help` is quick."""

import importlib

import click

from sluice_sidecar.version import __version__

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("sluice_cli.run:run", "Serve files of kinds on this machine."),
    "plan": ("sluice_cli.plan:plan", "Check files of kinds and show what they would serve."),
    "windows": ("sluice_cli.windows:windows", "Show when the BatchWindows of files open."),
    "batch": ("sluice_cli.batch.command:batch", "Queue files of requests at a gateway; follow and fetch them."),
    "crds": ("sluice_cli.crds:crds", "Write the CustomResourceDefinitions of the kinds."),
    "cache": ("sluice_cli.cache.command:cache", "Look into a gateway's cache; purge, fill and move it."),
    "tune": ("sluice_cli.tune.command:tune", "Find a CachePolicy's setting by replaying recorded asks."),
    "audit": ("sluice_cli.audit.command:audit", "Find the sections of a prompt that the model does not need."),
    "demo": ("sluice_cli.demo.command:demo", "Ask one workload directly and through Sluice, with real models."),
}
"""Command -> where it is, and what it does in a line."""


class Commands(click.Group):
    """A group that imports a command only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, in the order in which a user meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands in `--help`, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sluice")
def main() -> None:
    """Fast and cheap LLM applications without touching their code."""


if __name__ == "__main__":
    main()
