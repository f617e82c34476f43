"""A stranger's first minute: a clean clone, an empty HOME, `make demo`, nothing installed by hand."""

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.timeout(1800)
def test_make_demo_succeeds_in_a_clean_clone_with_an_empty_home(tmp_path: Path) -> None:
    clone, home, result = tmp_path / "clone", tmp_path / "home", tmp_path / "demo.json"
    home.mkdir()
    subprocess.run(["git", "-c", f"safe.directory={ROOT}", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("VIRTUAL_ENV", "VENV", "PYTHON", "MAKE", "OPENAI_", "ANTHROPIC_", "SLUICE_"))
    }
    environment = kept | {"HOME": str(home)}
    make = ["make", "--directory", str(clone), "--no-print-directory"]
    subprocess.run([*make, "setup"], env=environment, stdin=subprocess.DEVNULL, check=True, timeout=900)
    demo = subprocess.run(
        [*make, "demo", f"ARGS=--json {result}"],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    figures = json.loads(result.read_bytes())
    direct, sluice = figures["direct"], figures["sluice"]
    assert direct["requests"] == sluice["requests"] >= 60
    assert sluice["hits"]["identical"] > 0
    assert sluice["hits"]["paraphrase"] > 0
    assert float(sluice["cost"]) < float(direct["cost"])
    assert figures["cost_is"] == "simulated"
    assert "stand-in" in demo.stdout
    assert figures["seconds"] < 300
