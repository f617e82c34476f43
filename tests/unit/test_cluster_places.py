"""The gateway may not import the operator, so it has its own copy of the names that both agree on."""

from pathlib import Path

import pytest

from sluice_operator import names
from sluice_sidecar.cluster import places


@pytest.mark.parametrize(
    "name",
    [
        *("CONFIG_MAP", "CONFIG_KEY", "SHARDS_KEY", "SHARD_KEY", "SIGNATURE_KEY", "ENDPOINTS_MAP", "ENDPOINTS_KEY"),
        *(
            "CREDENTIALS_SECRET",
            "CREDENTIALS_INDEX",
            "CREDENTIALS_SALT",
            "STORE_SECRET",
            "GATEWAY_NAME",
            "TOKEN_AUDIENCE",
        ),
    ],
)
def test_both_sides_have_the_same_name(name: str) -> None:
    assert getattr(places, name) == getattr(names, name)


def test_both_sides_mean_the_same_folders() -> None:
    here = places.Places()
    assert here.config == Path(names.CONFIG_FOLDER)
    assert here.endpoints == Path(names.ENDPOINTS_FOLDER)
    assert here.api_token.parent == here.api_ca.parent == Path(names.API_FOLDER)
    assert here.token.parent == Path(names.OPERATOR_FOLDER)
    assert here.store == Path(names.STORE_FOLDER)
