"""What a route does with system prompts, as sections of Config. Checks stand elsewhere. Pure."""

from collections.abc import Iterable, Iterator

from sluice_operator.kinds import ModelRoute, PromptAudit
from sluice_operator.kinds.model_route import Prompt, Rewrite
from sluice_operator.problem import Problem
from sluice_sidecar import config


def prompt_section(prompt: Prompt | None) -> config.PromptRules | None:
    """Budget and rewrites; None where there are neither. A rewrite in a ConfigMap is refused by the checks."""
    if prompt is None or (prompt.max_tokens is None and not prompt.rewrites):
        return None
    return config.PromptRules(
        max_tokens=prompt.max_tokens, on_exceed=prompt.on_exceed, rewrites=tuple(map(_rewrite, prompt.rewrites))
    )


def audit_section(route: str, audits: Iterable[PromptAudit]) -> config.AuditSampling | None:
    """What is kept for a route's audits: as much as the largest wants, and whatever one of them blacks out is."""
    mine = [audit.spec.sample for audit in audits if audit.spec.route == route]
    if not mine:
        return None
    redact = tuple(sorted({kind for sample in mine for kind in sample.redact}))
    return config.AuditSampling(requests=max(sample.requests for sample in mine), redact=redact)


def requires(prompt: config.PromptRules | None) -> set[str]:
    """What a gateway must be able to do: one that knows no budget would let pass what is to be rejected."""
    return {"prompt"} if prompt and prompt.max_tokens is not None and prompt.on_exceed == "Reject" else set()


def check_prompt(route: ModelRoute) -> Iterator[Problem]:
    """Rewrites that stand in each other's way."""
    seen: dict[str, str] = {}
    for index, rewrite in enumerate(route.spec.prompt.rewrites if route.spec.prompt else ()):
        first = seen.setdefault(rewrite.section, rewrite.name)
        if first != rewrite.name:
            yield Problem(
                "error",
                route.kind,
                route.metadata.name,
                f"spec.prompt.rewrites[{index}].section",
                "SectionTaken",
                f'rewrite "{first}" has the same section; put the edits of both in one',
                namespace=route.metadata.namespace or "default",
            )


def _rewrite(rewrite: Rewrite) -> config.Rewrite:
    return config.Rewrite(
        name=rewrite.name,
        section=rewrite.section,
        percent=float(rewrite.percent),
        edits=tuple(config.Edit(find=edit.find, replace=edit.replace) for edit in rewrite.edits or ()),
    )
