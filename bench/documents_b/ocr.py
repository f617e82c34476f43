"""A model of what a scanner and its OCR do to a line of a receipt."""

from random import Random

LIKE = {"0": "O", "1": "l", "5": "S", "8": "B", "2": "Z", "6": "b"}
"""Letters that a digit is taken for; a reader sees through that."""
DIGITS = {"3": "8", "1": "7", "6": "5", "9": "4", "0": "6"}
"""Digits that a digit is taken for; nobody sees that without adding up."""
LETTERS = {
    "O": "0", "I": "1", "l": "1", "S": "5", "B": "8", "e": "c", "a": "o", "n": "u", "m": "rn", "E": "F", "T": "7",
}  # fmt: skip
DUST = ".'`,-"


def scanned(rng: Random, text: str, rate: float, *, solid: bool = False) -> tuple[str, str]:
    """The text as misread, and as a careful reader of the misread text gives it back.

    `rate` is the share of characters that go wrong; `solid` keeps characters from being lost (amounts, dates).
    """
    seen, understood = [], []
    for char in text:
        if rng.random() >= rate:
            seen.append(char)
            understood.append(char)
            continue
        if char.isdigit():
            if rng.random() < 0.1:
                other = DIGITS.get(char, char)
                seen.append(other)
                understood.append(other)
            else:
                seen.append(LIKE.get(char, char))
                understood.append(char)
        elif char == "." and rng.random() < 0.5:
            seen.append(rng.choice((",", " ", ". ")))
            understood.append(char)
        elif char == " ":
            seen.append(rng.choice(("", "  ")))
            understood.append(char)
        else:
            if not (rng.random() < 0.2 and not solid):
                seen.append(LETTERS.get(char, char.lower() if char.isupper() else char))
            understood.append(char)
    return "".join(seen), "".join(understood)


def dusty(rng: Random, line: str, rate: float) -> str:
    """A line with specks read as signs at its ends, or shifted."""
    if rng.random() < 4 * rate:
        line = " " * rng.randint(1, 2) + line
    if rng.random() < 2 * rate:
        line = f"{line} {rng.choice(DUST)}" if rng.random() < 0.5 else f"{rng.choice(DUST)}{line}"
    return line
