"""A section of a written prompt, and what it is worth."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """One section. `needed` is the share of requests that get a worse answer without it; 0: nobody does."""

    title: str
    body: str
    needed: float = 0.0
    asks: tuple[str, ...] = ()
    """Requests that need it, in the words of people; where none are given, any request does."""
    twin: str | None = None
    """The title of a section that does as well: a request needs one of the two."""

    @property
    def text(self) -> str:
        """As it stands in the prompt."""
        return f"## {self.title}\n{self.body}\n\n"


@dataclass(frozen=True)
class Written:
    """A prompt: its name, its beginning, its sections, and everyday requests that need nothing in particular."""

    name: str
    opening: str
    parts: tuple[Part, ...]
    everyday: tuple[str, ...]

    @property
    def text(self) -> str:
        """The whole prompt."""
        return self.opening + "\n\n" + "".join(part.text for part in self.parts).rstrip() + "\n"


def dead(title: str, body: str) -> Part:
    """A section that nobody needs."""
    return Part(title, body)
