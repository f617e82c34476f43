"""An audit takes out what nothing needs, never what a request needs, and says what it could not show."""

from collections.abc import Iterable

import pytest

from doubles.audited import Equal, Notes, Oracle, Part, part, stage, tokens
from sluice_sidecar.audit.audit import Terms, audit, enough
from sluice_sidecar.audit.model import Answer, Busy, Prompt, Sample, Unanswered
from sluice_sidecar.audit.report import Report, read

SAMPLES = 330


async def run(
    given: Prompt, samples: list[Sample], oracle: Oracle, notes: Notes | None = None, terms: Terms | None = None
) -> Report:
    return await audit(given, samples, oracle, Equal(), terms or Terms(), notes or Notes(), count=tokens)


def titles(report: Report, verdict: str) -> set[str]:
    return {one.title for one in report.findings if one.verdict == verdict}


PARTS: tuple[Part, ...] = (
    part(0, 1.0),
    part(1),
    part(2, 0.3, ("refund",)),
    part(3),
    part(4),
    part(5, 0.1, ("customs",)),
    part(6),
)


async def test_dead_sections_go_and_needed_ones_stay() -> None:
    report = await run(*stage(PARTS, SAMPLES))
    assert titles(report, "drop") == {"Topic 1", "Topic 3", "Topic 4", "Topic 6"}
    assert titles(report, "needed") == {"Topic 0", "Topic 2", "Topic 5"}
    assert report.partial is None
    assert report.reduction > 0.5
    assert report.p_value is not None
    assert report.p_value <= 0.05
    assert report.calls < 0.4 * report.plain
    assert read(report.shown()) == report


async def test_of_two_sections_that_say_the_same_one_stays() -> None:
    parts = (part(0, 1.0), part(1, 0.4, twin=2), part(2, twin=1), part(3))
    report = await run(*stage(parts, SAMPLES))
    assert len(titles(report, "needed") & {"Topic 1", "Topic 2"}) == 1
    assert "Topic 3" in titles(report, "drop")


@pytest.mark.parametrize("seed", range(12))
async def test_a_section_that_few_requests_need_stays(seed: int) -> None:
    """3 % of the requests, and no word of theirs tells so."""
    parts = (part(0, 1.0), part(1), part(2, 0.03), part(3), part(4))
    given, samples, oracle = stage(parts, SAMPLES, seed)
    report = await run(given, samples, oracle, terms=Terms(seed=seed))
    assert "Topic 2" not in titles(report, "drop")


async def test_too_few_samples_say_how_many_are_needed() -> None:
    given, samples, oracle = stage(PARTS, 40)
    report = await run(given, samples, oracle)
    assert (
        report.partial
        == f"40 samples are too few: {enough(Terms())} are needed for a margin of 0.02 with confidence 0.95"
    )
    assert not oracle.asked
    assert titles(report, "untested") == {f"Topic {n}" for n in range(7)}
    none = await run(given, [], oracle)
    assert none.partial is not None
    assert none.partial.startswith("no request was seen")


async def test_exactly_enough_samples_suffice() -> None:
    report = await run(*stage((part(0), part(1)), enough(Terms())))
    assert report.dropped


async def test_one_section_has_nothing_to_leave_out() -> None:
    given, samples, oracle = stage((part(0),), SAMPLES)
    report = await run(given, samples, oracle)
    assert report.partial is not None
    assert "one section" in report.partial


async def test_a_bound_of_calls_ends_it_and_it_goes_on_from_there() -> None:
    given, samples, oracle = stage(PARTS, SAMPLES)
    notes = Notes()
    short = await run(given, samples, oracle, notes, Terms(max_calls=100))
    assert short.partial is not None
    assert "100 calls" in short.partial
    assert not short.dropped
    whole = await run(given, samples, oracle, notes)
    asked_before = len(oracle.asked)
    assert whole.dropped == (await run(*stage(PARTS, SAMPLES))).dropped
    assert len(set(oracle.asked)) == asked_before - _repeats(oracle.asked)
    assert whole.calls == asked_before
    again = await run(given, samples, oracle, notes)
    assert len(oracle.asked) == asked_before
    assert again.dropped == whole.dropped


def _repeats(asked: Iterable[tuple[str, str]]) -> int:
    """The full prompt is asked twice on purpose, to see whether the model agrees with itself."""
    known = list(asked)
    return len(known) - len(set(known))


async def test_a_restless_model_makes_nothing_worse() -> None:
    given, samples, oracle = stage(PARTS, SAMPLES, noise=0.05)
    report = await run(given, samples, oracle)
    assert not titles(report, "drop") & {"Topic 0", "Topic 2"}
    assert report.method.noise is not None


async def test_a_busy_backend_is_asked_again() -> None:
    given, samples, oracle = stage(PARTS, SAMPLES)
    busy = {"left": 3}

    async def ask(prompt: str, sample: Sample) -> Answer:
        if busy["left"]:
            busy["left"] -= 1
            raise Busy(0.0)
        return await oracle(prompt, sample)

    report = await audit(given, samples, ask, Equal(), Terms(), Notes(), count=tokens)
    assert report.dropped
    assert not busy["left"]


async def test_what_the_full_prompt_cannot_answer_tells_nothing() -> None:
    given, samples, oracle = stage(PARTS, SAMPLES + 40)
    mute = {sample.id for sample in samples[:40]}

    async def ask(prompt: str, sample: Sample) -> Answer:
        if sample.id in mute:
            raise Unanswered("refused")
        return await oracle(prompt, sample)

    report = await audit(given, samples, ask, Equal(), Terms(), Notes(), count=tokens)
    assert titles(report, "drop") == {"Topic 1", "Topic 3", "Topic 4", "Topic 6"}


async def test_an_answer_that_only_the_full_prompt_gets_is_a_loss() -> None:
    given, samples, oracle = stage(PARTS, SAMPLES)

    async def ask(prompt: str, sample: Sample) -> Answer:
        if PARTS[3].text.rstrip() not in prompt:
            raise Unanswered("refused")
        return await oracle(prompt, sample)

    report = await audit(given, samples, ask, Equal(), Terms(), Notes(), count=tokens)
    assert "Topic 3" in titles(report, "needed")


async def test_a_backend_that_was_broken_is_asked_again_once_it_is_mended() -> None:
    given, samples, oracle = stage(PARTS, SAMPLES)
    notes = Notes()

    async def broken(prompt: str, sample: Sample) -> Answer:
        raise Unanswered("status 400")

    nothing = await audit(given, samples, broken, Equal(), Terms(), notes, count=tokens)
    assert not nothing.dropped
    whole = await run(given, samples, oracle, notes)
    assert titles(whole, "drop") == {"Topic 1", "Topic 3", "Topic 4", "Topic 6"}
