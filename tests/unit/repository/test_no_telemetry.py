"""Nothing that runs here reports to anybody: the ONNX runtime is loaded in one place, which silences it first."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LOADS = "sidecar/sluice_sidecar/cache/onnx_runtime.py"
AFTER = "sidecar/sluice_sidecar/cache/minilm_onnx.py"
"""Imports parts of the runtime, after `runtime()` loaded it."""


def imports(path: Path) -> bool:
    names = [
        name
        for node in ast.walk(ast.parse(path.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    ]
    return any(name.split(".")[0] == "onnxruntime" for name in names)


def test_the_runtime_is_imported_where_it_is_silenced_alone() -> None:
    found = {
        str(path.relative_to(ROOT))
        for part in ("sidecar", "operator", "cli", "bench", "e2e")
        for path in (ROOT / part).rglob("*.py")
        if imports(path)
    }
    assert found == {LOADS, AFTER}


def test_the_switch_is_set_before_the_library_is_loaded() -> None:
    pytest.importorskip("onnxruntime")
    code = (
        "import os, sys\n"
        "class Seen:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'onnxruntime': print(os.environ.get('ORT_DISABLE_TELEMETRY'))\n"
        "sys.meta_path.insert(0, Seen())\n"
        "from sluice_sidecar.cache.onnx_runtime import runtime\n"
        "runtime()\n"
    )
    environ = {**os.environ, "ORT_DISABLE_TELEMETRY": "0"}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1"]
