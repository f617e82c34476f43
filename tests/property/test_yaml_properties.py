"""The YAML reader: of any text there are documents or flaws, never an exception; JSON comes out as it went in."""

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice_cli.files import load
from sluice_cli.yaml_tree import documents

ALPHABET = st.sampled_from(
    [*"abk01:-[]{}'\"&*!|>%@#,?<~. \n\t\\", "\x01", "é", "<<: *a", "&a ", "*a", "---\n", "!!int "]
)
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.lists(ALPHABET, max_size=40).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    for document in documents(text):
        assert document.data is not None or document.flaws
        assert all(1 <= flaw.line <= text.count("\n") + 1 for flaw in document.flaws)


@settings(deadline=None)
@given(st.dictionaries(WORDS, VALUES, min_size=1, max_size=3))
def test_json_is_read_as_it_is(value: dict[str, Any]) -> None:
    (document,) = documents(json.dumps(value, ensure_ascii=False))
    assert (document.data, document.flaws) == (value, [])


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60))
def test_any_bytes_are_objects_or_findings(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(content)
    loaded = load([path])
    assert loaded.resources or loaded.findings
