from decimal import Decimal
from io import StringIO

import orjson
import pytest
from rich.console import Console

from sluice_cli.demo.judge import Verdict
from sluice_cli.demo.report import Result, as_data, show
from sluice_cli.demo.summary import Summary
from sluice_cli.demo.workload import Step

ASKED = Step("iceland", "support", "Do you ship to Iceland?", "near miss")
STORED = Step("norway", "support", "Do you ship to Norway?", "first")
WRONG = Verdict(ASKED, STORED, "Yes [bold]we[/bold] do.", "No.", 0.951, ("intent",), 0.0)
RIGHT = Verdict(STORED, STORED, "Yes.", "Yes.", 0.99, (), 1.0)


def summary(cost: str, **hits: int) -> Summary:
    backends = {"large": 150 - sum(hits.values())}
    return Summary(150, 0.25, 0.2, 0.6, 9000, 1200, Decimal(cost), hits, backends, {"large": 0.5, "identical": 0.002})


def result(*verdicts: Verdict, provider: str | None = None) -> Result:
    return Result(
        direct=summary("0.04"),
        sluice=summary("0.01", identical=50, paraphrase=2),
        verdicts=verdicts,
        near_misses=9,
        near_misses_served=1,
        rates={"first": 0.5, "repeat": 0.5},
        similarity="0.94",
        provider=provider,
        seconds=100.0,
    )


def printed(of: Result) -> str:
    out = StringIO()
    show(of, Console(file=out, width=100))
    return " ".join(out.getvalue().split())


def test_every_wrong_hit_is_shown_with_both_questions() -> None:
    text = printed(result(WRONG, RIGHT))
    assert "asked again: 2. Wrong: 1 (95 %:" in text
    assert "Do you ship to Iceland?" in text
    assert "answered as: Do you ship to Norway?" in text
    assert "[bold]" in text


def test_the_report_says_that_there_is_no_proven_bound_and_that_the_cost_is_simulated() -> None:
    text = printed(result())
    assert "plain similarity of 0.94" in text
    assert "no proven bound" in text
    assert "the cost is simulated" in text
    assert "-75%" in text


def test_with_a_provider_the_cost_is_not_called_simulated() -> None:
    text = printed(result(provider="gpt-4.1-mini"))
    assert "simulated" not in text
    assert "list prices" in text


@pytest.mark.parametrize("provider", [None, "gpt-4.1-mini"])
def test_the_result_is_data_too(provider: str | None) -> None:
    data = orjson.loads(orjson.dumps(as_data(result(WRONG, provider=provider))))
    assert data["direct"]["cost"] == "0.04"
    assert data["paraphrase"]["verdicts"][0]["grounds"] == ["intent"]
    assert data["cost_is"] == ("computed from list prices" if provider else "simulated")
