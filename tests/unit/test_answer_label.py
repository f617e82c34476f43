"""Short answers: read out of what is said around them, and told apart only where they are names of a set."""

import pytest

from sluice_sidecar.cache.answers.gist import gist
from sluice_sidecar.cache.answers.same import same

WORDINGS = ("The answer is [{}].", "Sure: [{}].", "Here you go, [{}].", "That would be [{}].", "[{}]")
KEYS = (
    "card_arrival", "Refund_not_showing_up", "oos-oos_val-0", "d6f352633b04", "001716816161", "123456789012",
    "12e456789012", "balance", "bill_balance", "unknown 0a1b2c3d4e5f", "are_you_a_bot", "yes", "null", "true",
    "1.5", "timeout", "what_is_your_name", "a", "list",
)  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_every_wording_of_one_key_is_one_label(key: str) -> None:
    read = [gist(wording.format(key)) for wording in WORDINGS]
    assert len({(one.kind, one.core) for one in read}) == 1
    assert read[0].kind == ("number" if key == "1.5" else "label")


def test_two_keys_differ_in_every_wording() -> None:
    for one in KEYS:
        for other in KEYS:
            for first in WORDINGS:
                told = same(gist(first.format(one)), gist(WORDINGS[0].format(other)))
                assert told is (one == other), (one, other, first)


@pytest.mark.parametrize(
    "text",
    [
        "positive",
        "Positive.",
        "**Positive**",
        '"positive"',
        "`positive`",
        "Label: positive",
        "The sentiment is positive.",
        "The sentiment of this review is positive.",
        "Sure! The answer is: positive",
        "I would classify this as positive.",
        "This falls into the category: positive",
        "Sentiment: positive\nReason: the guest praises the food.",
        "Based on the text, the sentiment is positive.",
    ],
)
def test_what_is_said_around_a_label_does_not_count(text: str) -> None:
    assert (gist(text).kind, gist(text).core) == ("label", "positive")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("positive", "negative"),
        ("spam", "not spam"),
        ("yes", "no"),
        ("True", "False"),
        ("A", "B"),
        ("Paris", "Lyon"),
        ("card_arrival", "card_linking"),
        ("C", "C++"),
        ("relevant", "not relevant"),
        ("3", "4"),
        ("Jane Austen", "42"),
        ("gpt-4.1", "gpt-4.1-mini"),
        ("-5", "5"),
    ],
)
def test_names_of_a_set_differ(one: str, other: str) -> None:
    assert same(gist(one), gist(other)) is False


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("New York", "New York City"),
        ("NYC", "New York City"),
        ("refund", "refunds"),
        ("Yes", "Correct"),
        ("A. Einstein", "Albert Einstein"),
        ("Einstein", "Albert Einstein"),
        ("Yes.", "Yes, you can do that by phone."),
        ("Paris", "It is the city of Paris, which lies in the north."),
    ],
)
def test_what_may_be_one_thing_by_two_names_is_left_open(one: str, other: str) -> None:
    assert same(gist(one), gist(other)) is None


@pytest.mark.parametrize(
    ("one", "other"), [("card arrival", "card_arrival"), ("Müller", "Muller"), ("J. K. Rowling", "JK Rowling")]
)
def test_spelling_does_not_count(one: str, other: str) -> None:
    assert same(gist(one), gist(other)) is True


@pytest.mark.parametrize(
    "text", ["Paris is the capital of France.", "You can pay by card or cash", "It depends on the day"]
)
def test_a_short_sentence_is_no_label(text: str) -> None:
    assert gist(text).kind == "prose"


def test_yes_and_no_contradict_whatever_is_said_after_them() -> None:
    assert same(gist("No."), gist("Yes, you can do that by phone.")) is False
    assert same(gist("Yes, but only on weekdays."), gist("Yes, you can do that by phone.")) is None
