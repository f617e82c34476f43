"""What cache tests need: asks, routes, policies, clocks, an embedder that is told its vectors."""

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from sluice_sidecar.ask import Ask, Caller, Usage
from sluice_sidecar.cache.cache import Cache
from sluice_sidecar.cache.embed import WIDTH
from sluice_sidecar.cache.fingerprint import Fingerprint, fingerprint
from sluice_sidecar.config import Backend, Policy, Route, Single
from sluice_sidecar.dialects.openai_chat import OPENAI_CHAT

if TYPE_CHECKING:
    from sluice_sidecar.cache.embed import Vector

ACME = Caller("acme", {b"x-department": b"sales"})
ANSWER: dict[str, Any] = {
    "id": "chatcmpl-1", "object": "chat.completion", "created": 7, "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "42"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
}  # fmt: skip


def ask(text: str = "What is six times seven?", **fields: Any) -> Ask:
    """A chat completion that ends with the user's text."""
    body = {"model": "auto", "messages": [{"role": "user", "content": text}], **fields}
    return OPENAI_CHAT.parse(orjson.dumps(body), body)


def route(**changes: Any) -> Route:
    """A route with one backend."""
    known: dict[str, Any] = {
        "name": "support", "models": ("auto",), "strategy": Single(backend="large"), "reference": "large",
        "backends": {"large": Backend(name="large", url="http://127.0.0.1:9/v1", model="big")},
    }  # fmt: skip
    return Route(**{**known, **changes})


def policy(**changes: Any) -> Policy:
    """A policy of one hour without jitter."""
    return Policy(**{"name": "support", "ttl": 3600.0, "jitter": 0.0, **changes})


def printed(
    text: str = "What is six times seven?", caller: Caller = ACME, kept: Policy | None = None, **fields: Any
) -> Fingerprint:
    """The fingerprint of `ask(text, **fields)`."""
    return fingerprint(ask(text, **fields), route(), kept or policy(), caller)


async def put(cache: Cache, fp: Fingerprint, kept: Policy, caller: Caller = ACME, **changes: Any) -> bool:
    """Stores ANSWER."""
    known: dict[str, Any] = {"whole": ANSWER, "usage": Usage(3, 0, 1), "backend": "large", "took": 0.5}
    return await cache.put(fp, kept, caller, **{**known, **changes})


class Hands:
    """A clock that stands until it is moved."""

    def __init__(self, at: float = 1_000_000.0) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


class Told:
    """An embedder that gives what it was told for a text, and else the first axis."""

    def __init__(self, **vectors: Any) -> None:
        self.vectors: dict[str, Any] = vectors
        self.failure: Exception | None = None
        self.asked: list[str] = []

    async def __call__(self, text: str) -> "Vector":
        self.asked.append(text)
        if self.failure is not None:
            raise self.failure
        vector: Vector = self.vectors.get(text, axis(1.0))
        return vector


def axis(cosine: float) -> "Vector":
    """A unit vector with that cosine to the first axis."""
    vector = np.zeros(WIDTH, np.float32)
    vector[0], vector[1] = cosine, np.sqrt(1.0 - cosine * cosine)
    return vector
