"""Further authorities come from a file, which may come, change and break."""

from pathlib import Path

import pytest

from doubles.certificates import Authority
from sluice_sidecar.config import Egress
from sluice_sidecar.upstream.reach import reach
from sluice_sidecar.upstream.trust import Trust


def trusts(trust: Trust, name: str) -> bool:
    """Whether an authority of that name is among those trusted."""
    return any(name in str(found["subject"]) for found in trust.context.get_ca_certs())


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return tmp_path / "ca.crt"


def test_a_bundle_adds_to_the_systems_authorities(bundle: Path) -> None:
    bundle.write_bytes(b"# ours, in K\xc3\xb6ln\n" + Authority("our first one").pem + Authority("our second one").pem)
    trust = Trust(bundle)
    assert trusts(trust, "our first one")
    assert trusts(trust, "our second one")
    assert len(trust.context.get_ca_certs()) == len(Trust().context.get_ca_certs()) + 2


def test_a_changed_bundle_is_read_again(bundle: Path) -> None:
    bundle.write_bytes(Authority("our old one").pem)
    trust = Trust(bundle)
    before = trust.context
    trust.reload()
    assert trust.context is before
    bundle.write_bytes(Authority("our new one").pem + b"\n")
    trust.reload()
    assert trusts(trust, "our new one")
    assert not trusts(trust, "our old one")


@pytest.mark.parametrize("broken", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END", b"\0\xff"])
def test_a_broken_bundle_is_refused_and_what_was_trusted_stays(bundle: Path, broken: bytes) -> None:
    bundle.write_bytes(Authority("our good one").pem)
    trust = Trust(bundle)
    bundle.write_bytes(broken)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"egress\.caBundle.*ca\.crt holds no certificates that can be read"):
            trust.reload()
    assert trusts(trust, "our good one")
    with pytest.raises(ValueError, match=r"egress\.caBundle"):
        reach(Egress(ca_bundle=True), bundle=bundle)


def test_a_good_certificate_does_not_hide_a_broken_one(bundle: Path) -> None:
    bundle.write_bytes(Authority().pem + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(ValueError, match="can be read"):
        Trust(bundle)


def test_a_bundle_that_is_missing_adds_nothing_until_it_comes(bundle: Path, caplog: pytest.LogCaptureFixture) -> None:
    trust = Trust(bundle)
    assert "is not there" in caplog.text
    assert len(trust.context.get_ca_certs()) == len(Trust().context.get_ca_certs())
    bundle.write_bytes(Authority("our late one").pem)
    trust.reload()
    assert trusts(trust, "our late one")


def test_a_bundle_that_nobody_asked_for_is_not_read(bundle: Path) -> None:
    bundle.write_bytes(b"no certificate")
    assert reach(Egress(), bundle=bundle).trust.context.get_ca_certs() == Trust().context.get_ca_certs()
