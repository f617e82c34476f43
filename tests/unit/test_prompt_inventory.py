"""Prompts are counted by wording and template; slots are learned, and a change of what stays is told."""

from typing import Any

import pytest

from sluice_sidecar.audit.inventory import PROMPTS, TEMPLATES, Inventory, Note
from sluice_sidecar.audit.model import digest

ROLE = "# Role\nYou are a helper of the shop and you answer in one short and friendly sentence.\n\n"
RULES = "# Rules\nNever promise a refund. Never give legal advice. Always name the order number.\n\n"
DAY = 86_400.0


def note(text: str, at: float = 1000.0, route: str = "main", tokens: int | None = None, **more: Any) -> Note:
    length = len(text) // 4 if tokens is None else tokens
    return Note(**{"route": route, "text": text, "tenant": "acme", "at": at, "tokens": length, "exact": False,
                   "spend": 10, "cost": 40, **more})  # fmt: skip


def dated(day: int) -> str:
    return f"{ROLE}# Today\nIt is day {day}.\n\n{RULES}"


def test_a_prompt_is_counted_with_its_quantiles() -> None:
    seen = Inventory()
    for tokens in [100] * 90 + [900] * 10:
        seen.spent("main", 40)
        seen.add([note("A", tokens=tokens)])
    (one,) = seen.shown()
    assert one["tokens"] == {"mean": 180.0, "p50": 100, "p95": 900, "estimated": True}
    assert (one["requests"], one["share_of_spend"], one["tenants"]) == (100, 0.25, {"acme": 100})


def test_wordings_that_share_their_sections_are_one_template_with_a_slot() -> None:
    seen = Inventory()
    assert seen.add([note(dated(day)) for day in range(30)]) == []
    (one,) = seen.shown()
    assert (one["requests"], one["variants"]) == (30, 30)
    assert one["slots"] == sorted(f"# Today It is day {day}." for day in range(1, 30))


def test_wordings_that_share_their_words_are_one_template() -> None:
    seen = Inventory()
    words = "You help {} with the parcels of the shop, in one sentence, politely and without promises of any kind."
    seen.add([note(words.format(name)) for name in ("Ann", "Bob", "Cem")])
    assert [one["variants"] for one in seen.shown()] == [3]


def test_other_prompts_and_other_routes_are_other_templates() -> None:
    seen = Inventory()
    seen.add([note(ROLE), note("Translate into French what the user writes, word by word."), note(ROLE, route="b")])
    assert len(seen.shown()) == 3


def test_a_change_of_what_stayed_is_drift_once() -> None:
    seen = Inventory()
    seen.add([note(ROLE + RULES)] * 25)
    changed = ROLE + RULES.replace("Never promise", "Always promise")
    (drift,) = seen.add([note(changed, at=2000.0)])
    assert (drift.route, drift.digest, drift.at) == ("main", digest(changed), 2000.0)
    assert drift.sections == ("# Rules Always promise a refund. Never give legal advice. Al",)
    assert seen.add([note(changed), note(ROLE + RULES)]) == []


def test_a_slot_that_changes_is_no_drift() -> None:
    seen = Inventory()
    assert seen.add([note(dated(day // 10)) for day in range(100)]) == []


def test_growth_is_from_the_first_day_to_the_last() -> None:
    seen = Inventory()
    seen.add([note(ROLE, at=DAY, tokens=100), note(ROLE + RULES, at=3 * DAY, tokens=150)])
    assert seen.shown()[0]["growth"] == pytest.approx(0.5)


def test_personal_data_in_a_prompt_is_not_kept() -> None:
    seen = Inventory()
    seen.add([note(ROLE + "# Customer\nMail a.canary@example.com.\n")] * 2)
    seen.add([note(ROLE + "# Customer\nMail b.canary@example.com.\n")])
    rows = str(list(seen.plain())) + str(seen.shown())
    assert "canary" not in rows
    assert "[EMAIL 1]" in rows
    assert {one.redacted for one in seen.wordings.values()} == {True}


def test_a_clean_prompt_is_kept_to_the_letter() -> None:
    seen = Inventory()
    text = ROLE + "# Sprache\nAntworte auf Deutsch: größer, ½, ﬁ.\n"
    seen.add([note(text)])
    (one,) = seen.wordings.values()
    assert (one.text, one.redacted, one.digest) == (text, False, digest(text))


def test_what_is_kept_is_bounded() -> None:
    seen = Inventory()
    seen.add([note(ROLE)] * 50)
    for n in range(PROMPTS + 300):
        seen.add([note(f"{ROLE}# Today\n{n}\n"), note(f"a{n} b{n} c{n} d{n}")])
    assert len(seen.wordings) <= PROMPTS
    assert len(seen.templates) <= TEMPLATES
    assert seen.shown()[0]["requests"] >= 50 + PROMPTS + 300


def test_it_is_restored_as_it_was() -> None:
    seen, again = Inventory(), Inventory()
    seen.spent("main", 7)
    seen.add([note(ROLE + RULES)] * 25)
    seen.add([note(ROLE)])
    again.restore((what, data, route) for what, route, _, data in seen.plain())
    again.restore([("wording", {"of": "another release"}, "main")])
    assert (again.shown(), again.drifts) == (seen.shown(), seen.drifts)


@pytest.mark.parametrize("text", [" ", "\n", "x" * 400_000, "<a>" * 5000, "# \u202e\u0645\u0631\u062d\u0628\u0627\n"])
def test_odd_prompts_are_taken(text: str) -> None:
    seen = Inventory()
    seen.add([note(text), note(text)])
    assert seen.shown()[0]["requests"] == 2
