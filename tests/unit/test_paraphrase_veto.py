"""Each rule of the veto, and what it lets pass."""

import pytest

from sluice_sidecar.cache.reuse.veto import RULES, disagreements


@pytest.mark.parametrize(
    ("rule", "one", "other"),
    [
        ("number", "What is 15 percent of 480?", "What is 12 percent of 480?"),
        ("number", "Can I return it after thirty days?", "Can I return it after sixty days?"),
        ("number", "Who was the 16th president?", "Who was the 26th president?"),
        ("number", "Is a budget of 10k enough?", "Is a budget of 10 enough?"),
        ("number", "List three uses of salt", "List uses of salt"),
        ("unit", "How tall is it in meters?", "How tall is it in feet?"),
        ("unit", "Is $20 too much?", "Is €20 too much?"),
        ("unit", "Is 5 kg heavy?", "Is 5 lb heavy?"),
        ("time", "Is the bank open on Monday?", "Is the bank open on Tuesday?"),
        ("time", "Wake me at 6:30 am", "Wake me at 6:30 pm"),
        ("time", "Show sales of next week", "Show sales of last week"),
        ("time", "Bills dated 2024-03-01", "Bills dated 2024-01-03"),
        ("name", "What did Anna say?", "What did Peter say?"),
        ("name", "weather in paris please", "weather in london please"),
        ("name", "What does error E1101 mean?", "What does error E1102 mean?"),
        ("literal", "Define the word 'affect'", "Define the word 'effect'"),
        ("literal", "Read https://a.example/1", "Read https://a.example/2"),
        ("literal", "Mail anna@example.com", "Mail anne@example.com"),
        ("literal", "Explain `x = 1`", "Explain `x = 2`"),
        ("operator", "What is a + b in Python?", "What is a * b in Python?"),
        ("negation", "Which foods are safe?", "Which foods are not safe?"),
        ("negation", "I can log in", "I can't log in"),
        ("negation", "Coffee with sugar", "Coffee without sugar"),
        ("opposite", "How do I enable backups?", "How do I disable backups?"),
        ("opposite", "How do I turn on backups?", "How do I turn off backups?"),
        ("opposite", "Cars that cost more than mine", "Cars that cost less than mine"),
        ("switch", "turn the lights on", "turn the lights off"),
        ("sole", "Countries that border France", "Countries that only border France"),
        ("question", "When was it built?", "Where was it built?"),
        ("question", "Is my card blocked?", "Why is my card blocked?"),
        ("question", "How long is the flight?", "How much is the flight?"),
        ("modality", "Should I sell the house?", "Can I sell the house?"),
        ("tense", "Who is the president?", "Who was the president?"),
        ("role", "A train from Paris to London", "A train to Paris from London"),
        ("order", "Did Spain beat Italy?", "Did Italy beat Spain?"),
        ("order", "Can a snake eat a frog?", "Can a frog eat a snake?"),
        ("order", "Sort the table by name, then by date", "Sort the table by date, then by name"),
        ("order", "The lake is nice as a summer place", "The summer is nice as a lake place"),
        ("unit", "Save 10% of $20", "Save 10 dollars of $20"),
        ("asked", "When do I change my PIN?", "How do I change my PIN?"),
        ("wanted", "When was my card blocked?", "Why does it say that the card was stopped?"),
        ("person", "The app thinks that I am myself", "The app thinks that I am yourself"),
        ("edit", "Write a poem about the sea", "Write a poem about the forest"),
        ("edit", "How do I reset my password?", "How do I reset my admin password?"),
        ("language", "Where is the bank?", "Wo ist die Bank?"),
        ("language", "What time is it in Moscow?", "Который час в Москве?"),
    ],
)
def test_a_disagreement_is_found(rule: str, one: str, other: str) -> None:
    assert rule in disagreements(one, other)
    assert rule in disagreements(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I reset my password?", "Please tell me how to reset my password"),
        ("Can I return an item after 30 days?", "can i return an item after thirty days"),
        ("Is 1,000 km far?", "Is 1000 kilometers far?"),
        ("Is it open at 5 pm on Mon?", "Is it open at 5:00pm on Monday?"),
        ("Why isn't my card working?", "Why is my card not working?"),
        ("What is the river's length?", "What is the length of the river?"),
        ("How do I update my email?", "How can I change my e-mail?"),
        ("Who painted the Mona Lisa?", "who painted the mona lisa"),
        ("How Do I Open A Savings Account?", "How do I open a savings account?"),
        ("What are the steps to open an account?", "How do I open an account?"),
    ],
)
def test_another_wording_passes(one: str, other: str) -> None:
    assert disagreements(one, other) == ()


def test_reasons_come_in_one_order() -> None:
    found = disagreements("Why did Anna not sell 5 cars today?", "When did Peter buy 6 cars tomorrow?")
    names = [name for name, _ in RULES]
    assert found == tuple(sorted(found, key=names.index))
    assert found[:3] == ("number", "time", "name")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("My card was stolen in town, what should I do?", "What should I do, my card was stolen in town?"),
        ("Delete the first three events", "Delete the first 3 events"),
    ],
)
def test_a_clause_put_first_and_a_figure_written_out_are_no_difference(one: str, other: str) -> None:
    assert not set(disagreements(one, other)) & {"order", "number"}
