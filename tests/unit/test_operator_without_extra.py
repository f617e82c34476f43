"""Without the extra `operator` its program says what to install, in one line."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def started_without(module: str) -> subprocess.CompletedProcess[str]:
    """The program where `module` cannot be imported."""
    code = f"import sys; sys.modules[{module!r}] = None; from sluice_operator.__main__ import main; sys.exit(main())"
    path = f"{ROOT / 'operator'}:{ROOT / 'sidecar'}"
    return subprocess.run(
        [sys.executable, "-c", code, "--help"], env={"PYTHONPATH": path}, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("module", ["kopf", "kubernetes", "aiohttp", "cryptography"])
def test_it_says_what_to_install(module: str) -> None:
    done = started_without(module)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"sluice-operator: there is no {module}")
    assert line.endswith("pip install 'sluice-llm[operator]'")


def test_another_missing_module_is_not_taken_for_it() -> None:
    done = started_without("pydantic")
    assert done.returncode == 1
    assert "No module named" in done.stderr or "import of pydantic halted" in done.stderr


def test_with_all_of_it_there_is_help() -> None:
    done = started_without("nothing_of_that_name")
    assert done.returncode == 0
    assert "SLUICE_WATCH_NAMESPACES" in done.stdout
