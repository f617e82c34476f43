"""What somebody else writes into the ConfigMaps of a Config is never kept for an object that is broken."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest

from doubles.objects import custom, gateway, route
from doubles.planning import NOW, applied, changed, published, secret_values, seen, settled
from sluice_operator import names
from sluice_operator.plan.config_maps import config_maps, last_config
from sluice_operator.plan.namespace import plan
from sluice_operator.plan.plan import Ref
from sluice_operator.plan.seen import Secret, Seen
from sluice_sidecar.config import Config

REF = Ref("v1", "ConfigMap", "team", names.CONFIG_MAP)
EVIL = "https://evil.example.com/v1"
BROKEN = route("theirs", cachePolicy={"name": "gone"})
KEYS = {"auth": {"keys": {"secret": "keys"}}}


def forged(text: str) -> str:
    """The Config with the backends of `theirs` elsewhere, sealed as the operator seals it."""
    config = Config.model_validate_json(text)
    section = config.routes["theirs"]
    backends = {name: backend.model_copy(update={"url": EVIL}) for name, backend in section.backends.items()}
    routes = {**config.routes, "theirs": section.model_copy(update={"backends": backends})}
    return config.model_copy(update={"routes": routes}).sealed().to_json().decode()


def with_data(of: Seen, ref: Ref = REF, /, **data: str | None) -> Seen:
    """With these keys of a ConfigMap (`_` for a dot) written by somebody else; None takes one away."""
    found = of.children[ref]
    given = {key.replace("_", "."): value for key, value in data.items()}
    wanted = {key: value for key, value in {**found["data"], **given}.items() if value is not None}
    return dataclasses.replace(of, children={**of.children, ref: {**found, "data": wanted}})


def routes(of: Seen) -> dict[str, Any]:
    return {name: [b.url for b in section.backends.values()] for name, section in published(of).routes.items()}


def both() -> Seen:
    return settled(seen(route("mine"), route("theirs", custom("h"))))


def test_a_forged_section_is_not_kept_and_others_are_served() -> None:
    now = both()
    attacked = with_data(now, config_json=forged(now.children[REF]["data"]["config.json"]))
    done = plan(changed(attacked, route("mine"), BROKEN), NOW)
    after = applied(attacked, done)
    assert EVIL not in json.dumps([dict(manifest) for manifest in done.apply])
    assert routes(after) == {"mine": routes(now)["mine"]}
    (event,) = [event for event in done.events if event.ref == REF]
    assert (event.type, event.reason) == ("Warning", "ConfigNotOurs")
    assert plan(settled(changed(attacked, route("mine"), BROKEN)), NOW).empty


def test_an_honest_section_is_kept() -> None:
    now = both()
    assert routes(settled(changed(now, route("mine"), BROKEN))) == routes(now)


@pytest.mark.parametrize("signature", [None, "", "0" * 64])
def test_a_config_without_the_operators_signature_was_never_published(signature: str | None) -> None:
    attacked = with_data(both(), signature=signature)
    assert last_config("team", attacked.children) is None
    assert set(routes(settled(changed(attacked, route("mine"), BROKEN)))) == {"mine"}


def test_an_upgrade_from_unsigned_signs_at_once() -> None:
    unsigned = with_data(both(), signature=None)
    now = settled(unsigned)
    assert last_config("team", now.children) == published(unsigned)
    assert plan(now, NOW).empty


def test_a_forged_gateway_drops_no_callers_keys() -> None:
    keys = [Secret("keys", {"tenant": "k-1"})]
    now = settled(seen(route("mine"), gateway(**KEYS), secrets=keys))
    config = published(now)
    opened = config.model_copy(update={"gateway": config.gateway.model_copy(update={"keys_secret": None})}).sealed()
    broken = [route("mine"), gateway(**KEYS, drain="soon")]
    kept = published(settled(changed(now, *broken)))
    assert (kept.gateway.keys_secret, set(kept.routes)) == ("keys", {"mine"})
    attacked = settled(changed(with_data(now, config_json=opened.to_json().decode()), *broken))
    assert published(attacked).closed
    assert published(attacked).routes == {}


def test_a_config_that_was_signed_for_another_namespace_is_refused() -> None:
    now = both()
    salt = secret_values(now, names.CREDENTIALS_SECRET)[names.CREDENTIALS_SALT]
    config = Config.model_validate_json(forged(now.children[REF]["data"]["config.json"]))
    (other,) = config_maps("other", config, salt)  # even with the same salt
    replayed = with_data(now, config_json=other["data"]["config.json"], signature=other["data"]["signature"])
    assert last_config("team", replayed.children) is None


def test_a_new_salt_ends_what_was_signed_with_the_old_one() -> None:
    now = both()
    ref = Ref("v1", "Secret", "team", names.CREDENTIALS_SECRET)
    lost = dataclasses.replace(now, children={r: m for r, m in now.children.items() if r != ref})
    assert last_config("team", lost.children) is None
    done = plan(lost, NOW)
    written = [names.CREDENTIALS_SECRET, names.CONFIG_MAP, names.ENDPOINTS_MAP]
    assert [manifest["metadata"]["name"] for manifest in done.apply] == written
    assert plan(applied(lost, done), NOW).empty


def test_a_changed_shard_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "SHARD_BYTES", 300)
    now = both()
    assert last_config("team", now.children) is not None
    shard = next(ref for ref in now.children if ref.name.startswith(f"{names.CONFIG_MAP}-") and ref.kind == "ConfigMap")
    attacked = with_data(now, shard, part="{}")
    assert last_config("team", attacked.children) is None
    assert last_config("team", settled(attacked).children) == last_config("team", now.children)


def test_other_shards_with_an_index_that_agrees_are_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    text = both().children[REF]["data"]["config.json"]
    monkeypatch.setattr(names, "SHARD_BYTES", 300)
    now = both()
    *shards, index = config_maps("team", Config.model_validate_json(forged(text)), "a salt of one's own")
    attacked = dataclasses.replace(now, children={**now.children, **{Ref.of(shard): shard for shard in shards}})
    attacked = with_data(attacked, shards_json=index["data"]["shards.json"])
    assert last_config("team", attacked.children) is None
    assert last_config("team", settled(attacked).children) == last_config("team", now.children)


def plain(_: pytest.MonkeyPatch) -> str:
    return "shards_json"


def sharded(patch: pytest.MonkeyPatch) -> str:
    patch.setattr(names, "SHARD_BYTES", 300)
    return "config_json"


@pytest.mark.parametrize("form", [plain, sharded])
def test_the_key_of_the_other_form_cannot_be_added_by_somebody_else(
    monkeypatch: pytest.MonkeyPatch, form: Callable[[pytest.MonkeyPatch], str]
) -> None:
    key = form(monkeypatch)
    now = both()
    attacked = with_data(now, **{key: '{"shards": []}'})
    done = plan(attacked, NOW)
    assert [Ref.of(manifest) for manifest in done.apply] == [REF]
    assert last_config("team", applied(attacked, done).children) == last_config("team", now.children)


def test_an_unknown_key_is_read_by_nobody_and_left() -> None:
    noted = with_data(both(), note="who owns this?")
    assert plan(noted, NOW).empty
