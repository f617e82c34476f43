"""The operator's image has every part of the gateway's code that the operator imports: it copies no more than that."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
LOADED = (
    "import sys, sluice_operator.main; "
    "print(*(module.__file__ for name, module in sys.modules.items() if name.partition('.')[0] == 'sluice_sidecar'))"
)


def test_what_the_operator_imports_is_copied() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        env={"PYTHONPATH": f"{ROOT / 'operator'}:{ROOT / 'sidecar'}"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    imported = {str(Path(file).relative_to(ROOT)) for file in done.stdout.split()}
    copied = set(re.findall(r"sidecar/sluice_sidecar/\S+\.py", (ROOT / "images" / "operator.Dockerfile").read_text()))
    assert imported <= copied
