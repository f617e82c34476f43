"""Which certificate is due when; at no time is one served that somebody who learned the bundle a day ago distrusts."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from doubles.admission import NAMES, START, kept, later, made
from sluice_operator.admission.tls import Certificates, Due, ca_bundle, dns_names, due, read, rotated, secret_manifest
from sluice_operator.plan.plan import Manifest

OLD = 3650 * 2 / 3 + 1
"""Days after which an authority gets a successor."""


def at(days: float) -> datetime:
    return START + timedelta(days=days)


def leafed(certificates: Certificates, days: float) -> Certificates:
    """With the leaf that it would have by then."""
    return rotated(kept(certificates), NAMES, at(days))


def trusts(bundle: str, certificates: Certificates) -> bool:
    """Whether an authority in the bundle signed the leaf."""
    leaf = x509.load_pem_x509_certificate(certificates.leaf.cert.encode())
    for authority in x509.load_pem_x509_certificates(bundle.encode()):
        if authority.subject == leaf.issuer:
            leaf.verify_directly_issued_by(authority)
            return True
    return False


def test_without_a_secret_all_is_made_once() -> None:
    assert due(None, NAMES, START) is Due.ALL
    assert due(kept(made(START)), NAMES, START) is Due.NOTHING


def test_what_was_written_is_read() -> None:
    certificates = leafed(made(START), OLD)
    both = leafed(certificates, OLD)
    assert both.successor
    assert read(kept(both)) == both


@pytest.mark.parametrize("key", ["ca.crt", "ca.key", "tls.crt", "tls.key"])
@pytest.mark.parametrize("harm", [lambda _: None, lambda _: "?", lambda _: "aGVsbG8=", lambda other: other])
def test_a_damaged_secret_is_made_anew(key: str, harm: Callable[[str], str | None]) -> None:
    secret, other = kept(made(START)), kept(made(START))
    broken = harm(other["data"][key])
    data = {k: v for k, v in {**secret["data"], key: broken}.items() if v is not None}
    assert due({**secret, "data": data}, NAMES, START) is Due.ALL


def test_a_leaf_of_another_authority_is_replaced() -> None:
    secret, other = kept(made(START)), kept(made(START))
    foreign = {key: other["data"][key] for key in ("tls.crt", "tls.key")}
    assert due({**secret, "data": {**secret["data"], **foreign}}, NAMES, START) is Due.LEAF


def test_a_leaf_is_replaced_when_two_thirds_of_its_life_are_over() -> None:
    secret = kept(made(START))
    assert due(secret, NAMES, at(59.9)) is Due.NOTHING
    assert due(secret, NAMES, at(60.1)) is Due.LEAF
    assert due(secret, NAMES, at(1000)) is Due.LEAF


def test_a_leaf_is_replaced_when_a_name_is_missing() -> None:
    secret = kept(made(START))
    assert due(secret, [*NAMES, "new.sluice-system.svc"], START) is Due.LEAF
    assert due(secret, NAMES[:1], START) is Due.NOTHING


def test_a_new_leaf_changes_no_authority() -> None:
    before = made(START)
    after = later(before, days=61)
    assert after.authority == before.authority
    assert after.leaf.key != before.leaf.key
    assert due(kept(after), NAMES, at(61)) is Due.NOTHING


def test_an_authority_that_is_over_or_not_yet_begun_is_replaced_at_once() -> None:
    secret = kept(made(START))
    assert due(secret, NAMES, at(3651)) is Due.ALL
    assert due(secret, NAMES, at(-1)) is Due.ALL


def test_authorities_change_in_steps_a_day_apart() -> None:
    first = leafed(made(START), OLD)
    steps = [due(kept(first), NAMES, at(OLD))]
    second = leafed(first, OLD)
    steps += [due(kept(second), NAMES, at(OLD + days)) for days in (0, 0.9, 1.1)]
    third = leafed(second, OLD + 1.1)
    steps += [due(kept(third), NAMES, at(OLD + days)) for days in (1.1, 2, 2.2)]
    last = leafed(third, OLD + 2.2)
    steps += [due(kept(last), NAMES, at(OLD + 2.2))]
    assert steps == [
        Due.NEXT, Due.NOTHING, Due.NOTHING, Due.PROMOTE, Due.NOTHING, Due.NOTHING, Due.RETIRE, Due.NOTHING,
    ]  # fmt: skip
    assert second.authority == first.authority
    assert third.authority == second.successor
    assert last.predecessor == ""
    assert last.successor is None


def test_whoever_learned_the_bundle_a_day_ago_trusts_what_is_served_for_twelve_years() -> None:
    first = certificates = made(START)
    history: list[tuple[datetime, Certificates]] = []
    for half_day in range(2 * 365 * 12):
        now = at(half_day / 2)
        if half_day % 20 == 0 or certificates.successor or certificates.predecessor:
            while due(kept(certificates), NAMES, now) is not Due.NOTHING:
                certificates = rotated(kept(certificates), NAMES, now)
            history = [*history[-2:], (now, certificates)]
            old = [was for then, was in history if now - then >= timedelta(days=1)]
            known = old[-1] if old else history[0][1]
            assert trusts(ca_bundle(known), certificates)
            assert trusts(ca_bundle(certificates), known), "who still serves the one of yesterday is trusted too"
    assert certificates.authority != first.authority


def test_no_key_shows() -> None:
    certificates = leafed(leafed(made(START), OLD), OLD)
    assert "PRIVATE" not in repr(certificates)
    assert "PRIVATE" not in ca_bundle(certificates)


def test_the_secret_is_what_a_cluster_expects() -> None:
    secret: Manifest = secret_manifest(made(START), "ops")
    assert (secret["metadata"]["namespace"], secret["metadata"]["name"]) == ("ops", "sluice-operator-tls")
    assert secret["type"] == "kubernetes.io/tls"
    assert base64.b64decode(secret["data"]["tls.crt"]).startswith(b"-----BEGIN CERTIFICATE-----")


def test_both_services_are_named_short_and_long() -> None:
    assert dns_names("ops", "corp.local") == (
        "sluice-operator.ops.svc",
        "sluice-operator-reports.ops.svc",
        "sluice-operator.ops.svc.corp.local",
        "sluice-operator-reports.ops.svc.corp.local",
    )


def test_a_leaf_is_good_for_these_names_now_and_for_clocks_that_are_late() -> None:
    leaf = x509.load_pem_x509_certificate(made(START).leaf.cert.encode())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == set(NAMES)
    assert leaf.not_valid_before_utc == START.astimezone(UTC) - timedelta(hours=1)
    assert leaf.not_valid_after_utc == START + timedelta(days=90)
