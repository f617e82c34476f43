"""How the words of two asks are laid beside each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice_sidecar.cache.reuse.alignment import FEATURES, added, align, swapped
from sluice_sidecar.cache.reuse.facts import facts


def aligned(one: str, other: str) -> dict[str, float]:
    return dict(zip(FEATURES, align(facts(one), facts(other)), strict=True))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Write a poem about the sea", "Write a poem about the forest"),
        ("What are the causes of the war?", "What were the results of the war?"),
        ("Can I travel without a visa?", "Can she travel without a visa?"),
        ("Delete all of the photos", "Delete most of the photos"),
        ("Where can I renew my passport?", "When can I renew my passport?"),
        ("Tell me about our rights as tenants", "Tell me about their rights as tenants"),
        ("Which birds migrate?", "Which birds never migrate?"),
    ],
)
def test_one_thing_put_for_another_is_a_swap(one: str, other: str) -> None:
    assert swapped(facts(one), facts(other))
    assert swapped(facts(other), facts(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I close my account?", "How can I close my account?"),
        ("I need to verify my identity", "I need to verfiy my identity"),
        ("Who is the owner of the house?", "Who's the owner of the house?"),
        ("Turn off the room lights", "Please turn off my room light"),
        ("How far is 1,000 km on foot?", "How far is 1000 kilometers on foot?"),
        ("How do I buy a ticket?", "How do I purchase a ticket?"),
        ("Why is my card blocked?", "I would like to understand what has blocked the card that I own"),
    ],
)
def test_harmless_words_synonyms_and_slips_are_none(one: str, other: str) -> None:
    assert not swapped(facts(one), facts(other))


def test_what_both_say_and_what_one_says_in_anothers_place() -> None:
    same = aligned("How do I close my account?", "Please tell me how to close my account")
    assert same["alike"] == 1.0
    assert same["instead"] == same["replaced"] == same["moved"] == 0.0
    other = aligned("How do I close my account?", "How do I close my window?")
    assert other["alike"] < 1.0
    assert other["instead"] > 0.0
    assert other["replaced"] > 0.0


def test_words_that_change_places_have_moved() -> None:
    assert aligned("Does stress cause bad sleep?", "Does bad sleep cause stress?")["moved"] > 0.0


def test_persons_and_quantities_that_differ_are_told() -> None:
    found = aligned("Delete all my photos", "Delete photos")
    assert found["speaker"] == found["extent"] == 1.0


@given(st.text(max_size=60), st.text(max_size=60))
def test_it_is_symmetric_and_of_about_unit_size(one: str, other: str) -> None:
    there, back = align(facts(one), facts(other)), align(facts(other), facts(one))
    assert there == pytest.approx(back, abs=1.0)
    assert all(-1.0 <= value <= 2.0 for value in there)
    assert swapped(facts(one), facts(other)) == swapped(facts(other), facts(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I can't log in because I am locked out of the app", "I can't log in because you are locked out of the app"),
        ("The money was taken by the shop in the town today", "A loan was taken by the shop in our town today"),
        ("Is a bus faster than the train to Rome?", "Is a bus fastest than a train to Rome?"),
    ],
)
def test_what_is_put_for_another_is_found_wherever_else_the_texts_differ(one: str, other: str) -> None:
    assert swapped(facts(one), facts(other))
    assert swapped(facts(other), facts(one))


def test_a_word_put_in_is_an_addition_though_an_article_differs_too() -> None:
    one, other = (
        facts("Why is the top-up to the card still pending?"),
        facts("Why is a top-up to a stolen card still pending?"),
    )
    assert added(one, other)
    assert added(other, one)
