"""A classification task in vectors: asks of some classes, each near its class's axis, and the model that answers."""

import random
from typing import TYPE_CHECKING, Any

import numpy as np

from sluice_sidecar.cache.embed import WIDTH

if TYPE_CHECKING:
    from sluice_sidecar.cache.embed import Vector


class Classes:
    """`ask()` gives a new text and its class; the embedder finds texts of one class close together.

    `confused` is the share of asks that lie with one class and belong to another; `what` the texts speak of.
    """

    def __init__(self, classes: int = 8, *, confused: float = 0.0, seed: int = 0, what: str = "letter") -> None:
        self._rng, self._noise = random.Random(seed), np.random.default_rng(seed)
        self._classes, self.confused, self._what = classes, confused, what
        self._vectors: dict[str, Vector] = {}

    def ask(self) -> tuple[str, str]:
        """A text that was not asked before, and what a model answers."""
        near = self._rng.randrange(self._classes)
        vector = np.zeros(WIDTH, np.float32)
        vector[near] = 1.0
        vector += self._noise.normal(0.0, 0.02, WIDTH).astype(np.float32)
        text = f"please sort the {self._what} called {len(self._vectors)}x for me"
        self._vectors[text] = vector / np.linalg.norm(vector)
        right = self._rng.randrange(self._classes) if self._rng.random() < self.confused else near
        return text, f"class {right}"

    async def __call__(self, text: str) -> "Vector":
        far: Vector = np.eye(1, WIDTH, WIDTH - 1, dtype=np.float32)[0]
        return self._vectors.get(text, far)


def said(answer: str) -> dict[str, Any]:
    """A model's whole answer."""
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 7, "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
    }  # fmt: skip
