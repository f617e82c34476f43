"""The operator's signature of a Config: what else is signed, or with what, it tells."""

import pytest

from sluice_sidecar.signature import is_signed, sign

SALT = "5a" * 32


def test_what_was_signed_is_signed() -> None:
    signature = sign(SALT, "team", "{}")
    assert len(signature) == 64
    assert is_signed(SALT, "team", "{}", signature)


@pytest.mark.parametrize(
    ("salt", "namespace", "text"),
    [(SALT, "team", "{} "), (SALT, "other", "{}"), (SALT, "tea", "m{}"), (SALT[:-1] + "b", "team", "{}")],
)
def test_another_text_namespace_or_salt_is_not_signed_by_it(salt: str, namespace: str, text: str) -> None:
    assert not is_signed(salt, namespace, text, sign(SALT, "team", "{}"))


def test_a_config_and_endpoints_are_not_signed_alike() -> None:
    signature = sign(SALT, "team", "{}", "endpoints")
    assert is_signed(SALT, "team", "{}", signature, "endpoints")
    assert not is_signed(SALT, "team", "{}", signature)
    assert not is_signed(SALT, "team", "{}", sign(SALT, "team", "{}"), "endpoints")


@pytest.mark.parametrize("signature", ["", "0" * 64, "ü", sign(SALT, "team", "{}").upper()])
def test_no_signature_is_none(signature: str) -> None:
    assert not is_signed(SALT, "team", "{}", signature)


def test_without_a_salt_nothing_is_signed() -> None:
    with pytest.raises(ValueError, match="salt"):
        sign("", "team", "{}")
    assert not is_signed("", "team", "{}", sign(SALT, "team", "{}"))
