"""Files are read strictly: every problem of every file at once, in one line that says where, what and the cure."""

import json
from pathlib import Path

import pytest

from doubles.objects import custom, model, route
from sluice_cli.files import MAX_BYTES, check, load

ROUTE = """\
apiVersion: sluice.dev/v1alpha1
kind: ModelRoute
metadata:
  name: support
spec:
  backends:
    - name: house
      custom: {url: "http://127.0.0.1:9100/v1", dialect: OpenAI}
"""


def findings(tmp_path: Path, text: str | bytes, name: str = "x.yaml") -> list[str]:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return [str(finding).removeprefix(f"{tmp_path}/") for finding in check([path]).errors]


def test_a_valid_file_has_no_finding(tmp_path: Path) -> None:
    assert findings(tmp_path, ROUTE) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            ROUTE + "  afinity: None\n",
            'x.yaml:9: ModelRoute/support: spec.afinity: unknown field "afinity"; allowed: affinity, backends, '
            "cachePolicy, fallbacks, limits, mirror, models, prompt, reference, resilience, strategy; "
            "did you mean affinity?",
        ),
        (ROUTE + "  models: auto\n", 'x.yaml:9: ModelRoute/support: spec.models: "auto" is not a list'),
        (
            ROUTE + "  fallbacks:\n  - house\n  - huose\n",
            'x.yaml:11: ModelRoute/support: spec.fallbacks[1]: this route has no backend "huose"; allowed: house; '
            "did you mean house?",
        ),
        (
            ROUTE + "  cachePolicy:\n    name: support\n",
            'x.yaml:10: ModelRoute/support: spec.cachePolicy.name: there is no CachePolicy "support"',
        ),
        (
            ROUTE + "  mirror: {percent: 5}\n",
            "x.yaml:9: ModelRoute/support: spec.mirror.backend: required, and missing",
        ),
        (
            ROUTE + "  limits:\n    costPerDay: 0.5\n",
            'x.yaml:10: ModelRoute/support: spec.limits.costPerDay: a number without quotes; write "0.5" with quotes',
        ),
        (
            ROUTE + "  limits:\n    tokensPerMinute: 10\n",
            "x.yaml:9: ModelRoute/support: spec.limits: limits are not enforced "
            "by this release, so requests and cost would have no bound; take them out to go on so",
        ),
        (ROUTE + "spec: {}\n", 'x.yaml:9: ModelRoute/support: spec: the key "spec" is given twice, first in line 5'),
        (
            ROUTE.replace("ModelRoute", "ModelRout"),
            'x.yaml:2: ModelRout/support: kind: "ModelRout" is not a kind of Sluice; '
            "allowed: ModelRoute, CachePolicy, QuantisedModel, BatchWindow, PromptAudit, SluiceGateway; "
            "did you mean ModelRoute?",
        ),
        (
            ROUTE.replace("v1alpha1", "v1"),
            'x.yaml:1: ModelRoute/support: apiVersion: "sluice.dev/v1" is not a version of '
            "ModelRoute; allowed: sluice.dev/v1alpha1",
        ),
        (
            ROUTE.replace("  name: support", "  labels: {}"),
            "x.yaml:3: ModelRoute/?: metadata.name: required, and missing",
        ),
        ("[1]\n", "x.yaml:1: not an object with apiVersion, kind, metadata and spec"),
        ("a: [\n", "x.yaml:1: not YAML: did not find expected node content"),
        ("a:\n\tb: 1\n", "x.yaml:2: not YAML: a tab; YAML indents with spaces"),
        ("", "x.yaml: empty"),
        ("# nothing\n", "x.yaml:1: holds no object, only comments or empty documents"),
        (b"a: 1\nb: \xff\n", "x.yaml:2: not UTF-8: byte 0xff; save it as UTF-8"),
        (ROUTE.encode("utf-16"), "x.yaml:1: not UTF-8: byte 0xff; save it as UTF-8"),
        (b"#" * (MAX_BYTES + 1), "x.yaml: larger than 4 MB; split it"),
    ],
)
def test_a_finding_is_one_line_that_says_it_all(tmp_path: Path, text: str | bytes, expected: str) -> None:
    found = findings(tmp_path, text)
    assert expected in found
    assert len(found) == 1 or "spec: {}" in str(text)


def test_a_file_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    (found,) = check([tmp_path / "none.yaml"]).errors
    assert "No such file" in str(found)


def test_all_problems_of_all_files_are_found_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(ROUTE + "  afinity: None\n")
    (tmp_path / "b.yaml").write_text(ROUTE.replace("support", "other") + "  fallbacks: [none]\n---\na: [")
    lines = [(Path(finding.file).name, finding.line) for finding in check([tmp_path]).errors]
    assert lines == [("a.yaml", 9), ("b.yaml", 9), ("b.yaml", 11)]


def test_a_second_object_of_a_name_is_refused_with_the_place_of_the_first(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(ROUTE)
    (tmp_path / "b.yaml").write_text("---\n" + ROUTE)
    (found,) = check([tmp_path]).errors
    assert str(found).startswith(f"{tmp_path}/b.yaml:5: ModelRoute/support: metadata.name: a second ModelRoute")
    assert f"{tmp_path}/a.yaml:1" in str(found)


def test_a_name_claimed_twice_is_an_error_in_the_later_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(ROUTE + "  models: [auto]\n")
    (tmp_path / "b.yaml").write_text(ROUTE.replace("support", "other") + "  models:\n  - auto\n")
    (found,) = check([tmp_path]).errors
    assert (Path(found.file).name, found.line, found.problem.reason) == ("b.yaml", 10, "ModelNameTaken")


def test_warnings_have_their_place_too(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(ROUTE + "  affinity: Prefix\n")
    (found,) = check([tmp_path]).warnings
    assert (found.line, found.problem.field) == (9, "spec.affinity")


def test_json_is_read_with_its_lines(tmp_path: Path) -> None:
    text = json.dumps(route("a", custom("b"), affinity="prefix"), indent=2)
    line = 1 + text[: text.index('"affinity"')].count("\n")
    (found,) = findings(tmp_path, text, "x.json")
    assert found.startswith(f"x.json:{line}: ModelRoute/a: spec.affinity:")


def test_a_list_as_kubectl_writes_it_is_its_objects(tmp_path: Path) -> None:
    body = "".join(f"  {line}\n" for line in ROUTE.splitlines())
    (tmp_path / "x.yaml").write_text("apiVersion: v1\nkind: List\nitems:\n-" + body[1:] + "    afinity: x\n")
    (found,) = check([tmp_path / "x.yaml"]).errors
    assert (found.line, found.problem.name, found.problem.field) == (12, "support", "spec.afinity")


def test_a_folder_is_read_below_in_the_order_of_names_without_what_is_hidden(tmp_path: Path) -> None:
    for name in ("b.yml", "a/z.yaml", ".git/x.yaml", ".hidden.yaml", "notes.txt", "c.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps(route(Path(name).stem.strip("."))))
    loaded = load([tmp_path, tmp_path / "b.yml"])
    assert [path.relative_to(tmp_path).as_posix() for path in loaded.files] == ["b.yml", "c.json", "a/z.yaml"]
    assert [resource.name for resource in loaded.resources] == ["b", "c", "z"]


def test_an_empty_folder_is_a_finding(tmp_path: Path) -> None:
    (found,) = check([tmp_path]).errors
    assert ".yaml" in str(found)


def test_a_relative_path_of_a_model_counts_from_its_file(tmp_path: Path) -> None:
    data = model("m", source={"hostPath": {"path": "weights/m.gguf"}})
    (tmp_path / "x.json").write_text(json.dumps(data))
    (resource,) = load([tmp_path / "x.json"]).resources
    assert resource.value is not None
    written = resource.value.model_dump(by_alias=True)["spec"]["source"]["hostPath"]["path"]
    assert written == str(tmp_path.resolve() / "weights/m.gguf")
