"""How a layout puts fields, parties and line items on lines: one set of choices, whatever the values."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

Field = tuple[str, str]
"""Label and text; the label of an optional field is left out with it."""


@dataclass(frozen=True)
class Style:
    """The choices of one layout."""

    fields: str
    parties: str
    table: str
    wraps: bool
    rulers: bool
    width: int
    indent: int


def style(rng: Random) -> Style:
    """Any."""
    return Style(
        rng.choice(("colon", "colon", "aligned", "grid", "pairs", "spaced")),
        rng.choice(("below", "beside", "inline", "label column")),
        rng.choice(("wide", "wide", "right", "bars", "tight")),
        rng.random() < 0.25,
        rng.random() < 0.4,
        rng.choice((72, 80, 96)),
        rng.choice((0, 0, 1, 4)),
    )


def header(how: Style, fields: Sequence[Field]) -> list[str]:
    """The lines of labelled fields."""
    if how.fields == "colon":
        return [f"{label}: {text}" for label, text in fields]
    if how.fields == "aligned":
        return [f"{label:<26}: {text}" for label, text in fields]
    if how.fields == "spaced":
        return [f"{label:<30}{text}" for label, text in fields]
    lines = []
    if how.fields == "pairs":
        for first in range(0, len(fields), 2):
            left, *right = fields[first : first + 2]
            line = f"{left[0]}: {left[1]}"
            lines.append(f"{line:<{max(how.width // 2, len(line) + 2)}}{right[0][0]}: {right[0][1]}" if right else line)
        return lines
    for first in range(0, len(fields), 3):
        part = fields[first : first + 3]
        size = max(how.width // 3, *(len(text) + 2 for field in part for text in field))
        lines += ["".join(f"{label:<{size}}" for label, _ in part), "".join(f"{text:<{size}}" for _, text in part), ""]
    return lines


def parties(how: Style, blocks: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    """Name and address blocks."""
    lines: list[str] = []
    if how.parties == "inline":
        return [f"{label}: {', '.join(block)}" for label, block in blocks]
    if how.parties == "label column":
        for label, block in blocks:
            size = max(24, len(label) + 2)
            lines += [f"{label if place == 0 else '':<{size}}{line}" for place, line in enumerate(block)] + [""]
        return lines
    if how.parties == "beside" and len(blocks) > 1:
        (left, first), (right, second), *rest = blocks
        size = max(how.width // 2, *(len(line) + 2 for line in first))
        lines.append(f"{left:<{size}}{right}")
        for place in range(max(len(first), len(second))):
            one, two = (block[place] if place < len(block) else "" for block in (first, second))
            lines.append(f"{one:<{size}}{two}")
        return [*lines, "", *(parties(how, [rest[0]]) if len(rest) == 1 else [])]
    for label, block in blocks:
        lines += [label + (":" if how.fields == "colon" else ""), *block, ""]
    return lines


def table(how: Style, heads: Sequence[str], rows: Sequence[Sequence[str]], rights: Sequence[bool]) -> list[str]:
    """A heading and one line a row; a long text may wrap onto a second line."""
    if how.table == "tight":
        return [" ".join(heads), *(" ".join(row) for row in rows)]
    widths = [
        max(len(head), 22 if not right and place < 2 else 10)
        for place, (head, right) in enumerate(zip(heads, rights, strict=True))
    ]
    lines = []
    for row in (heads, *rows):
        cells, more = [], []
        for text, width, right in zip(row, widths, rights, strict=True):
            first, rest = text, ""
            if how.wraps and len(text) > width - 4 and not right and " " in text:
                first, rest = text.rsplit(" ", 1)
            cells.append(f"{first:>{width}}" if right else f"{first:<{width}}")
            more.append(f"{rest:<{width}}")
        joined = " | " if how.table == "bars" else "  "
        edge = "| " if how.table == "bars" else ""
        lines.append(f"{edge}{joined.join(cells)}{' |' if edge else ''}")
        if any(part.strip() for part in more):
            lines.append(f"{edge}{joined.join(more)}{' |' if edge else ''}")
        if row is heads and how.rulers:
            lines.append("-" * len(lines[-1]))
    return lines


def totals(how: Style, fields: Sequence[Field]) -> list[str]:
    """Amounts at the foot."""
    if how.table == "tight":
        return [f"{label}: {text}" for label, text in fields]
    if how.table in {"wide", "bars"}:
        return [f"{label:>{how.width - 30}}{text:>18}" for label, text in fields]
    return [f"{label:<40}{text:>16}" for label, text in fields]


PROMPTS = (
    ("Extract the fields of this document as JSON.\n\n", ""),
    (
        "You read business documents. Return only JSON, no comments.\n\nDocument:\n---\n",
        "\n---\nUse null for what is not there.",
    ),
    ("", "\n\nReturn a JSON object with the fields above."),
    ("<document>\n", "\n</document>\nAnswer with JSON. Dates: YYYY-MM-DD."),
    ("", ""),
)


def compose(how: Style, prompt: tuple[str, str], sections: Sequence[Sequence[str]]) -> str:
    """The text that is asked."""
    lines = [
        " " * how.indent + line.rstrip() if line.strip() else "" for section in sections for line in (*section, "")
    ]
    return prompt[0] + "\n".join(lines).rstrip() + prompt[1]
