"""Free text: a claim that differs makes another answer; an embedding decides only where none does."""

import pytest

from sluice_sidecar.cache.answers.gist import gist
from sluice_sidecar.cache.answers.same import ALIKE, APART, EQUAL, same


def told(one: str, other: str, cosine: float | None) -> bool | None:
    return same(gist(one), gist(other), None if cosine is None else lambda: cosine)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("You can cancel within 24 hours of placing it.", "You can cancel within 48 hours of placing it."),
        ("The warranty covers water damage.", "The warranty does not cover water damage."),
        ("Yes, you can take the bike on the train.", "No, you can take no bike on the train."),
        ("Take the medicine before your meals.", "Take the medicine after your meals."),
        ("Lyon is the capital of France today.", "Paris is the capital of France today."),
        ("The train goes from Oslo to Rome every day.", "The train goes from Rome to Oslo every day."),
        ("Use `git stash` to put changes aside.", "Use `git reset` to put changes aside."),
        ("The library closes at 8 pm on Fridays.", "The library closes at 9 pm on Fridays."),
        ("The invoice is due on 5 January 2026.", "The invoice is due on 15 January 2026."),
        ("It costs 20 dollars to ship a parcel.", "It costs 20 euros to ship a parcel."),
        ("Your order will be delivered by Thursday.", "Your order will be delivered after Thursday."),
    ],
)
def test_a_claim_that_differs_makes_another_answer(one: str, other: str) -> None:
    assert told(one, other, None) is False


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Paris is the capital of France.", "The capital of France is Paris."),
        ("Sure! The museum is free for all. Let me know if you have questions!", "The museum is free for all."),
        ("The library closes at 8 pm on Fridays.", "On Fridays the library closes at 20:00."),
        ("The invoice is due on 5 January 2026.", "The invoice is due on January 5, 2026."),
        ("The trial lasts 2 weeks for new users.", "For new users the trial lasts 14 days."),
        ("Fleming discovered penicillin in 1928.", "Penicillin was discovered by Fleming in 1928."),
    ],
)
def test_other_words_for_the_same_claims_are_decided_by_meaning(one: str, other: str) -> None:
    assert told(one, other, EQUAL) is True
    assert told(one, other, APART - 0.01) is (gist(one).text == gist(other).text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Dogs often chase cats here.", "Cats often chase dogs here."),
        ("Lists are mutable, while tuples are immutable.", "Lists are immutable, while tuples are mutable."),
        ("Mix two parts of sand with one part of cement.", "Mix one part of sand with two parts of cement."),
        ("Call the seller first; then open a dispute.", "Open a dispute first; then call the seller."),
        ("The parcel takes 5 days.", "The parcel takes some days."),
        ("The manager approved it by 5 votes, Alice says.", "It was approved, Alice says."),
    ],
)
def test_no_embedding_makes_the_same_of_what_claims_leave_open(one: str, other: str) -> None:
    assert told(one, other, 0.99) is not True


def test_a_word_in_anothers_place_needs_all_but_equal_embeddings() -> None:
    one, other = "The hotel offers free breakfast to guests.", "The hotel offers free parking to guests."
    assert told(one, other, EQUAL - 0.01) is None


def test_between_the_thresholds_nothing_is_decided() -> None:
    one, other = "The pool is open in summer.", "In summer the pool is open to the guests."
    assert told(one, other, (ALIKE + APART) / 2) is None
    assert told(one, other, float("nan")) is None
    assert told(one, other, None) is None


def test_a_judge_is_asked_only_where_nothing_else_tells() -> None:
    asked: list[tuple[str, str]] = []

    def judge(one: str, other: str) -> bool | None:
        asked.append((one, other))
        return True

    open_, closed = gist("The pool is open in summer."), gist("The pool is open in summer, in July at least.")
    assert same(open_, closed, lambda: 0.7, judge) is True
    assert asked == [(open_.text, closed.text)]
    assert same(open_, gist("The pool is not open in summer."), lambda: 0.99, judge) is False
    assert len(asked) == 1


@pytest.mark.parametrize("text", ["Right-click the icon and choose Copy.", "No fee is charged for this at all."])
def test_a_first_word_is_no_verdict_by_itself(text: str) -> None:
    assert told("Yes, the wrong one was chosen here.", text, None) is None


def test_long_texts_are_left_open() -> None:
    assert told("The sum is 5. " * 2000, "The sum is 6. " * 2000, None) is None
