"""Recorded traffic with a known truth: asks of some classes, each answered by its class, a few answers at random."""

import json
import random
from pathlib import Path
from typing import Any

TOPICS = {
    "card_lost": ("I lost my {c} card", "my {c} card is missing", "somebody stole my {c} card",
                  "where did my {c} card go"),
    "refund": ("I want a refund for the {c} order", "give me my money back for the {c} order",
               "please refund my {c} order"),
    "opening_hours": ("when does the {c} branch open", "what are the opening hours of the {c} branch",
                      "until when is the {c} branch open"),
    "password": ("I forgot the password of my {c} account", "help me reset the {c} account password",
                 "my {c} account password does not work"),
    "delivery": ("when will my {c} parcel be delivered", "where is the {c} parcel that I ordered",
                 "my {c} parcel has not been delivered"),
    "invoice": ("send me the invoice for the {c} subscription", "I need an invoice of the {c} subscription",
                "where can I download the {c} subscription invoice"),
}  # fmt: skip
WORDS = ("red", "blue", "green", "silver", "golden", "black", "white", "old", "new", "second", "main", "small", "large")
LEADS = ("", "hello, ", "hi there, ", "please help: ", "good morning, ", "quick question: ", "hey, ", "dear team, ")
TAILS = ("", " please", " thanks", " as soon as possible", " again", " for my wife", " for my son")


def recorded(count: int, seed: int, noise: float) -> list[dict[str, Any]]:
    """That many lines, their texts all different; a share `noise` of the answers is another class."""
    chance = random.Random(seed)
    lines: dict[str, str] = {}
    while len(lines) < count:
        label = chance.choice(list(TOPICS))
        text = chance.choice(LEADS) + chance.choice(TOPICS[label]).format(c=chance.choice(WORDS)) + chance.choice(TAILS)
        lines.setdefault(text, chance.choice(list(TOPICS)) if chance.random() < noise else label)
    return [{"text": text, "answer": answer} for text, answer in lines.items()]


def written(path: Path, lines: list[Any]) -> Path:
    """The file with these lines."""
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path
