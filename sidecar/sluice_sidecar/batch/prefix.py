"""Which requests begin alike: a key by which they are sorted, so that an engine finds its cache of the prefix warm."""

import zlib
from typing import Any

import orjson

LEVELS = (256, 1_024, 4_096, 16_384)
"""Bytes of the prompt, from its start, that are compared: sorting goes from the roughest likeness to the finest."""


def prefix_key(body: dict[str, Any]) -> bytes:
    """16 bytes of a request: equal in the first 4 n where the prompts are equal up to LEVELS[n - 1] bytes.

    Tools and system prompt come before the messages, as engines lay them out. Two prompts whose checksums are equal by
    chance are sorted side by side for nothing; no answer depends on it.
    """
    try:
        prompt = orjson.dumps(
            [body.get("model"), body.get("tools"), body.get("system"), body.get("messages", body.get("input"))]
        )
    except TypeError:  # orjson reads deeper than it writes
        return bytes(16)
    key, at, checksum = b"", 0, 0
    for level in LEVELS:
        checksum = zlib.crc32(prompt[at:level], checksum)
        key, at = key + checksum.to_bytes(4, "big"), level
    return key
