"""What an audit works on: prompts, their sections, real requests under them, and who answers and compares."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal, Protocol

Kind = Literal["marker", "heading", "element", "example", "paragraph"]
"""What makes a section one: a marker, a Markdown heading, an XML element, a few-shot example, blank lines."""


def digest(text: str) -> str:
    """`sha256:` and the SHA-256 of a text's UTF-8: how rewrites name a prompt or a section."""
    return "sha256:" + sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a prompt. A prompt's sections tile it: no gap, no overlap."""

    id: str
    """The first 12 hexadecimal digits of the SHA-256 of its text with white space made single; `-2`, `-3` for repeats.
    It stays when other sections change."""
    kind: Kind
    title: str
    """Heading, tag or first words, at most 60 characters."""
    start: int
    """Offset of its first character in the prompt."""
    end: int
    """Offset behind its last character."""
    digest: str
    """Of its exact text."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A system prompt as an application sends it."""

    digest: str
    text: str
    sections: tuple[Section, ...]

    def part(self, section: Section) -> str:
        """A section's text."""
        return self.text[section.start : section.end]


@dataclass(frozen=True, slots=True)
class Sample:
    """One real request under a prompt, redacted."""

    id: str
    prompt: str
    """The prompt's digest."""
    tenant: str
    at: float
    """When, in seconds of Unix time."""
    messages: tuple[Mapping[str, Any], ...]
    """What follows the system prompt, in OpenAI's shape."""
    answer: str
    """What was answered then."""
    expected: str | None = None
    """What should have been answered, where somebody said so."""
    options: Mapping[str, Any] | None = None
    """Temperature, response format, tools, limits: as they were sent."""

    def asked(self) -> str:
        """The text of the messages, a line each: what relevance is measured on."""
        return "\n".join(_text(message.get("content")) for message in self.messages)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = (part.get("text") for part in content if isinstance(part, dict))
        return "\n".join(part for part in parts if isinstance(part, str))
    return ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a model, with what it took."""

    text: str
    prompt_tokens: int = 0
    cached_tokens: int = 0
    """The part of `prompt_tokens` that the backend had cached."""
    completion_tokens: int = 0
    seconds: float = 0.0


class Busy(Exception):  # noqa: N818  (a state of the backend, not a fault of the audit)
    """The backend wants to be asked later."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"the backend is busy for {retry_after:.0f} s")
        self.retry_after = retry_after


class Unanswered(Exception):  # noqa: N818
    """The backend gave no usable answer; the message says why."""


class Answerer(Protocol):
    """Asks a model."""

    async def __call__(self, prompt: str, sample: Sample) -> Answer:
        """A sample's answer under a system prompt. Raises Busy, Unanswered."""


class Comparator(Protocol):
    """Tells how much worse one answer is than another."""

    @property
    def name(self) -> str:
        """How a report calls it."""

    async def __call__(self, sample: Sample, before: Answer, after: Answer) -> float | None:
        """-1..1, positive where `after` is worse; None where it cannot tell. Raises Busy, Unanswered."""
