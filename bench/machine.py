"""What a figure was measured on."""

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PACKAGES = ("sluice-llm", "uvicorn", "uvloop", "httptools", "orjson", "onnxruntime", "qdrant-edge-py")
TOOLS = {"nginx": "-v", "wrk": "-v"}
"""Program -> the flag that makes it tell its version."""


def describe(packages: Iterable[str] = PACKAGES, tools: Mapping[str, str] = TOOLS) -> dict[str, Any]:
    """Machine, date, and the versions of these packages and programs."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in packages},
        "tools": {name: _said(name, flag) for name, flag in tools.items()},
        "load_before": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.processor()


def _said(program: str, *arguments: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise SystemExit(f"bench: {program} is missing; `make bench` installs it, or apt-get install {program}")
    said = subprocess.run([path, *arguments], capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d+(\.\d+)?", said.stderr + said.stdout)
    return found[0] if found else "unknown"
