"""What is audited and how, from files of kinds and the command's own options."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from sluice_cli.files import load
from sluice_operator.kinds import ModelRoute, PromptAudit
from sluice_operator.resource import Resource
from sluice_operator.sections import route_section
from sluice_sidecar.config import Backend

REDACTED = ("Email", "Phone", "Card")
"""What is blacked out where no PromptAudit says so."""


class SettingError(Exception):
    """What is wrong with the files or options, and how to mend it."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says; None leaves it to the PromptAudit."""

    audit: str | None = None
    route: str | None = None
    against: str | None = None
    judge: str | None = None
    margin: float | None = None
    confidence: float | None = None
    max_cost: Decimal | None = None
    requests: int | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """One audit, resolved."""

    name: str
    route: str
    namespace: str | None
    model: str
    """What a backend without a model name of its own is sent."""
    against: Backend
    judge: Backend | None
    margin: float
    confidence: float
    max_cost: Decimal | None
    requests: int | None
    redact: tuple[str, ...]


def setting(paths: Sequence[Path], options: Options) -> Setting:
    """Raises SettingError with every problem of the files."""
    loaded = load(paths)
    wrong = [str(one) for one in loaded.findings if one.problem.severity == "error"]
    wrong += [str(loaded.finding(p)) for r in loaded.resources for p in r.problems if p.severity == "error"]
    if wrong:
        raise SettingError("\n".join(wrong))
    routes = {one.name: one.value for one in loaded.resources if isinstance(one.value, ModelRoute)}
    found = _audit(loaded.resources, options)
    spec = None if found is None else found.spec
    ablation = None if spec is None else spec.ablation
    name = options.route or (spec.route if spec else None) or (next(iter(routes)) if len(routes) == 1 else None)
    if name is None:
        raise SettingError(f"say which ModelRoute with --route; there are: {_known(routes)}")
    if name not in routes:
        raise SettingError(f"no ModelRoute {name!r} in these files; there are: {_known(routes)}")
    route = routes[name]
    backends = _backends(route)
    against = options.against or (ablation.against if ablation else None)
    if against is None:
        raise SettingError(f"say which backend answers with --against; {name} has: {_known(backends)}")
    judge = options.judge or (ablation.judge if ablation else None)
    for one in (against, judge):
        if one is not None and one not in backends:
            raise SettingError(f"ModelRoute {name} has no backend {one!r}; it has: {_known(backends)}")
    most = options.max_cost if options.max_cost is not None else ablation.max_cost if ablation else None
    if most is not None:
        _priced(most, [backends[one] for one in (against, judge) if one], ablation.currency if ablation else None)
    return Setting(
        name=name if found is None else found.metadata.name,
        route=name,
        namespace=route.metadata.namespace,
        model=(route.spec.models or (name,))[0],
        against=backends[against],
        judge=None if judge is None else backends[judge],
        margin=_first(options.margin, float(ablation.margin) if ablation else 0.02),
        confidence=_first(options.confidence, float(ablation.confidence) if ablation else 0.95),
        max_cost=most,
        requests=options.requests or (spec.sample.requests if spec else None),
        redact=REDACTED if spec is None else spec.sample.redact,
    )


def _audit(resources: Sequence[Resource], options: Options) -> PromptAudit | None:
    audits = {one.name: one.value for one in resources if isinstance(one.value, PromptAudit)}
    if options.audit is not None and options.audit not in audits:
        raise SettingError(f"no PromptAudit {options.audit!r} in these files; there are: {_known(audits)}")
    fit = {
        name: one for name, one in audits.items()
        if options.audit in (None, name) and options.route in (None, one.spec.route)
    }  # fmt: skip
    if len(fit) > 1:
        raise SettingError(f"say which PromptAudit with --audit; there are: {_known(fit)}")
    return next(iter(fit.values()), None)


def _backends(route: ModelRoute) -> dict[str, Backend]:
    """All of a route's backends; a gateway's Config has those alone that its strategy uses."""
    names = tuple(one.name for one in route.spec.backends)
    every = route.model_copy(update={"spec": route.spec.model_copy(update={"fallbacks": names})})
    return route_section(every, route.metadata.namespace or "default", {}).backends


def _priced(most: Decimal, backends: Sequence[Backend], currency: str | None) -> None:
    for one in backends:
        if one.price is None:
            raise SettingError(f"a bound of {most} needs a price on backend {one.name}: without one nothing is counted")
        if currency is not None and one.price.currency != currency:
            raise SettingError(f"maxCost is in {currency}, but backend {one.name} is priced in {one.price.currency}")


def _first(given: float | None, otherwise: float) -> float:
    return otherwise if given is None else given


def _known(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
