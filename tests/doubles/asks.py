"""Pairs of asks for the paraphrase veto: near misses, which must not share an answer, and paraphrases, which may."""

from pathlib import Path

HERE = Path(__file__).parent


def near_misses() -> list[tuple[str, str, str]]:
    """(kind, ask, ask): the two look alike and want different answers."""
    rows = (line.split("\t") for line in (HERE / "near_misses.tsv").read_text("utf-8").splitlines())
    return [(kind, one, other) for kind, one, other in rows]


def paraphrases() -> list[tuple[str, str]]:
    """(ask, ask): two wordings of one ask."""
    rows = (line.split("\t") for line in (HERE / "paraphrases.tsv").read_text("utf-8").splitlines())
    return [(one, other) for one, other in rows]


def collisions() -> list[tuple[str, str]]:
    """(victim's ask, an ask for something else): the embedding takes them for one, made by a search for that."""
    rows = (line.split("\t") for line in (HERE / "collisions.tsv").read_text("utf-8").splitlines())
    return [(victim, crafted) for victim, crafted in rows]
