"""API keys: who is let in, as whom, and what a wrong key file is told."""

import hashlib
from datetime import UTC, datetime

import pytest

from sluice_sidecar.ask import Problem
from sluice_sidecar.callers import ANYONE, Callers, read_keys

NOW = datetime(2026, 6, 1, tzinfo=UTC).timestamp()


def callers(**entries: str) -> Callers:
    return Callers(read_keys(entries))


def tenant(who: Callers, header: bytes, value: bytes) -> str:
    return who.authenticate({header: value}, NOW)[0].tenant


def test_without_keys_everybody_is_one_tenant() -> None:
    caller, key = Callers(None).authenticate({b"x-tenant": b"acme"}, NOW)
    assert caller.tenant == ANYONE
    assert key is None


@pytest.mark.parametrize(
    ("header", "value"),
    [
        (b"authorization", b"Bearer one"),
        (b"authorization", b"bearer  one "),
        (b"x-api-key", b"one"),
        (b"api-key", b"one"),
    ],
)
def test_three_headers_carry_a_key(header: bytes, value: bytes) -> None:
    assert tenant(callers(acme="one", beta="two"), header, value) == "acme"


def test_a_tenant_may_have_several_keys_and_hashed_ones() -> None:
    digest = hashlib.sha256(b"three").hexdigest()
    who = callers(acme=f"one, two\nsha256:{digest}")
    assert {tenant(who, b"api-key", key) for key in (b"one", b"two", b"three")} == {"acme"}


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "missing_api_key"),
        ({b"authorization": b"Basic one"}, "missing_api_key"),
        ({b"authorization": b"Bearer "}, "missing_api_key"),
        ({b"api-key": b"nine"}, "invalid_api_key"),
        ({b"api-key": b"old"}, "expired_api_key"),
    ],
)
def test_everybody_else_is_refused(headers: dict[bytes, bytes], code: str) -> None:
    with pytest.raises(Problem) as refused:
        callers(acme="one\nold expires=2026-06-01").authenticate(headers, NOW)
    assert (refused.value.status, refused.value.code) == (401, code)


def test_a_key_s_last_second_counts() -> None:
    who = callers(acme="one expires=2026-06-01T00:00:01")
    assert tenant(who, b"api-key", b"one") == "acme"


def test_a_key_may_be_for_some_models_alone() -> None:
    _, key = callers(acme="one models=auto|small").authenticate({b"api-key": b"one"}, NOW)
    assert key is not None
    assert key.models == frozenset({"auto", "small"})


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ({"acme": "one", "beta": "one"}, "acme and beta"),
        ({"acme": "sha256:12ab"}, "64 hexadecimal"),
        ({"acme": "secret-key expires=soon"}, "2027-01-31"),
        ({"acme": "secret-key scope=all"}, "scope"),
    ],
)
def test_a_wrong_entry_is_named_without_its_key(entries: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says) as wrong:
        read_keys(entries)
    assert "secret-key" not in str(wrong.value)


def test_callers_without_keys_are_the_tenant_that_the_gateway_is_told() -> None:
    caller, key = Callers(None, tenant="sa:app").authenticate({b"authorization": b"Bearer sluice"}, 0.0)
    assert caller.tenant == "sa:app"
    assert key is None
