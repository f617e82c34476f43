"""Webhooks as the Standard Webhooks specification has them: event, signature, when a failed one is tried again. Pure.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md. Events have the shape of
OpenAI's, so that its SDKs read and verify them (`client.webhooks.unwrap`).
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from sluice_sidecar.batch.records import Kind, Status

Event = Literal[
    "batch.completed", "batch.failed", "batch.expired", "batch.cancelled",
    "response.completed", "response.failed", "response.cancelled",
]  # fmt: skip
"""OpenAI's names. A single deferred request is a response; one that expired has failed."""

PATHS: dict[Kind, str] = {"openai": "/v1/batches", "anthropic": "/v1/messages/batches", "single": "/v1/deferred"}
"""Where what an event is about is fetched, less its id."""

PREFIX = "whsec_"
LEAST, MOST = 24, 64
"""Bytes of a key, by the specification."""

MOST_KEYS = 8
"""Keys that sign at one time: each makes the header longer by 48 bytes."""


@dataclass(frozen=True, slots=True)
class Key:
    """A signing key; never shown."""

    secret: bytes = field(repr=False)


def parse_keys(text: str) -> tuple[Key, ...]:
    """Keys of a Secret's value: one, or while they are rotated several, with spaces, commas or line ends between.

    Raises ValueError, which names the key by its number and never shows it.
    """
    given = text.replace(",", " ").split()
    if not given:
        raise ValueError("there is no signing key; write whsec_ and the base64 of 24 to 64 random bytes")
    if len(given) > MOST_KEYS:
        raise ValueError(f"there are {len(given)} signing keys, at most {MOST_KEYS} sign at a time: take old ones out")
    return tuple(_key(number, one) for number, one in enumerate(given, start=1))


def _key(number: int, text: str) -> Key:
    cure = f"write {PREFIX} and the base64 of {LEAST} to {MOST} random bytes"
    if not text.startswith(PREFIX):
        raise ValueError(f"signing key {number} does not start with {PREFIX}; {cure}")
    try:
        secret = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"signing key {number} is not base64 after {PREFIX}; {cure}") from None
    if not LEAST <= len(secret) <= MOST:
        raise ValueError(f"signing key {number} has {len(secret)} bytes; {cure}")
    return Key(secret)


def signature(key: Key, event: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over id, timestamp (unix seconds) and body, with full stops between."""
    signed = b"%s.%d.%s" % (event.encode(), timestamp, body)
    return "v1," + base64.b64encode(hmac.digest(key.secret, signed, "sha256")).decode()


def headers(keys: Sequence[Key], event: str, timestamp: int, body: bytes) -> list[tuple[bytes, bytes]]:
    """What a delivery carries besides its body: `timestamp` is that of the try, the id is the same in every try.

    Every key signs, so a receiver that knows any of them accepts.
    """
    signatures = " ".join(signature(key, event, timestamp, body) for key in keys)
    return [
        (b"content-type", b"application/json"),
        (b"webhook-id", event.encode()),
        (b"webhook-timestamp", b"%d" % timestamp),
        (b"webhook-signature", signatures.encode()),
    ]


def event_id(event: Event, batch: str, url: str) -> str:
    """The same for the same event of a batch to one address, however often it is told; it has no full stop, which
    parts what is signed."""
    return "evt_" + hashlib.sha256("\0".join((event, batch, url)).encode()).hexdigest()[:32]


_TOLD: dict[Status, tuple[Event, Event]] = {
    "completed": ("batch.completed", "response.completed"),
    "failed": ("batch.failed", "response.failed"),
    "expired": ("batch.expired", "response.failed"),
    "cancelled": ("batch.cancelled", "response.cancelled"),
}


def event_of(kind: Kind, status: Status, failed: int) -> Event:
    """What is told of one that has ended; `failed`: how many of its requests did. ValueError: it has not ended."""
    told = _TOLD.get(status)
    if told is None:
        raise ValueError(f"nothing is told of one that is {status}")
    batch, response = told
    if kind != "single":
        return batch
    return "response.failed" if failed else response


def payload(event: Event, identifier: str, batch: str, happened: float, **more: Any) -> bytes:
    """The body: which batch, and what became of it. Results are fetched, not sent. `happened`: unix seconds;
    `more`: what its data says besides the id."""
    data = {"id": batch, **more}
    return orjson.dumps({"id": identifier, "object": "event", "type": event, "created_at": int(happened), "data": data})


WAITS = (5, 25, 90, 480, 1_200, 1_800, 3_600, 7_200, 14_400, 21_600, 18_000, 18_000)
"""Seconds between one try and the next: tries at 0, 5 s, 30 s, 2 min, 10 min, 30 min, 1 h, 2 h, 4 h, 8 h, 14 h, 19 h
and 24 h."""

LASTS = 86_400.0
"""Seconds after its first try at which a delivery is tried for the last time."""

JITTER = 0.1
"""Each wait is longer or shorter by a random share up to this, so that what failed together is not tried together."""


def next_try(tries: int, first: float, now: float, random: float, asked: float = 0.0) -> float | None:
    """When a delivery that has failed `tries` times, `first` being its first try, is tried again; None: no more.

    Unix seconds. `random` in 0..1. `asked`: seconds that the receiver wants to be left alone for, which lengthens a
    wait and shortens none.
    """
    if tries > len(WAITS) or now >= first + LASTS:
        return None
    wait = max(WAITS[tries - 1] * (1 + JITTER * (2 * random - 1)), asked)
    return min(now + wait, first + LASTS)
