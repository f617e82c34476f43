"""The generated CRDs and reference are current, and what an API server demands of them holds."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from sluice_cli.crds import chart_files, crd_files, kinds_page, stale
from sluice_cli.main import main
from sluice_operator.crd import custom_resource_definition
from sluice_operator.kinds import KINDS, Kind

ROOT = Path(__file__).parents[2]
EVERY = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def version(kind: type[Kind]) -> dict[str, Any]:
    found: dict[str, Any] = custom_resource_definition(kind)["spec"]["versions"][0]
    return found


def nodes(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from nodes(field, f"{path}.{name}")
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")


def schema_nodes(kind: type[Kind]) -> list[tuple[str, dict[str, Any]]]:
    return list(nodes(version(kind)["schema"]["openAPIV3Schema"]))


def test_the_files_in_the_repository_are_current() -> None:
    files = {ROOT / "crds" / name: text for name, text in crd_files().items()}
    files |= {ROOT / "charts" / "sluice" / name: text for name, text in chart_files().items()}
    files |= {ROOT / "docs" / "kinds.md": kinds_page()}
    assert stale(files) == [], "run: make crds"
    assert {path.name for path in (ROOT / "crds").iterdir()} == set(crd_files())
    templates = ROOT / "charts" / "sluice" / "templates" / "crds"
    assert {f"templates/crds/{path.name}" for path in templates.iterdir()} == set(chart_files())


@EVERY
def test_a_schema_is_structural_and_without_floats(kind: type[Kind]) -> None:
    for path, node in schema_nodes(kind):
        assert node["type"] in {"object", "array", "string", "integer", "boolean"}, path
        assert not {"$ref", "anyOf", "allOf", "oneOf", "additionalProperties", "title", "default"} & set(node), path


@EVERY
def test_lists_and_texts_are_bounded_so_that_rules_are_cheap(kind: type[Kind]) -> None:
    for path, node in schema_nodes(kind):
        if path.startswith(".spec") and node["type"] == "array":
            assert "maxItems" in node, path
        if path.startswith(".spec") and node["type"] == "string":
            assert "maxLength" in node or "enum" in node, path


@EVERY
def test_every_field_is_described(kind: type[Kind]) -> None:
    for path, node in schema_nodes(kind):
        if not path.endswith("[]") and path not in {".apiVersion", ".kind", ".metadata"}:
            assert len(node.get("description", "")) > 3, path


@EVERY
def test_lists_of_named_entries_merge_by_their_required_name(kind: type[Kind]) -> None:
    for path, node in schema_nodes(kind):
        for key in node.get("x-kubernetes-list-map-keys", []):
            assert key in node["items"]["required"], path


@EVERY
def test_a_pattern_is_a_rule_that_says_what_to_write(kind: type[Kind]) -> None:
    for path, node in schema_nodes(kind):
        assert "pattern" not in node, path
        assert not [key for key in node if key.startswith("x-sluice")], path


@EVERY
def test_a_crd_is_small_enough_for_a_plain_apply(kind: type[Kind]) -> None:
    assert len(crd_files()[f"sluice.dev_{kind.plural}.yaml"]) < 256 * 1024


@EVERY
def test_columns_read_fields_that_are_there(kind: type[Kind]) -> None:
    paths = {path for path, _ in schema_nodes(kind)}
    for column in version(kind)["additionalPrinterColumns"]:
        path = column["jsonPath"].partition("[")[0]
        assert path in paths or path == ".metadata.creationTimestamp"


def test_kinds_have_their_short_names_and_one_category() -> None:
    names = [custom_resource_definition(kind)["spec"]["names"] for kind in KINDS.values()]
    assert [name["shortNames"] for name in names] == [["mr"], ["cp"], ["qm"], ["bw"], ["pa"], ["sg"]]
    assert {tuple(name["categories"]) for name in names} == {("sluice",)}


def test_models_have_a_scale_subresource() -> None:
    assert version(KINDS["QuantisedModel"])["subresources"]["scale"]["specReplicasPath"] == ".spec.replicas"


def test_exactly_one_is_a_rule_of_the_crd_with_reserved_words_escaped() -> None:
    source = dict(schema_nodes(KINDS["QuantisedModel"]))[".spec.source"]
    (rule,) = source["x-kubernetes-validations"]
    assert rule["message"] == "give exactly one of huggingFace, pvc, image, hostPath, package"
    assert "has(self.hostPath), has(self.__package__)" in rule["rule"]


def test_defaults_are_named_in_descriptions() -> None:
    fields = dict(schema_nodes(KINDS["ModelRoute"]))
    assert fields[".spec.resilience.timeout"]["description"].endswith("Default: 10m.")
    assert fields[".spec.strategy.task.margin"]["description"].endswith("Default: 0.1.")


def test_free_json_is_kept_as_it_is() -> None:
    check = dict(schema_nodes(KINDS["ModelRoute"]))[".spec.strategy.cascade.accept.checks[].jsonSchema"]
    assert check["x-kubernetes-preserve-unknown-fields"] is True


def test_the_command_writes_then_finds_them_current_then_stale(tmp_path: Path) -> None:
    target = ["crds", "--dir", str(tmp_path / "crds"), "--docs", str(tmp_path / "kinds.md")]
    assert CliRunner().invoke(main, [*target, "--check"]).exit_code == 1
    assert CliRunner().invoke(main, target).exit_code == 0
    assert CliRunner().invoke(main, [*target, "--check"]).exit_code == 0
    (tmp_path / "kinds.md").write_text("old")
    result = CliRunner().invoke(main, [*target, "--check"])
    assert result.exit_code == 1
    assert "stale" in result.output
    assert "kinds.md" in result.output


def test_without_a_folder_they_are_printed_for_kubectl() -> None:
    result = CliRunner().invoke(main, ["crds"])
    assert [crd["kind"] for crd in yaml.safe_load_all(result.stdout)] == ["CustomResourceDefinition"] * len(KINDS)
