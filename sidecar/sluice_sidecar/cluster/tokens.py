"""Who calls the relay: a pod's token, proven by the API server's own keys. No call to it for each token."""

import asyncio
import base64
import hashlib
import time
from collections import OrderedDict
from typing import Any

import orjson

from sluice_sidecar.ask import Problem
from sluice_sidecar.cluster.api import Api, ApiError
from sluice_sidecar.cluster.places import TOKEN_AUDIENCE
from sluice_sidecar.upstream.errors import UpstreamError

KEYS_PATH = "/openid/v1/jwks"
AGAIN = 10.0
"""Least seconds between two looks at the keys: a token with an unknown key id may not make us ask each time."""
TOKEN_BYTES = 16_384
MOST = 4_096
"""Verified tokens that are remembered until they expire."""
LEEWAY = 10.0
"""How far two machines' clocks may be apart, seconds."""


class Tokens:
    """Verifies service account tokens of one namespace for the audience TOKEN_AUDIENCE."""

    def __init__(self, api: Api, namespace: str) -> None:
        self._api, self._namespace = api, namespace
        self._keys: dict[str, Any] = {}
        self._asked = float("-inf")
        self._lock = asyncio.Lock()
        self._known: OrderedDict[bytes, tuple[float, str]] = OrderedDict()

    async def verify(self, token: bytes | None) -> str:
        """The service account's name. Raises Problem(401) for one that proves nothing, Problem(503) without keys."""
        if not token or len(token) > TOKEN_BYTES:
            raise _refused("there is none")
        print_ = hashlib.sha256(token).digest()
        known = self._known.get(print_)
        if known is not None and known[0] > time.time():
            return known[1]
        head, claims, signed, signature = _parts(token)
        key = await self._key(str(head.get("kid", "")))
        if key is None or not _signed(key, str(head.get("alg", "")), signed, signature):
            raise _refused("it is not signed by this cluster")
        expires, account = self._account(claims)
        self._known[print_] = expires, account
        if len(self._known) > MOST:
            self._known.popitem(last=False)
        return account

    def _account(self, claims: dict[str, Any]) -> tuple[float, str]:
        now = time.time()
        audience, subject = claims.get("aud", ()), str(claims.get("sub", "")).split(":")
        if TOKEN_AUDIENCE not in ([audience] if isinstance(audience, str) else audience):
            raise _refused(f"its audience is not {TOKEN_AUDIENCE}")
        try:
            expires, begins = float(claims["exp"]), float(claims.get("nbf", 0))
        except (KeyError, TypeError, ValueError):
            raise _refused("it has no time of expiry") from None
        if expires <= now or begins > now + LEEWAY:
            raise _refused("it has expired, or is not valid yet")
        if subject[:2] != ["system", "serviceaccount"] or len(subject) != 4 or subject[2] != self._namespace:
            raise _refused(f"it is of no service account of namespace {self._namespace}")
        return expires, subject[3]

    async def _key(self, name: str) -> Any:
        if name in self._keys:
            return self._keys[name]
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if name not in self._keys and now - self._asked >= AGAIN:
                self._asked = now
                try:
                    self._keys = _public(await self._api.get(KEYS_PATH))
                except (ApiError, UpstreamError, OSError) as problem:
                    self._asked = float("-inf")
                    raise Problem(503, "keys_unavailable", f"Tokens cannot be verified now: {problem}") from None
        return self._keys.get(name)


def _refused(why: str) -> Problem:
    return Problem(401, "invalid_token", f"Relayed calls need the pod's token: {why}.")


def _parts(token: bytes) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    signed, _, tail = token.rpartition(b".")
    try:
        head, claims = (orjson.loads(_decoded(part)) for part in signed.split(b"."))
        signature = _decoded(tail)
    except ValueError:
        raise _refused("it is no token of a service account") from None
    if not (isinstance(head, dict) and isinstance(claims, dict)):
        raise _refused("it is no token of a service account")
    return head, claims, signed, signature


def _decoded(part: bytes | str) -> bytes:
    raw = part.encode() if isinstance(part, str) else part
    return base64.b64decode(raw + b"=" * (-len(raw) % 4), altchars=b"-_", validate=True)


def _public(found: dict[str, Any]) -> dict[str, Any]:
    """Key id -> public key; kinds that no cluster signs with are left out. cryptography loads with the first token."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    def number(one: dict[str, Any], name: str) -> int:
        return int.from_bytes(_decoded(one[name]), "big")

    keys: dict[str, Any] = {}
    for one in found.get("keys", ()):
        if one.get("kty") == "RSA":
            keys[one["kid"]] = rsa.RSAPublicNumbers(number(one, "e"), number(one, "n")).public_key()
        elif one.get("kty") == "EC" and one.get("crv") == "P-256":
            curve = ec.SECP256R1()
            keys[one["kid"]] = ec.EllipticCurvePublicNumbers(number(one, "x"), number(one, "y"), curve).public_key()
    return keys


def _signed(key: Any, algorithm: str, signed: bytes, signature: bytes) -> bool:
    """Whether the signature is the key's; the key's kind decides, never what the token says alone."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    try:
        if algorithm == "RS256" and isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
            return True
        if algorithm == "ES256" and isinstance(key, ec.EllipticCurvePublicKey) and len(signature) == 64:
            halves = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
            key.verify(encode_dss_signature(*halves), signed, ec.ECDSA(hashes.SHA256()))
            return True
    except InvalidSignature:
        return False
    return False
