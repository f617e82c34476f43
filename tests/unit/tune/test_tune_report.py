"""The HTML page needs nothing else, and texts in it stay texts."""

import re
from xml.etree import ElementTree

from doubles.cached import policy
from doubles.replayed import proposed
from sluice_cli.tune.curves import Counts, cosine_curve, strategy_curve
from sluice_cli.tune.data import Data
from sluice_cli.tune.plot import Axis, Line, plot
from sluice_cli.tune.recommend import Choice, judge
from sluice_cli.tune.report import page
from sluice_cli.tune.savings import Saving
from sluice_cli.tune.study import Plan, Study
from sluice_cli.tune.text import notes

NASTY = '<script>alert("x")</script>&'


def study(name: str = "support", saving: Saving | None = None) -> Study:
    rows = [[proposed(score=0.9 + n / 5000, wrong=n % 50 == 0) for n in range(400)]]
    finding = judge(Choice("label", True, 0.9), rows, [[]], 0.05)
    data = Data((), 800, {NASTY: 3})
    together = Counts(400.0, 100.0, 1.0)
    plan = Plan(policy(name=name, label=True), ["label"], 0.05)
    curves = [strategy_curve(rows, "label"), cosine_curve(rows)]
    saving = saving or Saving(None, None, why_no_cost="no prices")
    return Study(plan, data, 1, curves, [finding], Counts(400.0), together, 20.0, {"label": 17.0}, saving)


def test_the_page_asks_for_nothing_from_elsewhere() -> None:
    html = page(study())
    assert not re.findall(r"(?:src|href|url\(|@import|https?:)", html)
    assert "prefers-color-scheme: dark" in html


def test_texts_are_escaped() -> None:
    html = page(study(NASTY))
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_the_page_is_well_formed_and_has_its_plots() -> None:
    body = page(study()).split("\n", 1)[1]
    body = re.sub(r"<meta[^>]*>", "", body)
    tree = ElementTree.fromstring(body)
    assert len(list(tree.iter("svg"))) == 3
    assert all(svg.get("aria-label") for svg in tree.iter("svg"))
    assert "maxFalsePerHit" in "".join(tree.itertext())


def test_points_lie_where_their_values_are_and_never_outside() -> None:
    axis = Axis("x", 0.0, 1.0, str)
    svg = ElementTree.fromstring(plot("t", axis, axis, [Line("l", [(0.0, 0.0), (0.5, 1.0), (7.0, -3.0)], 0)]))
    dots = [(float(dot.get("cx", "")), float(dot.get("cy", ""))) for dot in svg.iter("circle")]
    assert dots[0][0] < dots[1][0] < dots[2][0]
    assert dots[0][1] > dots[1][1]
    assert dots[2] == (624.0, dots[0][1])


def test_what_a_hit_saves_is_told_where_it_is_known() -> None:
    known = " ".join(notes(study(saving=Saving(0.8, 0.002, "EUR"))))
    assert "A call took 0.8 s (median); 25.0 % of the asks are spared it" in known
    assert "0.4000 are saved per 1,000 asks" in known
    assert "What it saves is not known: no prices" in " ".join(notes(study()))


def test_a_strategy_that_stayed_closed_is_told() -> None:
    assert "label was still closed at the end; about 17 more right proposals would open it." in list(notes(study()))
