"""What kind of task an ask is: a small linear model on its embedding, fitted to example asks at the start.

One direction a class, by ridge regression of class membership on the centred embeddings of the examples, each class
weighing the same; an ask's score for a class is the cosine between its centred embedding and that direction. Chosen
over class centroids, which are the limit of a strong ridge, by measurement: docs/routing.md.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vector = npt.NDArray[np.float32]

Embed = Callable[[str], Awaitable["Vector"]]

RIDGE = 0.3
"""Regularisation of the fit, in units of squared embedding length."""

HEAD, TAIL = 300, 300
"""Characters of a long ask that are looked at: what is wanted stands at its beginning or its end."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The best class, its score (cosine, -1..1) and how far the second best is behind."""

    name: str
    score: float
    margin: float


@dataclass(frozen=True, slots=True)
class _Model:
    names: tuple[str, ...]
    centre: "Vector"
    directions: "Vector"  # (width, classes), unit columns


def builtin_examples() -> dict[str, list[str]]:
    """The shipped example asks of Extraction, Classification, Reasoning (code included) and Generation."""
    examples: dict[str, list[str]] = orjson.loads(files(__package__).joinpath("task_examples.json").read_bytes())
    return examples


def excerpt(text: str, head: int = HEAD, tail: int = TAIL) -> str:
    """The part of an ask that is embedded."""
    text = text.strip()
    return text if len(text) <= head + tail else f"{text[:head]} {text[-tail:]}"


class Classifier:
    """Fitted once, at the first ask or by `fit`; about half a second for the shipped examples."""

    def __init__(self, embed: Embed, examples: Mapping[str, Sequence[str]] | None = None) -> None:
        """`examples`: the user's, added to the shipped ones of the same class; other names are further classes."""
        self._embed = embed
        self._examples = builtin_examples()
        for name, asks in (examples or {}).items():
            self._examples.setdefault(name, []).extend(asks)
        self._model: _Model | None = None
        self._fitting: asyncio.Task[_Model] | None = None

    async def classify(self, text: str) -> Verdict:
        """The class of an ask. Raises what the embedder raises."""
        model = self._model or await self.fit()
        vector = await embedded(self._embed, text)
        import numpy as np

        centred = vector - model.centre
        scores = centred @ model.directions / max(float(np.linalg.norm(centred)), 1e-9)
        second, best = np.argsort(scores)[-2:]
        return Verdict(model.names[best], float(scores[best]), float(scores[best] - scores[second]))

    async def fit(self) -> _Model:
        """Embeds the examples and fits the model. Whoever asks meanwhile waits for the same fit."""
        if self._fitting is None:
            self._fitting = asyncio.create_task(self._fit())
            self._fitting.add_done_callback(self._fitted)
        return await asyncio.shield(self._fitting)

    def _fitted(self, fitting: "asyncio.Task[_Model]") -> None:
        self._fitting = None  # a failed fit is tried again by the next ask
        if not fitting.cancelled() and fitting.exception() is None:
            self._model = fitting.result()

    async def _fit(self) -> _Model:
        examples = {name: asks for name, asks in self._examples.items() if asks}
        vectors = {name: [await embedded(self._embed, ask) for ask in asks] for name, asks in examples.items()}
        return await asyncio.to_thread(_fit, vectors)


async def embedded(embed: Embed, text: str) -> "Vector":
    """The vector of an ask's excerpt; a shorter excerpt where the embedder finds it too long (scripts without spaces
    have a token a character)."""
    try:
        return await embed(excerpt(text))
    except Exception:
        shorter = excerpt(text, 75, 75)
        if len(shorter) == len(text.strip()):
            raise
        return await embed(shorter)


def _fit(vectors: Mapping[str, Sequence["Vector"]]) -> _Model:
    import numpy as np

    names = tuple(vectors)
    counts = np.array([len(vectors[name]) for name in names])
    x = np.concatenate([np.stack(vectors[name]) for name in names]).astype(np.float64)
    weight = np.repeat(counts.sum() / len(names) / counts, counts)
    centre = np.average(x, axis=0, weights=weight)
    root = np.sqrt(weight)[:, None]
    a = (x - centre) * root
    y = (np.repeat(np.eye(len(names)), counts, axis=0) - 1 / len(names)) * root
    directions = np.linalg.solve(a.T @ a + RIDGE * np.eye(x.shape[1]), a.T @ y)
    directions /= np.linalg.norm(directions, axis=0)
    return _Model(names, centre.astype(np.float32), directions.astype(np.float32))
