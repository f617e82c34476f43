"""What makes a section of a prompt."""

import time

import pytest

from sluice_sidecar.audit.sections import LONG, MOST, sections

MIXED = """You are a support agent for Acme.

Be kind to everyone.

## Rules
- one
- two

<tone>
Warm.
</tone>

Example 1:
User: hi
Assistant: hello

User: what is it
Assistant: a thing
with more lines

Always answer in JSON.
```json
# not a heading
{"a": 1}
```
Last.
"""


def test_structure_decides() -> None:
    found = [(part.kind, part.title) for part in sections(MIXED)]
    assert found == [
        ("paragraph", "You are a support agent for Acme."),
        ("paragraph", "Be kind to everyone."),
        ("heading", "Rules"),
        ("element", "<tone>"),
        ("example", "Example 1:"),
        ("example", "User: what is it"),
        ("paragraph", "Always answer in JSON."),
    ]


def test_markers_of_the_author_outweigh_everything() -> None:
    text = "Intro.\n<!-- section: refunds -->\n# Head\n\nText.\n[[section: tone]]\nWarm.\n"
    assert [(part.kind, part.title) for part in sections(text)] == [
        ("paragraph", "Intro."),
        ("marker", "refunds"),
        ("marker", "tone"),
    ]


def test_a_marker_in_a_fence_is_text() -> None:
    text = "# One\n```\n<!-- section: no -->\n# no\n```\n# Two\nText.\n"
    assert [part.title for part in sections(text)] == ["One", "Two"]


def test_an_unclosed_element_is_no_section() -> None:
    assert [part.kind for part in sections("Say <name> first.\n<open>\ntext\n")] == ["paragraph"]


def test_a_long_section_is_divided_at_blank_lines() -> None:
    body = "\n\n".join(f"Paragraph {n} " + "of words " * 30 for n in range(8))
    parts = sections(f"# Head\n{body}\n")
    assert len(f"# Head\n{body}\n") > LONG
    assert parts[0].kind == "heading"
    assert {part.kind for part in parts[1:]} == {"paragraph"}
    assert len(parts) == 8


def test_one_paragraph_is_one_section() -> None:
    assert len(sections("Answer briefly. " * 400)) == 1
    assert sections("") == ()


def test_a_repeated_section_gets_a_number() -> None:
    first, second = sections("# A\nSame.\n# A\nSame.\n")
    assert second.id == f"{first.id}-2"
    assert first.digest == second.digest


def test_two_hundred_thousand_tokens_are_few_sections() -> None:
    text = "".join(f"# Topic {n}\n{'word ' * 40}\n" for n in range(4_000))
    assert MOST // 2 < len(sections(text)) <= MOST


@pytest.mark.parametrize("line", ["<a>", "<a{n}>", "<a>x</a>", "User: hi", "Example {n}:", "x\n", "# T", "```"])
def test_a_long_prompt_of_any_structure_is_read_in_one_go(line: str) -> None:
    """Not a benchmark: reading that looks back or ahead for each line takes minutes here."""
    text = "".join(line.format(n=n) + "\n" for n in range(40_000))
    before = time.process_time()
    parts = sections(text)
    assert len(parts) <= MOST
    assert parts[-1].end == len(text)
    assert time.process_time() - before < 30.0
