"""`sluice tune` says what is wrong and how to mend it, before any work."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from doubles.objects import policy
from doubles.recordings import recorded, written
from sluice_cli.main import main


def tune(folder: Path, name: str = "p", *more: str) -> Result:
    arguments = ["tune", name, "-f", str(folder / "kinds.yaml"), "--data", str(folder / "asks.jsonl"), *more]
    return CliRunner().invoke(main, [*arguments, "--work", str(folder / "work")])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "kinds.yaml").write_text(json.dumps(policy("p", workload="Classification")))
    written(tmp_path / "asks.jsonl", list(recorded(60, 1, 0.0)))
    return tmp_path


def test_a_policy_that_is_not_there(folder: Path) -> None:
    result = tune(folder, "q")
    assert result.exit_code == 1
    assert "no CachePolicy 'q' in these files; there are: p" in result.stderr


def test_kinds_that_are_refused(folder: Path) -> None:
    (folder / "kinds.yaml").write_text(json.dumps(policy("p", workload="Clasification")))
    result = tune(folder)
    assert result.exit_code == 1
    assert "did you mean Classification?" in result.stderr


def test_too_few_asks(folder: Path) -> None:
    written(folder / "asks.jsonl", list(recorded(12, 1, 0.0)))
    assert "12 asks can be used; at least 40 are needed" in tune(folder).stderr


def test_data_with_problems(folder: Path) -> None:
    written(folder / "asks.jsonl", ["{", {"text": "a"}])
    result = tune(folder)
    assert result.exit_code == 1
    assert "asks.jsonl:1: not JSON" in result.stderr
    assert "asks.jsonl:2: answer: missing" in result.stderr


def test_a_policy_of_identical_reuse_alone(folder: Path) -> None:
    (folder / "kinds.yaml").write_text(json.dumps(policy("p", workload="Custom", ttl="1h")))
    assert "name what to study with --strategy" in tune(folder).stderr


def test_an_embedding_endpoint_is_not_called(folder: Path) -> None:
    embedding = {"openAI": {"url": "https://api.example.com/v1", "model": "m", "dimensions": 384}}
    (folder / "kinds.yaml").write_text(json.dumps(policy("p", workload="Classification", embedding=embedding)))
    assert "embeds at an endpoint, which this command does not call" in tune(folder).stderr


@pytest.mark.parametrize("more", [("--bound", "0"), ("--bound", "nan"), ("--held-out", "1"), ("--orders", "0")])
def test_options_outside_their_range(folder: Path, more: tuple[str, str]) -> None:
    assert tune(folder, "p", *more).exit_code in (1, 2)
    assert not (folder / "work").exists()


def test_data_from_nowhere_or_from_two_places(folder: Path) -> None:
    assert "either --data FILE or --from-traffic" in tune(folder, "p", "--from-traffic").stderr
    nowhere = CliRunner().invoke(main, ["tune", "p", "-f", str(folder / "kinds.yaml")])
    assert (nowhere.exit_code, "either --data FILE or --from-traffic" in nowhere.stderr) == (2, True)


def test_a_gateway_that_is_not_there(folder: Path) -> None:
    arguments = ["tune", "p", "-f", str(folder / "kinds.yaml"), "--from-traffic", "--admin", "http://127.0.0.1:9"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "nothing listens at http://127.0.0.1:9" in result.stderr
