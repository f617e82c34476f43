"""A patch's edits make exactly the shorter prompt, by the gateway's own hand, whatever went and in whatever script."""

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice_sidecar.audit.candidates import candidates, without
from sluice_sidecar.audit.patch import LONGEST, MOST, edits
from sluice_sidecar.audit.rewrites import edited
from sluice_sidecar.audit.sections import prompt
from sluice_sidecar.config import Edit, Rewrite

LINES = st.sampled_from(
    ["# Tone", "# Rückgabe", "Be brief.", "Be brief.  Be kind.", "常に日本語で答えてください。", "", "", "  ",
     "لا تعد بشيء أبدا.", "```json", '{ "a": 1,  "b": [1, 2] }', "```", "<rules>", "</rules>",
     "Never promise a refund to anybody at all.", "User: hi", "Assistant: hello", "[[section: A]]",
     "a\u2028b", "x" * 200]
)  # fmt: skip
TEXTS = st.lists(LINES, min_size=1, max_size=40).map("\n".join)


def applied(made: tuple[Edit, ...], text: str) -> str | None:
    return edited(Rewrite(name="r", section="sha256:" + "0" * 64, edits=made), text)


@settings(deadline=None, max_examples=300)
@given(TEXTS, st.data())
def test_edits_make_the_shorter_prompt_and_each_place_is_the_only_one(text: str, data: st.DataObject) -> None:
    given = prompt(text)
    gone = data.draw(st.lists(st.sampled_from(candidates(given)), unique=True)) if candidates(given) else []
    shorter = without(given, gone)
    made = edits(text, shorter)
    assert made is not None  # these prompts are too small for a ConfigMap
    assert len(made) <= MOST
    assert all(len(edit.find) <= LONGEST for edit in made)
    now = text
    for edit in made:
        assert now.count(edit.find) == 1
        now = now.replace(edit.find, edit.replace)
    assert now == shorter
    assert applied(made, text) == shorter if made else shorter == text


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="ab \n", min_size=1, max_size=60), st.text(alphabet="ab \n", max_size=60))
def test_any_text_into_any_other(text: str, other: str) -> None:
    made = edits(text, other)
    if made is not None:
        now = text
        for edit in made:
            assert now.find(edit.find, now.find(edit.find) + 1) == -1
            now = now.replace(edit.find, edit.replace)
        assert now == other


@settings(deadline=None, max_examples=100)
@given(TEXTS)
def test_a_wording_comes_back_from_yaml_to_the_letter(text: str) -> None:
    assert yaml.safe_load(yaml.safe_dump({"find": text}, allow_unicode=True, sort_keys=False)) == {"find": text}
