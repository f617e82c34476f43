"""The whole of it: recorded asks in, curves and a setting out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sluice_cli.tune import recommend
from sluice_cli.tune.curves import Counts, Curve, Rows, cosine_curve, counted, served, strategy_curve
from sluice_cli.tune.data import Data
from sluice_cli.tune.folds import Folds, orders
from sluice_cli.tune.recommend import Finding
from sluice_cli.tune.replay import CLOSED, Run
from sluice_cli.tune.savings import Saving
from sluice_sidecar.cache.entry import How
from sluice_sidecar.config import Paraphrase, Policy

LEAST = 40
"""Asks below which there is nothing to divide."""

STRATEGIES: tuple[How, ...] = ("label", "paraphrase", "template")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is studied. `bound`: most wrong answers per reused one; `held_out`: the share of the asks that judges."""

    policy: Policy
    strategies: Sequence[How]
    bound: float
    held_out: float = 0.5
    orders: int = 3
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Study:
    """All that was found out. Counts are of the held-out part, means over the orders."""

    plan: Plan
    data: Data
    orders: int
    curves: Sequence[Curve]
    findings: Sequence[Finding]
    identical: Counts
    together: Counts
    """All hits by meaning under the recommended setting, from an empty cache."""
    shadows: float
    """Calls of the held-out part that only checked a hit."""
    needed: dict[str, float]
    """Strategies that the replay did not open -> about how many more right proposals would."""
    saving: Saving

    @property
    def patch(self) -> dict[str, Any]:
        """See recommend.patch."""
        return recommend.patch(self.findings, self.plan.bound)


def strategies_of(policy: Policy) -> list[How]:
    """Those that a policy turns on, beside identical."""
    on: dict[How, bool] = {
        "label": policy.label, "paraphrase": policy.paraphrase is not None, "template": policy.template,
    }  # fmt: skip
    return [how for how in STRATEGIES if on[how]]


async def study(plan: Plan, data: Data, folds: Folds, saving: Saving) -> Study:
    """Replays with every ask missed, chooses by the first part, replays under the choice, judges by the rest."""
    last = round(len(data.asks) * plan.held_out)
    in_order = orders(len(data.asks), last, data.timed, plan.orders, plan.seed)
    asked = _policy(plan, dict.fromkeys(plan.strategies, 0.0), CLOSED)
    missed = [await folds.run(asked, order, plan.seed + at) for at, order in enumerate(in_order)]
    fit, rest = [run.outcomes[:-last] for run in missed], _last(missed, last)
    choices = [recommend.choose(fit, how, plan.bound) for how in plan.strategies]
    none: Rows = [()] * len(in_order)
    refuted: dict[How, Finding] = {
        choice.how: recommend.judge(choice, rest, none, plan.bound) for choice in choices if not choice.on
    }
    while True:
        on = {choice.how: choice.similarity or 0.0 for choice in choices if choice.how not in refuted}
        policy = _policy(plan, on, plan.bound)
        given = [await folds.run(policy, order, plan.seed + at) for at, order in enumerate(in_order)]
        shown = _last(given, last)
        findings = [refuted.get(c.how) or recommend.judge(c, rest, shown, plan.bound) for c in choices]
        # What the held-out part speaks against is turned off, and the rest is judged without it.
        more = {one.choice.how: one for one in findings if one.verdict == "refuted" and one.choice.how in on}
        if not more:
            break
        refuted |= more
    return Study(
        plan, data, len(in_order), [*(strategy_curve(rest, how) for how in plan.strategies), cosine_curve(rest)],
        findings, served(shown, "identical"),
        counted(shown, (one.wrong for row in shown for one in row if one.how not in (None, "identical"))),
        sum(one.shadow for row in shown for one in row) / len(shown),
        {how: min(run.needed.get(how, 0.0) for run in given) for how in on if not served(shown, how).hits},
        saving,
    )  # fmt: skip


def _policy(plan: Plan, on: dict[How, float], bound: float) -> Policy:
    """The policy with these strategies, each from its least similarity, under a bound."""
    return plan.policy.model_copy(
        update={
            "bound": bound,
            "label": "label" in on,
            "template": "template" in on,
            "paraphrase": Paraphrase(similarity=on["paraphrase"]) if "paraphrase" in on else None,
        }
    )


def _last(runs: Sequence[Run], count: int) -> Rows:
    return [run.outcomes[-count:] for run in runs]
