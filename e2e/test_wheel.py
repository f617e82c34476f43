"""What a user installs: the wheel, alone in an environment of its own, serves a request."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from sluice_cli.demo.service import served

ROOT = Path(__file__).parents[1]


@pytest.mark.timeout(900)
def test_the_wheel_alone_serves_the_quickstart(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    wheel = [
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--wheel-dir",
        str(tmp_path / "dist"),
    ]
    subprocess.run([*pip, *wheel, str(ROOT)], check=True, timeout=300)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    install = [*pip, "--python", str(python), "install", "--quiet", "--no-deps"]
    for lock in ("constraints-run.txt", "models.txt"):
        subprocess.run([*install, "--require-hashes", "-r", str(ROOT / lock)], check=True, timeout=600)
    (built,) = (tmp_path / "dist").glob("*.whl")
    subprocess.run([*install, "--no-index", str(built)], check=True, timeout=300)

    ask = {
        "model": "auto",
        "max_tokens": 32,
        "temperature": 0,
        "stop": ["\n", ". "],
        "messages": [{"role": "user", "content": "Say hello to a new customer."}],
    }
    with served(ROOT / "examples" / "quickstart.yaml", tmp_path, {}, python=python) as service:
        answers = [httpx.post(f"{service.base_url}/chat/completions", json=ask, timeout=120) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [answer.headers["x-sluice-cache"] for answer in answers] == ["miss", "identical"]
    first, second = (answer.json()["choices"][0]["message"]["content"] for answer in answers)
    assert first == second != ""
