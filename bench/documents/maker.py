"""Layouts by number, their drift, and documents in them with a model's answer."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from bench.documents.freight import lading, waybill
from bench.documents.invoices import invoice
from bench.documents.labels import AIR, FREIGHT, LABELS
from bench.documents.layout import PROMPTS, style
from bench.documents.locales import LANGUAGES, locale
from bench.documents.sender import Layout, Task
from bench.documents.vocabulary import address, firm, pick

KINDS: dict[str, Callable[[Layout, Random], tuple[str, Any]]] = {
    "invoice": invoice,
    "lading": lading,
    "waybill": waybill,
}


def layout(seed: int) -> Layout:
    """Layout number `seed`."""
    rng = Random(seed)
    kind = ("invoice", "lading", "waybill", "invoice")[seed % 4]
    language = rng.choice(tuple(LANGUAGES)) if kind == "invoice" else "en"
    words = LABELS[language] if kind == "invoice" else FREIGHT if kind == "lading" else AIR
    task = Task(
        rng.random() < 0.75,
        rng.random() < 0.75,
        rng.random() < 0.5,
        rng.random() < 0.4,
        rng.choice((", ", "\n")),
        rng.choice((None, 2, 2, 4)),
        rng.random() < 0.3,
        rng.random() < 0.3,
    )
    currencies = {"en": ("USD", "GBP", "EUR"), "pl": ("PLN",)}.get(language, ("EUR", "EUR", "CHF"))
    return Layout(
        f"{kind}-{seed}",
        kind,
        style(rng),
        locale(rng, language),
        task,
        {key: pick(rng, word) for key, word in words.items()},
        firm(rng, language),
        tuple(address(rng)),
        rng.choice(currencies),
        tuple(
            key
            for key in ("due", "order", "discount", "shipping", "notify", "booking", "place", "declared", "other")
            if rng.random() < 0.5
        ),
        rng.choice(PROMPTS),
        rng.random() < 0.5,
        rng.randrange(1000),
    )


def drifted(old: Layout, seed: int) -> Layout:
    """The same sender and task after a change of its form: other places, other words, one more field."""
    rng = Random(seed)
    labels = {key: (word.rstrip(".") if rng.random() < 0.5 else f"{word} ") for key, word in old.labels.items()}
    return replace(
        old,
        name=f"{old.name}-drifted",
        style=style(rng),
        shuffle=rng.randrange(1000),
        labels={key: word.strip() for key, word in labels.items()},
        optional=(*old.optional, "order"),
    )


def document(where: Layout, rng: Random) -> tuple[str, Any]:
    """A new document of a layout and the answer to it."""
    text, answer = KINDS[where.kind](where, rng)
    return text, clean(answer, where.task)


def clean(value: Any, task: Task) -> Any:
    """Keys in the task's case, and without what is null where the task omits it."""
    if isinstance(value, list):
        return [clean(item, task) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: inner for key, inner in value.items() if not (task.omits and inner is None)}
    return {_camel(key) if task.camel else key: clean(inner, task) for key, inner in kept.items()}


def _camel(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(word.title() for word in rest)
