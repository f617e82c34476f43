"""However a request is written, an edit changes the wanted top-level fields and nothing else."""

import json
from typing import Any

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from sluice_sidecar.dialects.splice import REMOVED, spliced

FIELDS = ["model", "stream", "stream_options", "logprobs"]
NAMES = st.sampled_from([*FIELDS, "é", 'a"b', "messages"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(FIELDS)
    | st.text(max_size=8)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)
BODIES = st.dictionaries(NAMES, VALUES, max_size=6)
CHANGES = st.dictionaries(st.sampled_from(FIELDS), VALUES | st.just(REMOVED), max_size=4)


def within_64_bits(value: Any) -> Any:
    """A change's own value comes from the gateway, which has no greater integers."""
    if type(value) is int:
        return value % 2**63
    if isinstance(value, list):
        return [within_64_bits(one) for one in value]
    if isinstance(value, dict):
        return {name: within_64_bits(one) for name, one in value.items()}
    return value


@given(BODIES, CHANGES, st.sampled_from([None, 2]), st.booleans())
@example({"model": "m", "x": {"model": 10**20}}, {"model": "n"}, None, False)
def test_an_edit(body: dict[str, Any], changes: dict[str, Any], indent: int | None, ascii_only: bool) -> None:
    changes = {name: value if value is REMOVED else within_64_bits(value) for name, value in changes.items()}
    raw = json.dumps(body, indent=indent, ensure_ascii=ascii_only).encode()
    found = spliced(raw, orjson.loads(raw), changes)
    expected = {name: value for name, value in {**body, **changes}.items() if value is not REMOVED}
    assert json.loads(found) == expected


@given(BODIES)
def test_no_edit_is_the_same_bytes(body: dict[str, Any]) -> None:
    raw = json.dumps(body).encode()
    assert spliced(raw, orjson.loads(raw), {}) is raw
