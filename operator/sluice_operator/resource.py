"""An object as it comes, from a file or an API server: parsed into its kind, or with what is wrong with it. Pure."""

import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from sluice_operator.kinds import API_VERSION, KINDS, Kind
from sluice_operator.kinds.part import NULL, alias
from sluice_operator.problem import Problem, field_path, nearest

_MANY_ALLOWED = 16
"""A longer list of what is allowed is left out of a message."""

_EXPECTED = {
    "string_type": "text in quotes",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "an object with fields",
    "mapping_type": "an object with fields",
    "model_type": "an object with fields",
    "model_attributes_type": "an object with fields",
}

_BOUNDS = {
    "greater_than_equal": "{ge} is the least",
    "less_than_equal": "{le} is the most",
    "too_short": "{min_length} entries at least",
    "too_long": "{max_length} entries at most",
    "string_too_short": "{min_length} characters at least",
    "string_too_long": "{max_length} characters at most",
}


@dataclass(frozen=True, slots=True)
class Resource:
    """One object. `value` is None when it is not valid; `problems` then say why."""

    kind: str
    name: str
    namespace: str | None
    value: Kind | None
    problems: tuple[Problem, ...] = ()
    created: str = ""
    """metadata.creationTimestamp; "" in a file."""
    order: int = 0
    """Position among what was read together; of two files' objects that claim one model name the first keeps it."""

    @property
    def sound(self) -> bool:
        """Whether it is valid and no error is known of it."""
        return self.value is not None and all(problem.severity != "error" for problem in self.problems)


@dataclass(frozen=True, slots=True)
class _Subject:
    """The object that problems are about."""

    kind: str
    name: str
    namespace: str

    def problem(
        self, field: str, reason: str, message: str, *, given: str = "", allowed: tuple[str, ...] = ()
    ) -> Problem:
        near = nearest(given, allowed)
        return Problem("error", self.kind, self.name, field, reason, message, allowed, near, self.namespace)


def parse(data: Mapping[str, Any], order: int = 0) -> Resource:
    """The object in `data`, which is plain JSON data. Every problem of its fields is found, none raised."""
    metadata = data.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    name, namespace, created = (_text(metadata.get(key)) for key in ("name", "namespace", "creationTimestamp"))
    kind = _text(data.get("kind"))
    subject = _Subject(kind or "?", name or "?", namespace or "default")
    value, problems = _value(data, kind, subject)
    return Resource(subject.kind, subject.name, namespace, value, problems, created or "", order)


def _value(data: Mapping[str, Any], kind: str | None, subject: _Subject) -> tuple[Kind | None, tuple[Problem, ...]]:
    model = KINDS.get(kind or "")
    if model is None:
        message = f'"{kind}" is not a kind of Sluice' if kind else "the kind is missing"
        return None, (subject.problem("kind", "UnknownKind", message, given=kind or "", allowed=tuple(KINDS)),)
    version = data.get("apiVersion")
    if version != API_VERSION:
        message = f'"{version}" is not a version of {kind}' if version else "the apiVersion is missing"
        return None, (subject.problem("apiVersion", "UnknownVersion", message, allowed=(API_VERSION,)),)
    try:
        return model.model_validate(data), ()
    except ValidationError as invalid:
        errors = invalid.errors(include_url=False)
        paths = [error["loc"] for error in errors]
        problems = []
        for error in errors:
            # pydantic counts a list's entries after it has dropped the wrong ones.
            inside = any(len(path) > len(error["loc"]) and path[: len(error["loc"])] == error["loc"] for path in paths)
            if error["type"] != "too_short" or not inside:
                problems.append(_problem(error, model, subject))
        return None, tuple(problems)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _problem(error: ErrorDetails, model: type[Kind], subject: _Subject) -> Problem:
    context = error.get("ctx", {})
    path = (*error["loc"], *context.get("at", ()))
    field, given, code = field_path(path), error["input"], error["type"]
    if code == "extra_forbidden":
        unknown = str(path[-1])
        allowed = _fields(model, path[:-1])
        return subject.problem(field, "UnknownField", f'unknown field "{unknown}"', given=unknown, allowed=allowed)
    if code == "missing":
        return subject.problem(field, "MissingField", "required, and missing")
    if given is NULL or given is None:
        return subject.problem(field, "NoValue", "it has no value; give one, or leave the field out")
    if code == "literal_error":
        allowed = _choices(model, path)
        message = f"{_shown(given)} is not allowed here"
        return subject.problem(field, "WrongValue", message, given=str(given), allowed=allowed)
    if code in _EXPECTED:
        message = f"{_shown(given)} is not {_EXPECTED[code]}{_hint(code, given)}"
        return subject.problem(field, "WrongType", message)
    if "at" in context:  # one of our own, which says it all
        return subject.problem(field, _camel(code), error["msg"])
    if code in _BOUNDS:
        return subject.problem(
            field, "WrongValue", f"{_shown(given)} is out of bounds: {_BOUNDS[code].format(**context)}"
        )
    if code == "string_pattern_mismatch":
        return subject.problem(field, "WrongValue", f"{_shown(given)} does not have the form {context['pattern']}")
    return subject.problem(field, "WrongValue", f"{_shown(given)} is not allowed: {error['msg']}")


def _hint(code: str, given: object) -> str:
    if code == "string_type" and isinstance(given, bool):
        return " (YAML takes yes, no, on, off, y and n for true and false); write it with quotes"
    if code == "string_type" and isinstance(given, int | float):
        return f'; write "{given}"'
    if code in {"int_type", "bool_type"} and isinstance(given, str):
        return "; write it without quotes"
    return ""


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return f'"{text if len(text) <= 80 else text[:77] + "..."}"' if isinstance(value, str) else text


def _camel(code: str) -> str:
    return "".join(word.capitalize() for word in code.split("_"))


def _fields(model: type[BaseModel], path: tuple[str | int, ...]) -> tuple[str, ...]:
    found = _inner(model, path)
    if isinstance(found, type) and issubclass(found, BaseModel):
        return tuple(sorted(alias(found, name) for name in found.model_fields))
    return ()


def _choices(model: type[BaseModel], path: tuple[str | int, ...]) -> tuple[str, ...]:
    found = tuple(str(choice) for choice in get_args(_inner(model, path)))
    return found if len(found) <= _MANY_ALLOWED else ()


def _inner(model: type[BaseModel], path: tuple[str | int, ...]) -> Any:
    """The type at a path of YAML names and indexes, without `| None` and without annotations' metadata."""
    found: Any = model
    for step in path:
        if isinstance(step, int):
            found = get_args(found)[0]
        else:
            by_alias = {alias(found, name): field for name, field in found.model_fields.items()}
            found = by_alias[step].annotation
        if get_origin(found) is types.UnionType or type(None) in get_args(found):
            found = next(choice for choice in get_args(found) if choice is not type(None))
        if hasattr(found, "__metadata__"):
            found = get_args(found)[0]
    return found
