"""The objects that one compilation looks at, found by name: what a reference can reach. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sluice_operator.kinds import KINDS, QuantisedModel
from sluice_operator.resource import Resource

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Scope:
    """One namespace's objects by kind and name, and every namespace's models."""

    namespace: str
    here: Mapping[str, Mapping[str, Resource]]
    """Kind -> name -> object, oldest first."""
    models: Mapping[Key, Resource]
    """(namespace, name) -> QuantisedModel."""
    elsewhere: tuple[Resource, ...]
    """Objects of other namespaces or unknown kinds, which nothing here can use."""

    @classmethod
    def of(cls, resources: Iterable[Resource], namespace: str | None = None) -> "Scope":
        """The scope of `namespace`; None takes the one namespace that the objects name, else "default"."""
        ordered = sorted(resources, key=lambda r: (r.created or "~", r.order, r.kind, r.name, r.namespace or ""))
        if namespace is None:
            named = {r.namespace for r in ordered if r.kind != "QuantisedModel"} or {r.namespace for r in ordered}
            namespace = next(iter(named)) if len(named) == 1 else "default"
        namespace = namespace or "default"
        here: dict[str, dict[str, Resource]] = {kind: {} for kind in KINDS}
        models: dict[Key, Resource] = {}
        elsewhere = []
        for resource in ordered:
            owner = resource.namespace or namespace
            if resource.kind == "QuantisedModel":
                models.setdefault((owner, resource.name), resource)
            if owner == namespace and resource.kind in here:
                here[resource.kind].setdefault(resource.name, resource)
            elif resource.kind != "QuantisedModel":
                elsewhere.append(resource)
        return cls(namespace, here, models, tuple(elsewhere))

    def of_kind(self, kind: str) -> Mapping[str, Resource]:
        """This namespace's objects of one kind by name, oldest first."""
        return self.here[kind]

    def model(self, name: str, namespace: str | None) -> Resource | None:
        """The model that a reference names."""
        return self.models.get((namespace or self.namespace, name))

    def model_names(self, namespace: str | None) -> list[str]:
        """Names of a namespace's models."""
        return [name for of, name in self.models if of == (namespace or self.namespace)]

    def may_use(self, model: QuantisedModel) -> bool:
        """Whether this namespace's routes may use the model."""
        owner = model.metadata.namespace or self.namespace
        return owner == self.namespace or self.namespace in model.spec.allowed_namespaces
