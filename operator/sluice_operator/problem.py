"""What is wrong with an object: where, why, and how to mend it."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. An error keeps the object out of service; a warning says what it does not do."""

    severity: Severity
    kind: str
    """"" where no object could be read."""
    name: str
    field: str
    """Path within the object as kubectl writes it: spec.backends[0].price. "" is the whole object."""
    reason: str
    """One CamelCase word that a condition can carry: BackendNotFound."""
    message: str
    allowed: tuple[str, ...] = ()
    """What the field may hold, when that is a short list."""
    nearest: str | None = None
    """The correct name that looks most like the one given."""
    namespace: str = "default"

    def __str__(self) -> str:
        """`Kind/name: field.path: what is wrong; allowed: a, b; did you mean a?`."""
        where = (f"{self.kind}/{self.name}: " if self.kind else "") + (f"{self.field}: " if self.field else "")
        allowed = f"; allowed: {', '.join(self.allowed)}" if self.allowed else ""
        nearest = f"; did you mean {self.nearest}?" if self.nearest else ""
        return where + self.message + allowed + nearest


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, None when none is like it; letter case does not count."""
    by_folded = {candidate.casefold(): candidate for candidate in sorted(known)}
    found = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def field_path(path: Iterable[str | int]) -> str:
    """spec, backends, 0, name -> spec.backends[0].name."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text
