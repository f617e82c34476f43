import re
import subprocess
from pathlib import Path

from doubles.components import program

ROOT = Path(__file__).parents[3]


def test_make_alone_lists_every_target_that_a_person_runs() -> None:
    listed = subprocess.run([program("make")], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    shown = set(re.findall(r"^([a-z0-9-]+) +\S", listed, re.MULTILINE))
    assert {"demo", "test", "lint", "fmt", "docs", "e2e", "bench", "lock", "clean", "crds"} <= shown


def test_the_scripts_are_valid_shell_and_may_be_run() -> None:
    for script in [*ROOT.glob("tools/*.sh"), ROOT / ".ci" / "run"]:
        subprocess.run(["bash", "-n", str(script)], check=True)
        assert script.stat().st_mode & 0o100, script
