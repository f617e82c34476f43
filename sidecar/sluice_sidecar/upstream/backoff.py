"""How long to wait before asking a backend again."""

import time
from email.utils import parsedate_to_datetime

FIRST = 0.1
"""Upper bound of the first wait, seconds; it doubles with every try."""

LONGEST = 5.0


def jittered(retry: int, random: float) -> float:
    """Seconds before the `retry`-th retry (from 1): exponential with full jitter; `random` in 0..1.

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    return random * min(LONGEST, FIRST * 2.0 ** (retry - 1))


def retry_after(value: bytes | None, milliseconds: bytes | None = None) -> float:
    """Seconds that an upstream asks to wait: Retry-After as seconds or HTTP date, or retry-after-ms; 0 when it says
    nothing that can be read."""
    try:
        if milliseconds is not None:
            return max(0.0, float(milliseconds) / 1000)
        if value is None:
            return 0.0
        text = value.decode("ascii").strip()
        if text.replace(".", "", 1).isdigit():
            return float(text)
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return 0.0
