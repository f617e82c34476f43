"""What is recommended, and what is said where the data cannot tell."""

import json
from pathlib import Path

import pytest

from doubles.objects import policy
from doubles.replayed import proposed
from sluice_cli.files import check
from sluice_cli.tune.recommend import Choice, Verdict, choose, judge, patch
from sluice_cli.tune.replay import Outcome


def many(count: int, *, wrong: int = 0, score: float = 0.99, similarity: float = 0.9) -> list[Outcome]:
    return [proposed(score=score, wrong=n < wrong, similarity=similarity) for n in range(count)]


def test_the_lowest_threshold_that_keeps_the_bound_is_chosen() -> None:
    rows = [many(200, score=0.999) + many(100, wrong=1, score=0.95) + many(100, wrong=20, score=0.8)]
    assert choose(rows, "label", 0.01) == Choice("label", True, 0.82)


def test_a_good_stretch_below_a_bad_one_is_not_chosen() -> None:
    rows = [many(100, wrong=20, score=0.999) + many(5000, score=0.95)]
    assert choose(rows, "label", 0.01).threshold > 1.0


def test_a_strategy_whose_surest_proposals_are_wrong_is_turned_off() -> None:
    choice = choose([many(100, wrong=20, score=0.999)], "label", 0.01)
    assert not choice.on
    assert "20 of its 100 surest proposals" in choice.why_off
    assert judge(choice, [[]], [[]], 0.01).verdict == "refuted"


def test_a_least_similarity_is_set_where_scores_alone_do_not_keep_the_bound() -> None:
    rows = [[proposed("paraphrase", wrong=True, similarity=0.72) for _ in range(20)]
            + [proposed("paraphrase", similarity=0.9) for _ in range(100)]]  # fmt: skip
    choice = choose(rows, "paraphrase", 0.01)
    assert (choice.on, choice.similarity) == (True, 0.75)
    assert choose(rows, "label", 0.01).similarity is None


@pytest.mark.parametrize(
    ("labels", "wrong", "verdict", "words"),
    [
        (400, 0, "shown", "with 95 % confidence"),
        (180, 0, "not shown", "with 180 held-out labels an error of at most 1 % cannot be shown even with none wrong; "
                              "about 299 are needed"),
        (400, 3, "not shown", "too few labels to tell an error of 1 % from more"),
        (400, 40, "refuted", "more than 1 %"),
    ],
)  # fmt: skip
def test_what_the_held_out_part_can_show(labels: int, wrong: int, verdict: Verdict, words: str) -> None:
    finding = judge(Choice("label", True, 0.9), [many(labels, wrong=wrong)], [[]], 0.01)
    assert finding.verdict == verdict
    assert words in finding.reason


def test_wrong_answers_in_the_replay_count_against_it_as_well() -> None:
    given = [[proposed(wrong=n < 20, served=True) for n in range(100)]]
    assert judge(Choice("label", True, 0.9), [many(400)], given, 0.01).verdict == "refuted"


def test_hits_that_cannot_be_compared_prove_nothing() -> None:
    finding = judge(Choice("label", True, 0.9), [[proposed(wrong=None) for _ in range(500)]], [[]], 0.01)
    assert (finding.verdict, finding.expected.hits, finding.expected.judged) == ("not shown", 500, 0)
    assert finding.expected.error_interval == (0.0, 1.0)


def test_counts_of_several_orders_are_means_so_that_intervals_are_of_one() -> None:
    one = judge(Choice("label", True, 0.9), [many(400, wrong=2)], [[]], 0.01)
    three = judge(Choice("label", True, 0.9), [many(400, wrong=2)] * 3, [[]] * 3, 0.01)
    assert three.expected == one.expected


def test_the_patched_policy_is_a_valid_one_that_does_what_was_found(tmp_path: Path) -> None:
    good = judge(Choice("paraphrase", True, 0.9, 0.75), [[proposed("paraphrase") for _ in range(400)]], [[]], 0.015)
    bad = judge(Choice("label", True, 0.9), [many(400, wrong=100)], [[]], 0.015)
    written = policy("p", workload="Auto")
    written["spec"] |= patch([bad, good], 0.015)["spec"]
    (tmp_path / "p.yaml").write_text(json.dumps(written))
    checked = check([tmp_path])
    assert not checked.errors
    made = checked.compiled.config.policies["p"]
    assert made.paraphrase is not None
    assert (made.bound, made.label, made.paraphrase.similarity) == (0.015, False, 0.75)


def test_a_similarity_that_is_not_needed_is_taken_away() -> None:
    finding = judge(Choice("paraphrase", True, 0.9), [[proposed("paraphrase") for _ in range(400)]], [[]], 0.01)
    assert patch([finding], 0.01)["spec"]["reuse"]["paraphrase"] == {"enabled": True, "similarity": None}
