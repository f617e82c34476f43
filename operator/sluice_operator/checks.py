"""What is wrong with objects that are valid by themselves: dangling references, contradictions, wrong expressions."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from sluice_operator.hours import longest_closed, overlapping
from sluice_operator.kinds import BatchWindow, CachePolicy, Kind, ModelRoute, PromptAudit, QuantisedModel
from sluice_operator.kinds.quantity import duration_text
from sluice_operator.kinds.references import ModelReference
from sluice_operator.kinds.strategies import BUILTIN_TASKS
from sluice_operator.problem import Problem, Severity, field_path, nearest
from sluice_operator.scope import Scope
from sluice_operator.sections import has_logprobs, named_backends, strategy_of
from sluice_operator.window_section import week_of
from sluice_sidecar.config import canonical

Path = tuple[str | int, ...]


def problem_at(
    value: Kind,
    path: Path,
    reason: str,
    message: str,
    *,
    severity: Severity = "error",
    given: str = "",
    known: Iterable[str] = (),
) -> Problem:
    """A problem of `value` at `path`; `known` are the names that `given` may have been meant for."""
    allowed = tuple(sorted(known))
    near = nearest(given, allowed) if given else None
    return Problem(
        severity,
        value.kind,
        value.metadata.name,
        field_path(path),
        reason,
        message,
        allowed,
        near,
        value.metadata.namespace or "default",
    )


def check_route(route: ModelRoute, scope: Scope) -> Iterator[Problem]:
    """Everything that keeps a route from being compiled, but its cache policy and its model names."""
    spec = route.spec
    backends = {backend.name: backend for backend in spec.backends}
    used = set()
    for path, name in named_backends(spec):
        used.add(name)
        if name not in backends:
            message = f'this route has no backend "{name}"'
            yield problem_at(route, path, "BackendNotFound", message, given=name, known=backends)
    for index, backend in enumerate(spec.backends):
        at: Path = ("spec", "backends", index)
        if backend.quantised_model:
            yield from check_model_reference(route, (*at, "quantisedModel"), backend.quantised_model, scope)
        if backend.name not in used:
            message = f'nothing in this route uses the backend "{backend.name}"'
            yield problem_at(route, (*at, "name"), "BackendUnused", message, severity="warning")
    currencies = sorted({backend.price.currency for backend in spec.backends if backend.price})
    if len(currencies) > 1:
        message = f"prices of one route are in one currency; found {', '.join(currencies)}"
        yield problem_at(route, ("spec", "backends"), "CurrencyMismatch", message)
    yield from _check_strategy(route)


def _check_strategy(route: ModelRoute) -> Iterator[Problem]:
    strategy = strategy_of(route.spec)
    at: Path = ("spec", "strategy")
    if strategy.weighted and not any(weight.weight for weight in strategy.weighted.weights):
        message = "every weight is 0, so no backend would be asked; give one at least a weight above 0"
        yield problem_at(route, (*at, "weighted", "weights"), "WeightsAllZero", message)
    if strategy.task:
        for index, rule in enumerate(strategy.task.tasks):
            if rule.task not in BUILTIN_TASKS and not rule.examples:
                message = f'"{rule.task}" is a class of your own: give examples of such asks, or write a built-in class'
                path = (*at, "task", "tasks", index, "task")
                yield problem_at(route, path, "TaskWithoutExamples", message, given=rule.task, known=BUILTIN_TASKS)
    if strategy.cascade is None:
        return
    at = (*at, "cascade")
    accept = strategy.cascade.accept
    if accept.confidence:
        yield from _check_logprobs(route, strategy.cascade.stages, (*at, "stages"))
    for index, check in enumerate(accept.checks or ()):
        path = (*at, "accept", "checks", index)
        if check.regex is not None:
            yield from check_regex(route, (*path, "regex"), check.regex)
        if check.json_schema is not None:
            yield from check_json_schema(route, (*path, "jsonSchema"), check.json_schema)


def _check_logprobs(route: ModelRoute, stages: tuple[str, ...], at: Path) -> Iterator[Problem]:
    """The last stage's answer is always accepted, so it needs none."""
    backends = {backend.name: backend for backend in route.spec.backends}
    for index, name in enumerate(stages[:-1]):
        backend = backends.get(name)
        if backend is not None and not has_logprobs(backend):
            message = (
                f'backend "{name}" returns no token log-probabilities, which accept.confidence reads; '
                "give accept.checks instead, or, where it does return them, the backend's logprobs: true"
            )
            yield problem_at(route, (*at, index), "NoLogProbs", message)


def check_policy(policy: CachePolicy) -> Iterator[Problem]:
    """Everything that keeps a policy from being compiled."""
    for index, ignored in enumerate(policy.spec.fingerprint.ignore):
        yield from check_regex(policy, ("spec", "fingerprint", "ignore", index, "regex"), ignored.regex)


def check_policy_reference(route: ModelRoute, scope: Scope, policies: Iterable[str]) -> Iterator[Problem]:
    """Whether the route's CachePolicy is there and has a section; `policies` are those that have one."""
    if route.spec.cache_policy is None:
        return
    name = route.spec.cache_policy.name
    known = scope.of_kind("CachePolicy")
    path: Path = ("spec", "cachePolicy", "name")
    if name not in known:
        message = f'there is no CachePolicy "{name}"'
        yield problem_at(route, path, "CachePolicyNotFound", message, given=name, known=known)
    elif name not in policies:
        message = f'CachePolicy "{name}" is refused for its own problems'
        yield problem_at(route, path, "CachePolicyInvalid", message)


def check_window(window: BatchWindow, scope: Scope) -> Iterator[Problem]:
    """References of a BatchWindow, and its hours."""
    yield from check_hours(window)
    yield from _check_allowed(window)
    for index, route in enumerate(window.spec.routes):
        yield from _check_route_reference(window, ("spec", "routes", index), route, scope)
    if window.spec.capacity:
        reference = window.spec.capacity.quantised_model
        yield from check_model_reference(window, ("spec", "capacity", "quantisedModel"), reference, scope)


def check_hours(window: BatchWindow) -> Iterator[Problem]:
    """Windows that never open, overlap, or are further apart than the deadline."""
    spec = window.spec
    week = week_of(spec)
    if not week and not any(given.windows for given in spec.exceptions or ()):
        message = "no window is given, so it would never open; give windows, or always: true"
        field = "always" if spec.always is not None else "exceptions"
        yield problem_at(window, ("spec", field), "NeverOpens", message)
        return
    for first, second in overlapping(week):
        if second < len(spec.windows or ()):
            message = f"overlaps spec.windows[{first}]; they are open as one"
            yield problem_at(window, ("spec", "windows", second), "WindowsOverlap", message, severity="warning")
    closed = longest_closed(week)
    if week and closed >= spec.deadline:
        message = (
            f"it is closed for up to {duration_text(closed)}, and the deadline is {duration_text(spec.deadline)}: "
            f"{_MISSED[spec.deadline_policy]}; write a longer deadline or more windows where that is not wanted"
        )
        yield problem_at(window, ("spec", "deadline"), "DeadlineBeforeOpening", message, severity="warning")


def _check_allowed(window: BatchWindow) -> Iterator[Problem]:
    """Patterns of webhooks that no address can match, or nearly every one does."""
    for index, pattern in enumerate(window.spec.webhooks.allow if window.spec.webhooks else ()):
        parts = urlsplit(pattern)
        path: Path = ("spec", "webhooks", "allow", index)
        if re.search(r"[?#\\\s]", pattern) or any(step in (".", "..") for step in unquote(parts.path).split("/")):
            message = "no address can match it: a path without query, fragment, spaces and steps like .. belongs here"
            yield problem_at(window, path, "PatternNeverMatches", message)
        elif parts.netloc.startswith("*.") and "." not in parts.netloc[2:].rstrip("."):
            message = f"it allows every site below {parts.netloc[1:]}; name a domain of your own where you can"
            yield problem_at(window, path, "PatternTooWide", message, severity="warning")


_MISSED = {
    "RunAnyway": "some requests run outside of a window",
    "Fail": "some requests are refused",
    "Warn": "some requests are late",
}


def check_audit(audit: PromptAudit, scope: Scope) -> Iterator[Problem]:
    """References of a PromptAudit."""
    yield from _check_route_reference(audit, ("spec", "route"), audit.spec.route, scope)
    found = scope.of_kind("ModelRoute").get(audit.spec.route)
    if found is None or not isinstance(found.value, ModelRoute):
        return
    names = [backend.name for backend in found.value.spec.backends]
    for field, name in (("against", audit.spec.ablation.against), ("judge", audit.spec.ablation.judge)):
        if name not in names:
            message = f'ModelRoute "{audit.spec.route}" has no backend "{name}"'
            path = ("spec", "ablation", field)
            yield problem_at(audit, path, "BackendNotFound", message, given=name, known=names)


def _check_route_reference(value: Kind, path: Path, name: str, scope: Scope) -> Iterator[Problem]:
    known = scope.of_kind("ModelRoute")
    if name not in known:
        yield problem_at(value, path, "RouteNotFound", f'there is no ModelRoute "{name}"', given=name, known=known)


def check_model_reference(value: Kind, path: Path, reference: ModelReference, scope: Scope) -> Iterator[Problem]:
    """Whether the QuantisedModel is there, valid and open to this namespace."""
    found = scope.model(reference.name, reference.namespace)
    where = f' in namespace "{reference.namespace}"' if reference.namespace else ""
    if found is None:
        known = scope.model_names(reference.namespace)
        message = f'there is no QuantisedModel "{reference.name}"{where}'
        yield problem_at(value, (*path, "name"), "ModelNotFound", message, given=reference.name, known=known)
    elif not isinstance(found.value, QuantisedModel) or not found.sound:
        message = f'QuantisedModel "{reference.name}"{where} is refused for its own problems'
        yield problem_at(value, (*path, "name"), "ModelInvalid", message)
    elif not scope.may_use(found.value):
        message = (
            f'QuantisedModel "{reference.name}"{where} is not open to namespace "{scope.namespace}"; '
            "its spec.allowedNamespaces must name it"
        )
        yield problem_at(value, (*path, "namespace"), "ModelNotAllowed", message)


def check_regex(value: Kind, path: Path, pattern: str) -> Iterator[Problem]:
    """Whether `pattern` is a regular expression that the gateway can compile."""
    import regex  # as the gateway does: it bounds the time of a match

    try:
        regex.compile(pattern)
    except regex.error as error:
        yield problem_at(value, path, "InvalidRegex", f'"{pattern}" is not a regular expression: {error}')


def check_json_schema(value: Kind, path: Path, schema: Mapping[str, Any]) -> Iterator[Problem]:
    """Whether `schema` is a JSON Schema of Draft 2020-12 that a Config can carry."""
    from jsonschema import Draft202012Validator, SchemaError  # heavy, and needed by few routes

    try:
        canonical(schema)
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        message = f"not a JSON Schema (Draft 2020-12): {error.message}"
        yield problem_at(value, (*path, *error.absolute_path), "InvalidJsonSchema", message)
    except (TypeError, RecursionError) as error:
        yield problem_at(value, path, "InvalidJsonSchema", f"not plain JSON, or nested too deeply: {error}")
