"""What all documents of one sender share, and the small choices that a document makes."""

import datetime
import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from bench.documents.layout import Field, Style
from bench.documents.locales import Locale


@dataclass(frozen=True)
class Task:
    """How the answer is asked for."""

    iso: bool
    plain: bool
    nested: bool
    omits: bool
    join: str
    indent: int | None
    fenced: bool
    camel: bool

    def number(self, value: float, text: str) -> Any:
        return value if self.plain else text

    def date(self, day: datetime.date, text: str) -> str:
        return day.isoformat() if self.iso else text

    def text(self, answer: Any) -> str:
        body = json.dumps(answer, indent=self.indent, ensure_ascii=False)
        return f"```json\n{body}\n```" if self.fenced else body


@dataclass(frozen=True)
class Layout:
    """All that documents of one sender share."""

    name: str
    kind: str
    style: Style
    locale: Locale
    task: Task
    labels: dict[str, str]
    sender: str
    sender_address: tuple[str, ...]
    currency: str
    optional: tuple[str, ...]
    prompt: tuple[str, str]
    coded: bool
    shuffle: int


def number_of(rng: Random, where: Layout) -> str:
    forms: tuple[Callable[[], str], ...] = (
        lambda: f"INV-{rng.randint(1000, 9999)}",
        lambda: f"{rng.randint(2023, 2026)}/{rng.randint(1, 999):04d}",
        lambda: f"{rng.randint(100000, 999999)}",
        lambda: f"RE{rng.randint(10000, 99999)}-{rng.choice('ABC')}",
    )
    return forms[where.shuffle % len(forms)]()


def day_of(rng: Random) -> datetime.date:
    return datetime.date(2023, 1, 1) + datetime.timedelta(days=rng.randrange(1200))


def mixed(where: Layout, fields: list[Field]) -> list[Field]:
    order = list(range(len(fields)))
    keys = Random(where.shuffle)
    places = {label: keys.random() for label in sorted(where.labels.values())}
    return [fields[i] for i in sorted(order, key=lambda i: places.get(fields[i][0], 0.5))]


def has(where: Layout, key: str, rng: Random) -> bool:
    return key in where.optional and rng.random() < 0.6


def party(where: Layout, name: str, lines: list[str]) -> Any:
    if where.task.nested:
        return {"name": name, "address": where.task.join.join(lines)}
    return name
