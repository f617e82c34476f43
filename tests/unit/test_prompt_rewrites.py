"""An approved wording replaces the exact text that it was approved for: all of it, or none."""

import itertools

import pytest

from doubles.cached import ask as asked
from sluice_sidecar.ask import Ask
from sluice_sidecar.audit.model import digest
from sluice_sidecar.audit.prompts import prompts
from sluice_sidecar.audit.rewrites import LINES, LONGEST, Rewrites, draw
from sluice_sidecar.audit.sections import sections
from sluice_sidecar.config import Edit, Rewrite

PROMPT = (
    "# Role\nYou are a helper of the shop.\n\n# Tone\nAlways be very very polite, please.\n\n# Rules\nNo refunds.\n"
)
ROLE, TONE, RULES = sections(PROMPT)
POLITE = Rewrite(
    name="polite", section=TONE.digest, edits=(Edit(find="very very ", replace=""), Edit(find=", please", replace=""))
)


def ask(prompt: str = PROMPT, text: str = "Hi") -> Ask:
    return asked(text, messages=[{"role": "system", "content": prompt}, {"role": "user", "content": text}])


def said(rewrites: Rewrites, one: Ask, tenant: str = "acme") -> str:
    return prompts(rewrites.apply(one, tenant).ask)[0]


def test_a_section_of_that_digest_is_edited() -> None:
    done = Rewrites([POLITE]).apply(ask(), "acme")
    assert done.names == ("polite",)
    assert prompts(done.ask) == (PROMPT.replace("very very ", "").replace(", please", ""),)


def test_a_whole_prompt_of_that_digest_is_replaced_and_its_sections_are_left_alone() -> None:
    whole = Rewrite(name="whole", section=digest(PROMPT), text="Help.")
    done = Rewrites([POLITE, whole]).apply(ask(), "acme")
    assert (done.names, prompts(done.ask)) == (("whole",), ("Help.",))


@pytest.mark.parametrize("at", range(TONE.start, TONE.end - 1))
def test_a_section_that_differs_in_one_character_is_left_alone(at: int) -> None:
    changed = ask(PROMPT[:at] + "~" + PROMPT[at + 1 :])
    assert Rewrites([POLITE]).apply(changed, "acme").ask is changed


def test_where_one_edit_finds_nothing_none_is_made() -> None:
    half = POLITE.model_copy(update={"edits": (*POLITE.edits, Edit(find="not there", replace=""))})
    one = ask()
    assert Rewrites([half]).apply(one, "acme").ask is one


def test_a_stopped_rewrite_is_not_made() -> None:
    one = ask()
    assert Rewrites([POLITE]).apply(one, "acme", {"polite"}).ask is one


def test_a_share_of_conversations_gets_it_and_keeps_it() -> None:
    rewrites = Rewrites([POLITE.model_copy(update={"percent": 30.0})])
    got = 0
    for n in range(1000):
        first, later = ask(text=f"Question {n}"), ask(text=f"Question {n}")
        later.body["messages"] += [{"role": "assistant", "content": "Yes?"}, {"role": "user", "content": str(n)}]
        done = rewrites.apply(first, "acme")
        assert done.names == rewrites.apply(later, "acme").names
        assert done.names + done.without == ("polite",)
        got += bool(done.names)
    assert 250 <= got <= 350


def test_who_gets_the_smaller_share_gets_the_larger_too() -> None:
    wide = Rewrite(name="wide", section=ROLE.digest, percent=60, edits=(Edit(find=" of the shop", replace=""),))
    rewrites = Rewrites([POLITE.model_copy(update={"percent": 20.0}), wide])
    names = {rewrites.apply(ask(text=str(n)), "acme").names for n in range(300)}
    assert names == {(), ("wide",), ("polite", "wide")}


def test_tenants_draw_apart() -> None:
    draws = {draw(ask(), f"tenant-{n}") for n in range(50)}
    assert len(draws) == 50
    assert all(0 <= one < 100 for one in draws)


def test_prompts_that_end_alike_are_not_mixed_up() -> None:
    tail = "\n\n" + PROMPT[TONE.start :]
    rewrites = Rewrites([POLITE])
    texts = [f"{letter} says:{tail}" for letter in "abcdefghijkl"]
    for text in itertools.chain(texts, texts):
        assert said(rewrites, ask(text)) == text.replace("very very ", "").replace(", please", "")


def test_no_section_is_looked_for_in_a_prompt_that_would_keep_others_waiting() -> None:
    rewrites = Rewrites([POLITE])
    for text in (PROMPT + "x" * LONGEST, PROMPT + "\n" * LINES, "<a>\n" * 200_000):
        assert rewrites.places(text) == ()


def test_a_whole_prompt_of_any_length_is_replaced() -> None:
    long = PROMPT * 5000
    rewrites = Rewrites([Rewrite(name="whole", section=digest(long), text="Help.")])
    assert said(rewrites, ask(long)) == "Help."


def test_what_is_remembered_is_bounded() -> None:
    rewrites = Rewrites([POLITE])
    for n in range(2000):
        rewrites.places("x" * n)
    assert sum(len(alike) for alike in rewrites._known.values()) <= 512
