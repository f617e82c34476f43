"""Audits of the written prompts: nothing needed goes, and a quarter of the tokens at least does."""

from bench.prompts.play import play, pooled
from bench.prompts.suite import PROMPTS


async def test_every_prompt_once() -> None:
    played = [await play(written, 400, seed, 0.0) for seed, written in enumerate(PROMPTS)]
    sums = pooled(played)
    assert len(PROMPTS) >= 12
    assert not [one for one in played if one.needed_dropped or one.twins_dropped or one.partial]
    assert sums["loss"] == 0.0
    assert sums["reduction"] >= 0.25
    assert sums["calls"] <= 0.4


async def test_a_restless_oracle_costs_tokens_and_no_section() -> None:
    played = [await play(PROMPTS[n % len(PROMPTS)], 800, n, 0.01) for n in range(12)]
    assert sum(one.loss >= 0.02 for one in played) <= 1
