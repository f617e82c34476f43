"""What may go out of a prompt, and what the prompt is without it."""

from sluice_sidecar.audit.candidates import candidates, without
from sluice_sidecar.audit.sections import prompt

TWICE = (
    "# A\nAlways answer in JSON with all fields. Be kind.\n\n# B\nBe brief. Always answer in JSON with all fields.\n"
)


def test_sections_come_first_then_compressions() -> None:
    found = candidates(prompt(TWICE))
    assert [one.title for one in found[:2]] == ["A", "B"]
    assert [one.id for one in found[2:]] == ["repeated-sentences"]


def test_a_repetition_stays_when_its_first_place_goes() -> None:
    given = prompt(TWICE)
    first, _, repeated = candidates(given)
    assert without(given, [repeated]) == "# A\nAlways answer in JSON with all fields. Be kind.\n\n# B\nBe brief."
    assert "Always answer in JSON" in without(given, [first, repeated])


def test_json_gets_compact_and_code_keeps_its_spaces() -> None:
    given = prompt('# A\n```json\n{\n  "a":  1\n}\n```\n# B\n```python\nif x:\n    y  = 1\n```\n')
    compact = next(one for one in candidates(given) if one.id == "compact-json")
    assert without(given, [compact]) == '# A\n```json\n{"a":1}\n```\n# B\n```python\nif x:\n    y  = 1\n```'
    assert "white-space" not in [one.id for one in candidates(given)]


def test_spare_white_space_goes() -> None:
    given = prompt("# A  \n\n\n\nText   here.\n# B\nMore.\n")
    spare = next(one for one in candidates(given) if one.id == "white-space")
    assert without(given, [spare]) == "# A\n\nText here.\n# B\nMore."


def test_a_prompt_of_one_section_has_none_to_leave_out() -> None:
    assert candidates(prompt("Answer in one word.")) == ()


def test_nothing_gone_is_the_prompt_itself() -> None:
    given = prompt(TWICE)
    assert without(given, []) == TWICE
