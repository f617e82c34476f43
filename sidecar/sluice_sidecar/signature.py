"""The operator's signature of a Config, and of Endpoints: who may write ConfigMaps alone cannot make one. Pure.

Both sides hold the salt in the namespace's Secret of credentials: the operator signs with a key that is derived from
it, the shared gateway checks. Sidecars hold neither the salt nor any credential.
"""

import hashlib
import hmac
from typing import Literal

Signed = Literal["config", "endpoints"]
"""What is signed, each with a key of its own: one never stands for the other."""

_PURPOSE = b"\xffsluice.dev/%s-signature/v1"
"""Keeps the keys apart from all else that is derived from the salt: no text in UTF-8 begins with this byte."""


def sign(salt: str, namespace: str, text: str, what: Signed = "config") -> str:
    """HMAC-SHA256, 64 hexadecimal digits, over the namespace and the exact text; `salt` is not empty.

    The key is HMAC-SHA256(salt, purpose). A namespace's name has no zero byte, so no two pairs are signed alike.
    Raises ValueError without a salt: anybody could sign so.
    """
    if not salt:
        raise ValueError(f"{what}: nothing can be signed without a salt")
    key = hmac.digest(salt.encode(), _PURPOSE % what.encode(), "sha256")
    return hmac.new(key, b"\0".join((namespace.encode(), text.encode())), hashlib.sha256).hexdigest()


def is_signed(salt: str, namespace: str, text: str, signature: str, what: Signed = "config") -> bool:
    """Whether `signature` is the operator's, compared in constant time. Without a salt nothing is signed."""
    return bool(salt) and hmac.compare_digest(sign(salt, namespace, text, what).encode(), signature.encode())
