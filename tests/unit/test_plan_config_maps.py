"""The Config as ConfigMaps: one while it fits, content-addressed shards with an index when it does not."""

import json
from typing import Any

import pytest

from doubles.objects import custom, parsed, route
from sluice_operator import names
from sluice_operator.compile import compile  # noqa: A004
from sluice_operator.plan.config_maps import config_maps, last_config
from sluice_operator.plan.owned import secret
from sluice_operator.plan.plan import Manifest, Ref
from sluice_sidecar.config import Config

SALT = "5a" * 32


def config(*objects: dict[str, Any]) -> Config:
    return compile(parsed(*objects), namespace="team").config


def there(manifests: list[Manifest], salt: str = SALT) -> dict[Ref, Manifest]:
    """What is seen beside the namespace's Secret."""
    kept = secret("team", names.CREDENTIALS_SECRET, "credentials", {names.CREDENTIALS_SALT: salt})
    return {Ref.of(manifest): manifest for manifest in (kept, *manifests)}


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "SHARD_BYTES", 300)


def test_a_config_that_fits_is_one_config_map() -> None:
    wanted = config(route("a"))
    (made,) = config_maps("team", wanted, SALT)
    assert made["metadata"]["name"] == "sluice-config"
    assert {key for key, value in made["data"].items() if value} == {"config.json", "signature"}
    assert last_config("team", there([made])) == wanted


@pytest.mark.usefixtures("small_shards")
def test_a_larger_one_is_shards_and_an_index_after_them() -> None:
    wanted = config(route("a"), route("b"))
    *shards, index = config_maps("team", wanted, SALT)
    assert len(shards) > 2
    entries = json.loads(index["data"]["shards.json"])
    assert entries["digest"] == wanted.digest
    assert [entry["name"] for entry in entries["shards"]] == [shard["metadata"]["name"] for shard in shards]
    assert all(len(shard["data"]["part"].encode()) <= 300 for shard in shards)
    assert last_config("team", there([*shards, index])) == wanted


@pytest.mark.usefixtures("small_shards")
def test_shards_are_never_cut_in_a_character() -> None:
    wanted = config(route("a", custom("b", "https://" + "a" * 60 + ".example.com/日本語" + "語" * 100)))
    assert last_config("team", there(config_maps("team", wanted, SALT))) == wanted


@pytest.mark.usefixtures("small_shards")
def test_a_shard_that_is_missing_or_changed_makes_no_config() -> None:
    shard, *rest = config_maps("team", config(route("a"), route("b")), SALT)
    assert last_config("team", there(rest)) is None
    forged = {**shard, "data": {"part": shard["data"]["part"] + " "}}
    assert last_config("team", there([forged, *rest])) is None


@pytest.mark.parametrize("data", [{}, {"config.json": "{"}, {"config.json": '{"schema": "x"}'}, {"shards.json": "[]"}])
def test_what_cannot_be_read_is_no_config(data: dict[str, str]) -> None:
    (made,) = config_maps("team", config(route("a")), SALT)
    assert last_config("team", there([{**made, "data": data}])) is None
    assert last_config("team", {}) is None


def test_another_namespaces_config_is_not_taken() -> None:
    (made,) = config_maps("team", config(route("a")).model_copy(update={"namespace": "other"}), SALT)
    assert last_config("team", there([made])) is None
