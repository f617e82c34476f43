"""The near-miss suite's generator, on a folder of data sets as small as can be."""

import json
from pathlib import Path

import numpy as np
import pytest

from bench.near_misses.groups import swap
from bench.near_misses.pair import SAME, Pair
from bench.near_misses.play import ASKED, stream, suite
from bench.near_misses.prompts import prompts
from bench.near_misses.suite import counts, near_misses, paraphrases
from bench.near_misses.written import written

ASKS = (
    "When was the bridge over the river built?", "Write a short poem about the sea", "Give me three tips for my garden",
    "How do I open an account in London?", "Which of these animals are nocturnal?",
    "What is the tallest tower in Paris?",
)  # fmt: skip


@pytest.fixture
def datasets(tmp_path: Path) -> Path:
    folder = tmp_path / "dolly_instructions"
    folder.mkdir()
    rows = "".join(json.dumps({"instruction": text}) + "\n" for text in ASKS)
    (folder / "dolly_instructions.jsonl").write_text(rows)
    return tmp_path


def test_every_kind_is_there_and_no_pair_is_twice_the_same_ask(datasets: Path) -> None:
    made = near_misses(datasets)
    assert set(counts(made)) == {
        "number", "negation", "antonym", "date", "entity", "unit", "language", "roles", "order", "question", "pronoun",
        "quantity", "comparative", "scope",
    }  # fmt: skip
    assert all(pair.one.casefold() != pair.other.casefold() for pair in made)
    assert any(pair.one in ASKS for pair in made)
    assert near_misses(datasets) == made


def test_paraphrases_are_made_by_rules_and_taken_from_a_file(datasets: Path, tmp_path: Path) -> None:
    given = tmp_path / "given.tsv"
    given.write_text("Where is it?\tWhere's it?\n")
    made = paraphrases(datasets, given)
    assert Pair(SAME, "given", "Where is it?", "Where's it?") in made
    assert {pair.kind for pair in made} == {SAME}
    assert any(pair.one in ASKS for pair in made)


def test_a_folder_without_data_is_told(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="--datasets"):
        prompts(tmp_path)


@pytest.mark.parametrize(
    ("group", "text", "new"),
    [
        ("today tomorrow", "What is on Today?", "What is on Tomorrow?"),
        ("next_week last_week", "Plan for next week", "Plan for last week"),
        ("my his", "Where is my MY?", "Where is his MY?"),
        ("cat dog", "Concatenate two strings", None),
    ],
)
def test_a_word_of_a_group_gives_way_to_another(group: str, text: str, new: str | None) -> None:
    assert swap(group)(text, 0.0) == new


def test_what_is_asked_first_is_no_part_of_the_mixture() -> None:
    pairs = [*[*written()][:40], Pair(SAME, "given", "Is Anna in?", "is anna in")]
    made = suite(pairs, {}, lambda texts: np.zeros((len(texts), 384), np.float32))
    asks, kinds = stream(made, 0)
    first = kinds.count(ASKED)
    assert set(kinds[:first]) == {ASKED}
    assert ASKED not in kinds[first:]
    assert len(set(asks.texts)) == len(asks.texts)
    keys = dict(zip(asks.texts, asks.keys, strict=True))
    assert keys["Is Anna in?"] == keys["is anna in"]
    assert all(keys[pair.one] != keys[pair.other] for pair in pairs if pair.kind != SAME)


def test_a_near_miss_of_which_the_data_say_that_it_is_the_same_is_left_out() -> None:
    pairs = [Pair("entity", "", "Pay by card", "Pay by account"), Pair("entity", "", "Pay by card", "Pay by cow")]
    known = {"Pay by card": "pay", "Pay by account": "pay"}
    made = suite(pairs, known, lambda texts: np.zeros((len(texts), 384), np.float32))
    assert [made.texts[other] for _, _, other in made.pairs] == ["Pay by cow"]
