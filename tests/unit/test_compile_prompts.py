"""A route's prompt rules and the sampling of its audits become sections of its Config."""

from typing import Any

from doubles.objects import custom, parsed, route, written
from sluice_operator.compile import compile  # noqa: A004
from sluice_sidecar.config import AuditSampling, Edit, PromptRules, Rewrite, Route

SECTION, OTHER = "sha256:" + "0" * 64, "sha256:" + "1" * 64
EDITS = [{"find": "please do always ", "replace": ""}]


def compiled(*more: dict[str, Any], **spec: Any) -> Route:
    return compile(parsed(route("r", custom("a"), **spec), *more)).config.routes["r"]


def audit(name: str, **sample: Any) -> dict[str, Any]:
    return written("PromptAudit", name, {"route": "r", "sample": sample, "ablation": {"against": "a", "judge": "a"}})


def test_budget_and_rewrites_are_carried_as_written() -> None:
    rewrites = [{"name": "short", "section": SECTION, "percent": 10, "edits": EDITS}]
    edits = (Edit(find="please do always ", replace=""),)
    assert compiled(prompt={"maxTokens": 8000, "rewrites": rewrites}).prompt == PromptRules(
        max_tokens=8000, rewrites=(Rewrite(name="short", section=SECTION, percent=10.0, edits=edits),)
    )


def test_a_route_that_says_nothing_of_prompts_has_neither_section() -> None:
    found = compiled()
    assert (found.prompt, found.audit, found.requires) == (None, None, ("single",))
    assert compiled(prompt={}).prompt is None


def test_only_a_rejected_budget_needs_a_gateway_that_knows_it() -> None:
    assert compiled(prompt={"maxTokens": 1, "onExceed": "Reject"}).requires == ("prompt", "single")
    assert compiled(prompt={"maxTokens": 1}).requires == ("single",)


def test_several_audits_keep_as_much_as_the_largest_and_black_out_what_any_does() -> None:
    found = compiled(audit("one", requests=50, redact=["Iban"]), audit("two", requests=90, redact=["Email"])).audit
    assert found == AuditSampling(requests=90, redact=("Email", "Iban"))


def test_two_rewrites_of_one_section_are_refused() -> None:
    rewrites = [{"name": name, "section": SECTION, "edits": EDITS} for name in ("first", "second")]
    found = compile(parsed(route("r", custom("a"), prompt={"rewrites": rewrites})))
    (error,) = found.errors
    assert (error.field, error.reason) == ("spec.prompt.rewrites[1].section", "SectionTaken")
    assert "r" not in found.config.routes


def test_rewrites_of_different_sections_are_not() -> None:
    rewrites = [{"name": name, "section": digest, "edits": EDITS} for name, digest in (("a", SECTION), ("b", OTHER))]
    rules = compiled(prompt={"rewrites": rewrites}).prompt
    assert rules is not None
    assert [one.name for one in rules.rewrites] == ["a", "b"]
