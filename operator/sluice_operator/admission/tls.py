"""The operator's certificate: an authority of its own, a leaf by it, and when which is replaced.

All of it is in one Secret, and what is due follows from that Secret and the time alone. Nothing is trusted or used
before everyone had OVERLAP to learn of it: an authority's successor is in the bundle that long before it signs, and the
predecessor stays in it that long after.
"""

import base64
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sluice_operator import names
from sluice_operator.plan.plan import Manifest, Ref

CA_LIFE = timedelta(days=3650)
LEAF_LIFE = timedelta(days=90)
OVERLAP = timedelta(days=1)
"""How long everyone has to learn of a change of authorities."""
SKEW = timedelta(hours=1)
"""How much earlier a certificate begins than it is made: other clocks may be late."""

CA_CERT, CA_KEY = "ca.crt", "ca.key"
LEAF_CERT, LEAF_KEY = "tls.crt", "tls.key"
NEXT_CERT, NEXT_KEY = "next-ca.crt", "next-ca.key"
PREVIOUS_CERT = "previous-ca.crt"


class Due(Enum):
    """What is to be done with a certificate."""

    NOTHING = "nothing"
    ALL = "all"
    """There is none that could be used: a new authority and leaf."""
    LEAF = "leaf"
    """A new leaf by the same authority."""
    NEXT = "next"
    """The authority gets a successor, which is trusted and does not sign yet."""
    PROMOTE = "promote"
    """The successor signs from now on; its predecessor is still trusted."""
    RETIRE = "retire"
    """The predecessor is no longer trusted."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key, as PEM."""

    cert: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Certificates:
    """All that the Secret holds."""

    authority: Pair
    """It signed the leaf, and signs the next."""
    leaf: Pair
    successor: Pair | None = None
    predecessor: str = ""
    """PEM of its certificate."""


def secret_ref(namespace: str) -> Ref:
    """The Secret in the operator's namespace."""
    return Ref("v1", "Secret", namespace, names.TLS_SECRET)


def dns_names(namespace: str, cluster_domain: str) -> tuple[str, ...]:
    """What the operator's two Services are called, by whoever calls them."""
    found = [f"{service}.{namespace}.svc" for service in (names.OPERATOR_NAME, names.REPORTS_NAME)]
    return (*found, *(f"{name}.{cluster_domain}" for name in found))


def read(secret: Manifest | None) -> Certificates | None:
    """What is in a Secret; None where the authority or the leaf is missing, damaged, or not of its key."""
    try:
        data = {key: base64.b64decode(value, validate=True).decode() for key, value in _data(secret).items()}
        found = Certificates(
            authority=Pair(data[CA_CERT], data[CA_KEY]),
            leaf=Pair(data[LEAF_CERT], data[LEAF_KEY]),
            successor=Pair(data[NEXT_CERT], data[NEXT_KEY]) if NEXT_CERT in data else None,
            predecessor=data.get(PREVIOUS_CERT, ""),
        )
        for pair in (found.authority, found.leaf, found.successor):
            if pair is not None and _public(_key(pair.key)) != _public(_cert(pair.cert)):
                return None
        if found.predecessor:
            _cert(found.predecessor)
    except (KeyError, ValueError, TypeError, AttributeError, UnsupportedAlgorithm):
        return None
    return found


def due(secret: Manifest | None, dns: Collection[str], now: datetime) -> Due:
    """What is to be done with the Secret's certificates, which must be good for all of `dns`; `now` has a time zone."""
    found = read(secret)
    if found is None:
        return Due.ALL
    authority, leaf = _cert(found.authority.cert), _cert(found.leaf.cert)
    if not authority.not_valid_before_utc <= now < authority.not_valid_after_utc:
        return Due.ALL
    try:
        leaf.verify_directly_issued_by(authority)
        served = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (InvalidSignature, ValueError, TypeError, x509.ExtensionNotFound, x509.DuplicateExtension):
        return Due.LEAF
    if not set(dns) <= set(served.get_values_for_type(x509.DNSName)) or not leaf.not_valid_before_utc <= now < _worn(
        leaf
    ):
        return Due.LEAF
    if found.successor is None:
        if now >= _worn(authority):
            return Due.NEXT
    elif now >= _made(_cert(found.successor.cert)) + OVERLAP:
        return Due.PROMOTE
    if found.predecessor and now >= _made(leaf) + OVERLAP:
        return Due.RETIRE
    return Due.NOTHING


def rotated(secret: Manifest | None, dns: Collection[str], now: datetime) -> Certificates:
    """The certificates after what is due, with new keys where something is new; the same where nothing is."""
    what, found = due(secret, dns, now), read(secret)
    if what is Due.ALL or found is None:
        authority = _new_authority(now)
        return Certificates(authority, _new_leaf(authority, dns, now))
    if what is Due.LEAF:
        return replace(found, leaf=_new_leaf(found.authority, dns, now))
    if what is Due.NEXT:
        return replace(found, successor=_new_authority(now))
    if what is Due.PROMOTE and found.successor is not None:
        leaf = _new_leaf(found.successor, dns, now)
        return Certificates(found.successor, leaf, predecessor=found.authority.cert)
    if what is Due.RETIRE:
        return replace(found, predecessor="")
    return found


def ca_bundle(certificates: Certificates) -> str:
    """PEM of every authority that is to be trusted."""
    successor = certificates.successor.cert if certificates.successor else ""
    return certificates.authority.cert + successor + certificates.predecessor


def secret_manifest(certificates: Certificates, namespace: str) -> Manifest:
    """The Secret, in the operator's namespace."""
    data = {
        CA_CERT: certificates.authority.cert,
        CA_KEY: certificates.authority.key,
        LEAF_CERT: certificates.leaf.cert,
        LEAF_KEY: certificates.leaf.key,
    }
    if certificates.successor:
        data |= {NEXT_CERT: certificates.successor.cert, NEXT_KEY: certificates.successor.key}
    if certificates.predecessor:
        data[PREVIOUS_CERT] = certificates.predecessor
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": names.TLS_SECRET, "namespace": namespace, "labels": {names.MANAGED_BY: names.MANAGED}},
        "type": "kubernetes.io/tls",
        "data": {key: base64.b64encode(text.encode()).decode() for key, text in data.items()},
    }


def _data(secret: Manifest | None) -> Mapping[str, Any]:
    return (secret or {}).get("data") or {}


def _cert(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def _key(pem: str) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("not a key of an elliptic curve")
    return key


def _public(of: ec.EllipticCurvePrivateKey | x509.Certificate) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return of.public_key().public_bytes(serialization.Encoding.DER, form)


def _made(cert: x509.Certificate) -> datetime:
    return cert.not_valid_before_utc + SKEW


def _worn(cert: x509.Certificate) -> datetime:
    """When two thirds of its life are over."""
    return cert.not_valid_before_utc + (cert.not_valid_after_utc - cert.not_valid_before_utc) * 2 / 3


def _new_authority(now: datetime) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    serial = x509.random_serial_number()
    # A name of its own: two authorities with one name are tried in any order, and some clients try only one.
    name = _name(f"{names.OPERATOR_NAME}-ca-{serial:040x}"[:64])
    builder = _builder(name, name, key, serial, now, CA_LIFE).add_extension(x509.BasicConstraints(True, 0), True)
    usage = _usage(key_cert_sign=True, crl_sign=True)
    return _signed(builder.add_extension(usage, True), key, key)


def _new_leaf(authority: Pair, dns: Collection[str], now: datetime) -> Pair:
    issuer, issuer_key = _cert(authority.cert), _key(authority.key)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        _builder(_name(names.OPERATOR_NAME), issuer.subject, key, x509.random_serial_number(), now, LEAF_LIFE)
        .add_extension(x509.BasicConstraints(False, None), True)
        .add_extension(_usage(digital_signature=True), True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in sorted(dns)]), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False)
    )
    return _signed(builder, key, issuer_key)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, serial: int, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    made = now.astimezone(UTC)
    return (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key.public_key())
        .serial_number(serial)
        .not_valid_before(made - SKEW)
        .not_valid_after(made + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    )


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(digital_signature, False, False, False, False, key_cert_sign, crl_sign, False, False)


def _signed(
    builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey
) -> Pair:
    cert = builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Pair(cert.decode(), private.decode())
