"""A Config in shards counts only when all of them are the ones that the index names."""

import hashlib
import json

import pytest

from sluice_sidecar.cluster.shards import Shard, joined, shards

PARTS = ("first half, ", "second half: ü")
SHARDS = tuple(
    Shard(f"sluice-config-{number}", hashlib.sha256(part.encode()).hexdigest()) for number, part in enumerate(PARTS)
)
INDEX = {"shards.json": json.dumps({"shards": [{"name": one.name, "sha256": one.sha256} for one in SHARDS]})}


def test_a_plain_document_has_no_shards() -> None:
    assert shards({"config.json": "{}"}) == ()
    assert joined({"config.json": "{}"}, {}) == "{}"


def test_shards_are_joined_in_the_order_of_the_index() -> None:
    assert joined(INDEX, dict(zip(SHARDS, PARTS, strict=True))) == "".join(PARTS)


def test_it_is_not_there_while_a_shard_is_missing() -> None:
    assert joined(INDEX, {SHARDS[0]: PARTS[0]}) is None


def test_it_is_not_there_while_a_shard_is_another_one() -> None:
    assert joined(INDEX, {SHARDS[0]: PARTS[0], SHARDS[1]: "old half"}) is None


@pytest.mark.parametrize("data", [{}, {"shards.json": "{"}, {"shards.json": "[]"}, {"shards.json": '{"shards": []}'}])
def test_a_config_map_without_a_document_is_refused(data: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="ConfigMap"):
        shards(data)
