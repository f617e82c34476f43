"""The salt of the aggregated Secret, by which the shared gateway knows what the operator signed."""

import base64
from pathlib import Path

from sluice_sidecar.cluster.credentials import ClusterCredentials
from sluice_sidecar.cluster.places import Places
from sluice_sidecar.signature import sign

SALT = "5a" * 32


def data(**values: str) -> dict[str, str]:
    return {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}


def test_nothing_is_signed_before_the_secret_is_there(tmp_path: Path) -> None:
    credentials = ClusterCredentials(Places(tmp_path))
    assert not credentials.taken
    assert not credentials.signed("team", "{}", sign(SALT, "team", "{}"))


def test_the_salt_of_the_secret_decides(tmp_path: Path) -> None:
    credentials = ClusterCredentials(Places(tmp_path))
    credentials.take(data(salt=SALT))
    assert credentials.taken
    assert credentials.signed("team", "{}", sign(SALT, "team", "{}"))
    assert not credentials.signed("other", "{}", sign(SALT, "team", "{}"))
    assert not credentials.signed("team", "{}", "")


def test_a_secret_without_a_salt_signs_nothing(tmp_path: Path) -> None:
    credentials = ClusterCredentials(Places(tmp_path))
    credentials.take({})
    assert credentials.taken
    assert not credentials.signed("team", "{}", "")


def test_a_new_salt_is_a_change(tmp_path: Path) -> None:
    credentials = ClusterCredentials(Places(tmp_path))
    credentials.take(data(salt=SALT))
    assert credentials.refresh()
    credentials.take(data(salt=SALT))
    assert not credentials.refresh()
    credentials.take(data(salt=SALT[::-1]))
    assert credentials.refresh()
    assert credentials.entries("salt") == {}
    assert SALT not in repr(credentials)
