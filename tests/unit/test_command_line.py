"""`sluice` lists its commands without importing them."""

import subprocess
import sys

from click.testing import CliRunner

from sluice_cli.main import COMMANDS, main


def test_help_lists_every_command() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert all(name in result.output for name in COMMANDS)


def test_help_imports_no_command_and_no_library_that_is_slow_to_load() -> None:
    code = (
        "import sys, click.testing, sluice_cli.main as m\n"
        "click.testing.CliRunner().invoke(m.main, ['--help'], catch_exceptions=False)\n"
        "print(*sorted({'pydantic', 'yaml', 'rich', 'numpy', 'sluice_operator'} & set(sys.modules)))"
    )
    done = subprocess.run(  # a process of its own: this one has imported everything
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(sys.path)}
    )
    assert done.stdout.strip() == ""


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(main, ["--version"]).output.startswith("sluice, version ")


def test_an_unknown_command_is_refused() -> None:
    assert CliRunner().invoke(main, ["plann"]).exit_code == 2
