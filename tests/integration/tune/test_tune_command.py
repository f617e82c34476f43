"""`sluice tune` on recorded asks whose truth is known, with the real embedding model."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from doubles.cached import policy as plain_policy
from doubles.components import require
from doubles.objects import policy
from doubles.recordings import recorded, written
from sluice_cli.main import main
from sluice_cli.tune.curves import from_score, served
from sluice_cli.tune.data import content, read
from sluice_cli.tune.replay import CLOSED, Run, replay
from sluice_cli.tune.vectors import embedded, wanted
from sluice_sidecar.cache import minilm_onnx
from sluice_sidecar.cache.embed import MiniLM

BOUND, NOISE, TRAINING, FRESH = 0.06, 0.015, 560, 380


@pytest.fixture(scope="module", autouse=True)
def _model() -> None:
    try:
        minilm_onnx.ready()
    except minilm_onnx.ModelMissing as error:
        require(present=False, what="the embedding model", cure=str(error))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Kinds, and asks of which the last ones are kept back as what comes later."""
    folder = tmp_path_factory.mktemp("tune")
    (folder / "kinds.yaml").write_text(json.dumps(policy("intents", workload="Classification")))
    lines = recorded(TRAINING + FRESH, 5, NOISE)
    written(folder / "asks.jsonl", list(lines[:TRAINING]))
    written(folder / "later.jsonl", list(lines))
    return folder


def arguments(folder: Path) -> list[str]:
    return ["tune", "intents", "-f", str(folder / "kinds.yaml"), "--data", str(folder / "asks.jsonl"),
            "--bound", str(BOUND), "--orders", "1"]  # fmt: skip


def tune(folder: Path, *more: str) -> Any:
    return CliRunner().invoke(main, [*arguments(folder), "--work", str(folder / "work"), *more], catch_exceptions=False)


@pytest.fixture(scope="module")
def found(folder: Path) -> dict[str, Any]:
    """What the command says."""
    result = tune(folder, "-o", "json", "--report", str(folder / "r.html"), "--patch", str(folder / "p.yaml"))
    assert result.exit_code == 0, result.output
    said: dict[str, Any] = json.loads(result.stdout)
    return said


async def later(folder: Path, bound: float) -> Run:
    """The asks that were studied and then those that came later, through the same cache."""
    kept = plain_policy(name="intents", ttl=30 * 86_400.0, label=True, bound=bound)
    data = read("later", content(folder / "later.jsonl"), kept)
    model = MiniLM()
    try:
        await model.load()
        table = await embedded(wanted(data.asks), model, folder / "more", model.identity, lambda _: None)
    finally:
        model.close()
    return await replay(data.asks, range(TRAINING + FRESH), table, kept, 0, lambda _: None)


async def test_on_fresh_asks_the_error_of_the_recommended_setting_lies_in_its_interval(
    folder: Path, found: dict[str, Any]
) -> None:
    (finding,) = found["findings"]
    assert (finding["strategy"], finding["on"], finding["verdict"]) == ("label", True, "shown")
    missed, given = await later(folder, CLOSED), await later(folder, BOUND)
    fresh = from_score([missed.outcomes[TRAINING:]], "label", finding["threshold"])
    low, high = finding["expected"]["wrongPerHit95"]
    assert fresh.judged > 150
    assert fresh.error is not None
    assert low <= fresh.error <= high <= BOUND
    reused = served([given.outcomes[TRAINING:]], "label")
    assert reused.hits > 60
    assert reused.error is not None
    assert reused.error <= BOUND


def test_the_whole_is_written(folder: Path, found: dict[str, Any]) -> None:
    assert found["data"]["used"] == TRAINING
    assert {curve["name"] for curve in found["curves"]} == {"label", "plain cosine"}
    assert "<svg" in (folder / "r.html").read_text()
    assert "maxFalsePerHit: '0.06'" in (folder / "p.yaml").read_text()


def test_started_again_it_computes_nothing_and_says_the_same(folder: Path, found: dict[str, Any]) -> None:
    files = {path: path.stat().st_mtime_ns for path in (folder / "work").rglob("*") if path.is_file()}
    assert json.loads(tune(folder, "-o", "json").stdout) == found
    assert {path: path.stat().st_mtime_ns for path in (folder / "work").rglob("*") if path.is_file()} == files


def test_killed_and_started_again_it_goes_on(folder: Path, found: dict[str, Any]) -> None:
    work = folder / "killed"
    command = [sys.executable, "-m", "sluice_cli.main", *arguments(folder), "--work", str(work)]
    with subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": ":".join(sys.path)}, stdout=subprocess.DEVNULL
    ) as process:
        while not list(work.glob("vectors/*[0-9a-f].npy")):
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.02)
            assert process.returncode is None, "it ended before it could be killed"
        process.kill()
    before = {path: path.stat().st_mtime_ns for path in work.glob("vectors/*[0-9a-f].npy")}
    assert len(before) < len(list((folder / "work").glob("vectors/*.npy")))
    result = tune(folder, "-o", "json", "--work", str(work))
    assert json.loads(result.stdout) == found
    assert all(path.stat().st_mtime_ns == at for path, at in before.items())


def test_a_person_reads_curves_recommendation_and_patch(folder: Path, found: dict[str, Any]) -> None:
    said = tune(folder).stdout
    for words in (
        "560 of 560 lines used",
        "label, by score",
        "plain cosine, by similarity",
        "Recommended",
        "kubectl patch",
    ):
        assert words in said
