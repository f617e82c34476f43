"""A kind's CustomResourceDefinition, from its pydantic model: structural, without floats, with the model's own rules.

Defaults are not written into the schema: a stored object holds what its user wrote, and a default that a release
improves reaches every object. Descriptions name them.
"""

from typing import Any

from sluice_operator.kinds.metadata import GROUP, VERSION, Column, Kind
from sluice_operator.kinds.part import CURE

_KEPT = frozenset(
    {"description", "enum", "format", "maxItems", "maxLength", "maximum", "minItems", "minLength", "minimum", "pattern"}
)

_METADATA_NAME = {"type": "string", "description": "Here so that a rule can name it as the refused field."}


def custom_resource_definition(kind: type[Kind]) -> dict[str, Any]:
    """The CRD as plain data, ready for YAML or an API server."""
    version: dict[str, Any] = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": [_column(column) for column in kind.columns],
        "schema": {"openAPIV3Schema": open_api_schema(kind)},
        "subresources": {"status": {}},
    }
    if kind.scalable:
        version["subresources"]["scale"] = {
            "specReplicasPath": ".spec.replicas",
            "statusReplicasPath": ".status.replicas",
            "labelSelectorPath": ".status.selector",
        }
    names = {
        "kind": kind.__name__,
        "listKind": f"{kind.__name__}List",
        "plural": kind.plural,
        "singular": kind.__name__.lower(),
        "shortNames": [kind.short_name],
        "categories": ["sluice"],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}"},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }


def open_api_schema(kind: type[Kind]) -> dict[str, Any]:
    """The kind's schema in the form of OpenAPI v3 that Kubernetes calls structural."""
    written = kind.model_json_schema(by_alias=True, mode="validation")
    schema = _structural(written, written.get("$defs", {}))
    properties = schema["properties"]
    properties["apiVersion"] = {"type": "string"}
    properties["kind"] = {"type": "string"}
    properties["metadata"] = {"type": "object", "properties": {"name": _METADATA_NAME}}
    schema["required"] = [name for name in schema["required"] if name == "spec"]
    if not schema["required"]:
        del schema["required"]
    return schema


def default_text(written: dict[str, Any]) -> str | None:
    """A field's default as its description names it; None where it has none, or the description says it already."""
    default = written.get("default")
    if default is None or default == [] or isinstance(default, dict) or "Default:" in written.get("description", ""):
        return None
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, list):
        return ", ".join(map(str, default))
    return str(default)


def _column(column: Column) -> dict[str, Any]:
    written: dict[str, Any] = {"name": column.name, "type": column.type, "jsonPath": column.path}
    return written | {"priority": 1} if column.wide else written


def _structural(written: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """One node: references put in place, `| null` taken off, JSON schema's words turned into OpenAPI's."""
    node = _resolved(written, definitions)
    schema: dict[str, Any] = {"type": node["type"]}
    schema |= {key: value for key, value in node.items() if key in _KEPT or key.startswith("x-kubernetes-")}
    if "description" in node:
        described = " ".join(node["description"].split())
        default = default_text(node)
        schema["description"] = f"{described} Default: {default}." if default is not None else described
    if CURE in node and "pattern" in schema:
        # A pattern alone is answered with the pattern; a rule says what to write.
        rule = {"rule": f"self.matches(r'{schema.pop('pattern')}')", "message": node[CURE]}
        schema["x-kubernetes-validations"] = [*schema.get("x-kubernetes-validations", []), rule]
    if "const" in node:
        schema["enum"] = [node["const"]]
    if node["type"] == "integer":
        schema["format"] = "int64"
    if node["type"] == "array":
        schema["items"] = _structural(node["items"], definitions)
    if node["type"] == "object":
        if node.get("additionalProperties") is True:
            schema["x-kubernetes-preserve-unknown-fields"] = True
        if node.get("properties"):
            schema["properties"] = {name: _structural(p, definitions) for name, p in node["properties"].items()}
        if node.get("required"):
            schema["required"] = node["required"]
    return schema


def _resolved(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    if "anyOf" in node:
        given = [choice for choice in node["anyOf"] if choice.get("type") != "null"]
        assert len(given) == 1, f"a kind's field is of one type: {node}"
        node = {**given[0], **{key: value for key, value in node.items() if key != "anyOf"}}
    if "$ref" in node:
        target = definitions[node["$ref"].rpartition("/")[2]]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return node
