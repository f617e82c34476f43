"""What happened in a run, as its callers saw it: plain data, in the order in which it was seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Wire = Literal["file", "messages", "single"]
"""OpenAI's batch of a file, Anthropic's message batch, one request with `Prefer: respond-async`."""
Victim = Literal["gateway", "supervisor", "both", "redis"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A submission that was begun. Its `key` makes every repetition the same submission; `asks` are its requests'
    texts in order, no two alike in a run; `told`: whether a webhook was asked for."""

    key: str
    wire: Wire
    asks: tuple[str, ...]
    told: bool


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The gateway said that it has a submission, under this id."""

    key: str
    id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The gateway said that it will not have a submission, or not know what it acknowledged."""

    key: str
    status: int
    said: str


@dataclass(frozen=True, slots=True)
class Read:
    """Results as they were fetched: custom_id and text of each line, in the order of the lines."""

    id: str
    answers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A webhook that came. `event` is its own id, `id` the batch's, `verified`: its signature and time were good."""

    event: str
    id: str
    body: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Killed:
    """A process got SIGKILL."""

    victim: Victim


Event = Asked | Acknowledged | Refused | Read | Told | Killed
History = Sequence[Event]


def custom_id(at: int) -> str:
    """The custom_id of a submission's request, by its place."""
    return f"c{at}"
