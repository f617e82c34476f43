"""A prompt's sections tile it, whatever it holds, and keep their names when something else changes."""

from hypothesis import given
from hypothesis import strategies as st

from sluice_sidecar.audit.sections import MOST, sections

LINES = st.sampled_from(
    [
        *(
            "",
            "# Head",
            "## Two ##",
            "text",
            "<a>",
            "</a>",
            "<rules>",
            "</rules>",
            "```",
            "~~~",
            "- item",
            "\u2028",
            "\x0c",
        ),
        *("User: hi", "Assistant: yes", "Example 1:", "<!-- section: one -->", "[[section: two]]", "日本語", "شكرا"),
    ]
)
TEXTS = st.one_of(st.text(max_size=400), st.lists(LINES, max_size=60).map("\n".join))


@given(TEXTS)
def test_sections_tile_the_prompt(text: str) -> None:
    parts = sections(text)
    assert "".join(text[part.start : part.end] for part in parts) == text
    assert all(part.start < part.end for part in parts)
    assert len({part.id for part in parts}) == len(parts) <= MOST


@given(st.lists(st.integers(0, 30), min_size=2, max_size=8, unique=True))
def test_a_section_keeps_its_name_when_another_changes(topics: list[int]) -> None:
    before = sections("".join(f"# Topic {n}\nText of {n}.\n" for n in topics))
    after = sections("# New\nNew text.\n" + "".join(f"# Topic {n}\nText  of {n}.\n" for n in topics[1:]))
    assert [part.id for part in after[1:]] == [part.id for part in before[1:]]
