"""What neighbours that mean another thing tell of the one that means the same."""

from sluice_sidecar.ask import Usage
from sluice_sidecar.cache.entry import Entry
from sluice_sidecar.cache.reuse.paraphrase import LOOKED, Paraphrase
from sluice_sidecar.cache.reuse.strategy import Neighbour, Proposal


def near(text: str, group: str, similarity: float) -> Neighbour:
    return Neighbour(Entry("", "", "", "", "", text, b"", Usage(), 0.0, 0.0, 0.0, 0.0, group), similarity)


def proposed(text: str, *neighbours: Neighbour) -> Proposal:
    found = Paraphrase().propose(text, neighbours, lambda _: 0.0)
    assert found is not None
    return found


def feature(proposal: Proposal, name: str) -> float:
    return proposal.features[Paraphrase.FEATURES.index(name)]


def test_a_nearer_ask_that_means_another_thing_speaks_against() -> None:
    ask = "How do I close my account?"
    alone = proposed(ask, near("How can I close my account?", "close", 0.9))
    beside = proposed(
        ask, near("How do I open my account?", "open", 0.95), near("How can I close my account?", "close", 0.94),
        near("I want to close my account", "close", 0.93),
    )  # fmt: skip
    assert feature(alone, "nearer") == 0.0
    assert feature(beside, "nearer") == 1.0
    assert feature(beside, "ahead") < feature(alone, "ahead")


def test_equal_contents_in_other_words_are_exact() -> None:
    ask = "How do I close my account?"
    assert feature(proposed(ask, near("How can I close my account?", "close", 0.95)), "exact") == 1.0
    assert feature(proposed(ask, near("Please help me with my account", "close", 0.95)), "exact") == 0.0


def test_only_the_first_members_of_a_group_are_read() -> None:
    others = [near(f"How do I open account {place}?", "all", 0.95) for place in range(LOOKED)]
    assert proposed("How do I close my account?", *others, near("How can I close my account?", "all", 0.9)).refused
