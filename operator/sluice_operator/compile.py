"""compile: what users wrote, as the Config that gateways obey. Pure: no clock, no network, no Kubernetes.

A broken route keeps the section that was last published, one that was never valid is absent, all others advance.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sluice_operator import checks, credentials
from sluice_operator.credentials import ClusterView
from sluice_operator.kinds import BatchWindow, CachePolicy, ModelRoute, PromptAudit, QuantisedModel, SluiceGateway
from sluice_operator.problem import Problem
from sluice_operator.prompt_section import audit_section, check_prompt
from sluice_operator.resource import Resource
from sluice_operator.scope import Scope
from sluice_operator.sections import gateway_section, managed_name, policy_section, route_section
from sluice_operator.unserved import unserved
from sluice_operator.window_section import window_section
from sluice_sidecar import config as sections
from sluice_sidecar.config import Config, Gateway, Policy, Route


@dataclass(frozen=True, slots=True)
class Compiled:
    """What gateways should serve, and what is wrong with what users wrote."""

    config: Config
    """Sealed: every digest is filled in."""
    problems: tuple[Problem, ...]
    models: Mapping[str, QuantisedModel]
    """What must run for it: every QuantisedModel that a served backend uses, by its name in Config and Endpoints."""

    @property
    def errors(self) -> tuple[Problem, ...]:
        """Problems that keep something out of service."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What an object says and this release does not do, or what nothing uses."""
        return tuple(problem for problem in self.problems if problem.severity == "warning")


def compile(  # noqa: A001  (it is what the design calls it; nobody here compiles Python)
    resources: Iterable[Resource],
    last: Config | None = None,
    *,
    namespace: str | None = None,
    cluster: ClusterView | None = None,
) -> Compiled:
    """Compile one namespace's objects, in any order, and the QuantisedModels of all namespaces.

    `last` is the Config published before. `namespace` None takes the one that the objects name, else "default".
    `cluster` None is one machine; in a cluster every credential must resolve, and carries its version.
    """
    scope = Scope.of((_examined(resource, cluster) for resource in resources), namespace)
    policies = _policies(scope, last, cluster)
    gateway = _gateway(scope, last, cluster)
    routes, problems = _routes(scope, policies, last)
    kept = _kept(scope, last, routes, cluster)
    if cluster:
        routes = {name: credentials.versioned(section, cluster) for name, section in routes.items()}
    for section in kept.values():
        if section.policy and section.policy not in policies and last:
            policies[section.policy] = last.policies[section.policy]
    routes |= kept
    config = Config(
        namespace=scope.namespace,
        routes=dict(sorted(routes.items())) if gateway else {},
        policies=dict(sorted(policies.items())),
        windows=_windows(scope, last, cluster),
        gateway=gateway or Gateway(),
        closed=gateway is None,
    )
    problems += [*_of_objects(scope), *_of_references(scope), *_of_unused(scope)]
    return Compiled(config.sealed(), tuple(sorted(set(problems), key=_place)), _models(scope, config))


def _examined(resource: Resource, cluster: ClusterView | None) -> Resource:
    """The object with everything that is wrong with it and its credentials."""
    if resource.value is None:
        return resource
    found = [*resource.problems, *unserved(resource.value, cluster=cluster is not None)]
    if cluster:
        found += credentials.problems(resource.value, cluster)
    if isinstance(resource.value, CachePolicy):
        found += checks.check_policy(resource.value)
    return dataclasses.replace(resource, problems=tuple(found))


def _policies(scope: Scope, last: Config | None, cluster: ClusterView | None) -> dict[str, Policy]:
    sections = {}
    for name, resource in scope.of_kind("CachePolicy").items():
        if isinstance(resource.value, CachePolicy) and resource.sound:
            sections[name] = policy_section(resource.value, scope.namespace, cluster=cluster is not None)
        elif last and name in last.policies:
            sections[name] = last.policies[name]
    return sections


def _windows(scope: Scope, last: Config | None, cluster: ClusterView | None) -> dict[str, sections.BatchWindow]:
    """The sections of all sound windows, and what was published before of those that are broken now."""
    found = {}
    for name, resource in sorted(scope.of_kind("BatchWindow").items()):
        window = resource.value
        if isinstance(window, BatchWindow) and resource.sound and not any(_wrong(window, scope)):
            found[name] = window_section(window)
        elif last and name in last.windows:
            found[name] = last.windows[name]
        if cluster and name in found:
            found[name] = credentials.window_versioned(found[name], cluster)
    return found


def _wrong(window: BatchWindow, scope: Scope) -> Iterator[Problem]:
    return (problem for problem in checks.check_window(window, scope) if problem.severity == "error")


def _gateway(scope: Scope, last: Config | None, cluster: ClusterView | None) -> Gateway | None:
    """What holds for all routes. None: it was never valid, and without its keys and bounds nothing may be served."""
    wanted = list(scope.of_kind("SluiceGateway").values())
    if not wanted:
        return Gateway()
    first = wanted[0]
    if len(wanted) == 1 and isinstance(first.value, SluiceGateway) and first.sound:
        keys = first.value.spec.auth.keys
        version = credentials.keys_version(cluster.grants[keys.secret]) if cluster and keys else None
        return gateway_section(first.value, scope.namespace, cluster=cluster is not None, keys_version=version)
    if last is None or last.closed:
        return None
    grant = cluster.grants.get(last.gateway.keys_secret or "") if cluster else None
    # The keys themselves go on: one that was taken back must not be accepted because of another field's mistake.
    return last.gateway.model_copy(update={"keys_version": credentials.keys_version(grant)}) if grant else last.gateway


def _routes(
    scope: Scope, policies: Mapping[str, Policy], last: Config | None
) -> tuple[dict[str, Route], list[Problem]]:
    """The sections of all sound routes, and what is wrong with the others."""
    owners = _owners(scope, last)
    engines = {name: model.spec.engine for name, model in _usable(scope).items()}
    audits = [
        resource.value
        for resource in scope.of_kind("PromptAudit").values()
        if isinstance(resource.value, PromptAudit) and resource.sound
    ]
    sections, problems = {}, []
    for name, resource in scope.of_kind("ModelRoute").items():
        route = resource.value
        if not isinstance(route, ModelRoute):
            continue
        found = [
            *checks.check_route(route, scope),
            *checks.check_policy_reference(route, scope, policies),
            *check_prompt(route),
            *_taken(route, owners),
        ]
        if resource.sound and all(problem.severity != "error" for problem in found):
            audit = audit_section(name, audits)
            sections[name] = route_section(route, scope.namespace, engines).model_copy(update={"audit": audit})
            found += _dialects(route, sections[name])
        problems += found
    return sections, problems


def _owners(scope: Scope, last: Config | None) -> dict[str, str]:
    """Model name -> the oldest route that claims it. A broken route keeps its claim: mending it moves no other."""
    owners: dict[str, str] = {}
    for name, resource in scope.of_kind("ModelRoute").items():
        if isinstance(resource.value, ModelRoute):
            models = _model_names(resource.value)
        else:
            models = last.routes[name].models if last and name in last.routes else ()
        for model in models:
            owners.setdefault(model, name)
    return owners


def _model_names(route: ModelRoute) -> tuple[str, ...]:
    return route.spec.models or (route.metadata.name,)


def _taken(route: ModelRoute, owners: Mapping[str, str]) -> Iterator[Problem]:
    for index, model in enumerate(_model_names(route)):
        owner = owners[model]
        if owner != route.metadata.name:
            path = ("spec", "models", index) if route.spec.models else ("metadata", "name")
            message = f'the model name "{model}" belongs to ModelRoute "{owner}", which claimed it first'
            yield checks.problem_at(route, path, "ModelNameTaken", message)


def _dialects(route: ModelRoute, section: Route) -> Iterator[Problem]:
    """A warning when no caller can reach all backends: a request goes to backends of its own dialect alone."""
    mirrored = section.mirror.backend if section.mirror else None
    families = {name: set(b.families) for name, b in section.backends.items() if name != mirrored}
    if families and not set.intersection(*families.values()):
        spoken = ", ".join(f"{name} {'/'.join(sorted(found))}" for name, found in sorted(families.items()))
        message = f"no dialect is spoken by all of its backends, and a request stays within its own: {spoken}"
        yield checks.problem_at(route, ("spec", "backends"), "NoSharedDialect", message, severity="warning")


def _kept(
    scope: Scope, last: Config | None, served: Mapping[str, Route], cluster: ClusterView | None
) -> dict[str, Route]:
    """What was published before of routes that are there and broken now, less the names that others answer by now."""
    taken = {model for route in served.values() for model in route.models}
    sections = {}
    for name in scope.of_kind("ModelRoute"):
        section = last.routes.get(name) if last and name not in served else None
        models = tuple(model for model in section.models if model not in taken) if section else ()
        if section and cluster:
            section = credentials.versioned(section, cluster) if credentials.may_be_kept(section, cluster) else None
        if section and models:
            sections[name] = section.model_copy(update={"models": models})
    return sections


def _usable(scope: Scope) -> dict[str, QuantisedModel]:
    """Sound models of every namespace, by their name in Config."""
    return {
        name if namespace == scope.namespace else f"{namespace}/{name}": resource.value
        for (namespace, name), resource in scope.models.items()
        if isinstance(resource.value, QuantisedModel) and resource.sound
    }


def _models(scope: Scope, config: Config) -> dict[str, QuantisedModel]:
    """The models behind the Config's backends."""
    wanted = {backend.managed for route in config.routes.values() for backend in route.backends.values()}
    return {name: model for name, model in sorted(_usable(scope).items()) if name in wanted}


def _of_objects(scope: Scope) -> Iterator[Problem]:
    """What is wrong with each object by itself, and objects that are out of reach."""
    for by_name in scope.here.values():
        for resource in by_name.values():
            yield from resource.problems
    for (namespace, _), resource in scope.models.items():
        if namespace != scope.namespace:
            yield from resource.problems
    for resource in scope.elsewhere:
        yield from resource.problems
        if resource.value is not None:
            message = f'namespace "{resource.namespace}" is another than "{scope.namespace}"; one gateway serves one'
            yield checks.problem_at(resource.value, ("metadata", "namespace"), "OtherNamespace", message)


def _of_references(scope: Scope) -> Iterator[Problem]:
    """Dangling references of the kinds that Config does not carry."""
    for kind in ("BatchWindow", "PromptAudit"):
        for resource in scope.of_kind(kind).values():
            if isinstance(resource.value, BatchWindow):
                yield from checks.check_window(resource.value, scope)
            elif isinstance(resource.value, PromptAudit):
                yield from checks.check_audit(resource.value, scope)


def _of_unused(scope: Scope) -> Iterator[Problem]:
    """Warnings of models and policies that no route names; a route that cannot be read may name any."""
    routes = [resource.value for resource in scope.of_kind("ModelRoute").values()]
    if not routes or None in routes:
        return
    specs = [route.spec for route in routes if isinstance(route, ModelRoute)]
    policies = {spec.cache_policy.name for spec in specs if spec.cache_policy}
    models = {managed_name(backend, scope.namespace) for spec in specs for backend in spec.backends}
    for kind, used in (("CachePolicy", policies), ("QuantisedModel", models)):
        for name, resource in scope.of_kind(kind).items():
            if name not in used and resource.value is not None:
                message = f"no route uses this {kind}"
                yield checks.problem_at(resource.value, ("metadata", "name"), "Unused", message, severity="warning")


def _place(problem: Problem) -> tuple[str, ...]:
    return (problem.severity, problem.kind, problem.name, problem.field, problem.reason, problem.message)
