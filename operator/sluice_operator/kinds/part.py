"""What every object in a kind is made of: strict, immutable, camelCase in YAML, with rules that the CRD carries too."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, model_validator
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError


class _Null:
    """Stands for a field that is written without a value, so that every type refuses it, as the API server does."""

    def __repr__(self) -> str:
        return "null"


NULL: Final = _Null()


@dataclass(frozen=True, slots=True)
class Rule:
    """A CEL rule of the CRD. The same check in Python stands in a validator of the same class or in a field's type."""

    cel: str
    message: str
    at: str = ""
    """Path from the object to the field that the API server names as refused: .ttl; "" : the object."""


CURE: Final = "x-sluice-cure"
"""In a text's JSON schema: what to write. The CRD turns it and the pattern into a rule that says so."""


def cured(text: str) -> FieldInfo:
    """For a constrained text's annotation: what the API server says where the pattern refuses it."""
    found: FieldInfo = Field(json_schema_extra={CURE: text})
    return found


def refused(reason: str, message: str, at: tuple[str | int, ...] = ()) -> PydanticCustomError:
    """An error that says `message`; `reason` is its stable type, `at` the path from the refused object to the cause."""
    return PydanticCustomError(reason, message.replace("{", "(").replace("}", ")"), {"at": at})


class Part(BaseModel):
    """An object inside a kind: unknown fields are refused."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        json_schema_extra=lambda schema, model: model.extend_schema(schema),
    )

    exactly_one: ClassVar[tuple[str, ...]] = ()
    """Fields (Python names) of which exactly one is given."""

    at_least_one: ClassVar[tuple[str, ...]] = ()
    """Fields (Python names) of which one or more are given."""

    list_keys: ClassVar[Mapping[str, str | None]] = {}
    """Lists (Python names) without repeats, and the field that tells their entries apart; None: the entry itself."""

    rules: ClassVar[tuple[Rule, ...]] = ()
    """Further CEL rules; each has its like in Python."""

    @model_validator(mode="before")
    @classmethod
    def _mark_nulls(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and None in data.values():
            return {key: NULL if value is None else value for key, value in data.items()}
        return data

    @model_validator(mode="after")
    def _check_choices(self) -> Self:
        if self.exactly_one:
            given = [name for name in self.exactly_one if getattr(self, name) is not None]
            if len(given) != 1:
                raise refused("exactly_one", self.choice_message(found=given))
        if self.at_least_one and all(getattr(self, name) is None for name in self.at_least_one):
            raise refused("at_least_one", f"give at least one of {aliases(type(self), self.at_least_one)}")
        for name, key in self.list_keys.items():
            self._check_unique(name, key)
        return self

    def _check_unique(self, name: str, key: str | None) -> None:
        seen: set[Any] = set()
        for index, entry in enumerate(getattr(self, name) or ()):
            value = getattr(entry, key) if key else entry
            if value in seen:
                field = alias(type(self), name)
                at = (field, index, key) if key else (field, index)
                raise refused("duplicate_entry", f'"{value}" is given twice in {field}', at)
            seen.add(value)

    @classmethod
    def choice_message(cls, found: list[str] | None = None) -> str:
        """What the rule of `exactly_one` says; `found` are the fields that were given."""
        text = f"give exactly one of {aliases(cls, cls.exactly_one)}"
        if found is None:
            return text
        return text + (f"; found {aliases(cls, found)}" if found else "; found none")

    @classmethod
    def cel_rules(cls) -> tuple[Rule, ...]:
        """Every CEL rule of this object, the choices first."""
        rules = []
        if cls.exactly_one:
            given = ", ".join(f"has(self.{_cel_name(cls, name)})" for name in cls.exactly_one)
            rules.append(Rule(f"[{given}].filter(given, given).size() == 1", cls.choice_message()))
        if cls.at_least_one:
            given = " || ".join(f"has(self.{_cel_name(cls, name)})" for name in cls.at_least_one)
            rules.append(Rule(given, f"give at least one of {aliases(cls, cls.at_least_one)}"))
        return (*rules, *cls.rules)

    @classmethod
    def extend_schema(cls, schema: dict[str, Any]) -> None:
        """Add to this object's JSON schema what Kubernetes knows besides: rules, and how lists are merged.

        Defaults are put as a user would write them: pydantic shows them as they are in Python.
        """
        for name, field in cls.model_fields.items():
            for serializer in field.metadata:
                if isinstance(serializer, PlainSerializer) and field.default is not None and not field.is_required():
                    schema["properties"][alias(cls, name)]["default"] = serializer.func(field.default)  # type: ignore[call-arg]
        if rules := cls.cel_rules():
            schema["x-kubernetes-validations"] = [
                {"rule": rule.cel, "message": rule.message} | ({"fieldPath": rule.at} if rule.at else {})
                for rule in rules
            ]
        for name, key in cls.list_keys.items():
            entries = schema["properties"][alias(cls, name)]
            entries["x-kubernetes-list-type"] = "map" if key else "set"
            if key:
                entries["x-kubernetes-list-map-keys"] = [key]


_CEL_RESERVED = frozenset({"as", "const", "else", "for", "if", "import", "in", "namespace", "package", "return", "var"})


def _cel_name(model: type[BaseModel], name: str) -> str:
    """A field's name in CEL, where reserved words are escaped."""
    written = alias(model, name)
    return f"__{written}__" if written in _CEL_RESERVED else written


def alias(model: type[BaseModel], name: str) -> str:
    """A field's name in YAML."""
    return model.model_fields[name].alias or name


def aliases(model: type[BaseModel], names: tuple[str, ...] | list[str]) -> str:
    """Fields' names in YAML, for a message."""
    return ", ".join(alias(model, name) for name in names)
