"""Approved shorter wordings, put in place of the exact text that they were approved for.

A rewrite names the digest of a whole prompt or of one of its sections (`sections`). A text that differs in a single
character has another digest, so a changed prompt gets none of it; and where one of a rewrite's edits finds nothing,
the others are not made either.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from sluice_sidecar.ask import Ask
from sluice_sidecar.audit.model import Section, digest
from sluice_sidecar.audit.prompts import followed, prompts, with_prompts
from sluice_sidecar.audit.sections import sections
from sluice_sidecar.config import Rewrite

LONGEST, LINES = 40_000, 400
"""Characters and lines of a prompt beyond which no section is looked for in it: that takes time that grows with their
square, callers choose the text, and others wait meanwhile. A rewrite of the whole prompt may be of any length."""
_TAIL = 64
_KEPT = 512
"""Prompts whose rewrites are remembered."""
_ALIKE = 8
"""Of these as many as have one length and end alike."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rewrite stands in a prompt, and what stands there then."""

    rewrite: Rewrite
    start: int
    end: int
    text: str


class Rewritten(NamedTuple):
    """A request after its rewrites: `names` of those that were made, and `without` those that only a share of the
    requests gets and this one does not."""

    ask: Ask
    names: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


class Rewrites:
    """The rewrites of one route. What a prompt becomes is remembered, so that a known one costs a comparison."""

    def __init__(self, rewrites: Sequence[Rewrite]) -> None:
        self._by_digest: Mapping[str, Rewrite] = {one.section: one for one in reversed(rewrites)}
        self._known: dict[tuple[int, str], list[tuple[str, tuple[Place, ...]]]] = {}
        self._count = 0

    def apply(self, ask: Ask, tenant: str, stopped: Collection[str] = ()) -> Rewritten:
        """The request as it goes on; `stopped` names the rewrites that are not made any more.

        Raises Problem(400) for nesting too deep to be written again.
        """
        texts = prompts(ask)
        found = [place for text in texts for place in self.places(text)]
        if not found:
            return Rewritten(ask)
        fits = {place.rewrite.name: place.rewrite for place in found}
        drawn: float | None = None
        made, left = set[str](), set[str]()
        for name, rewrite in fits.items():
            if name in stopped:
                continue
            if 0 < rewrite.percent < 100 and drawn is None:
                drawn = draw(ask, tenant)
            gets = rewrite.percent >= 100 or (drawn is not None and drawn < rewrite.percent)
            (made if gets else left).add(name)
        if not made:
            return Rewritten(ask, (), tuple(sorted(left)))
        changed = [_put(text, self.places(text), made) for text in texts]
        return Rewritten(with_prompts(ask, changed), tuple(sorted(made)), tuple(sorted(left)))

    def places(self, text: str) -> tuple[Place, ...]:
        """What can be put in other words in this prompt, in order, without overlap.

        A text is found again by its length and its end and then compared whole: that is several times as fast as
        hashing it, and exact.
        """
        key = len(text), text[-_TAIL:]
        alike = self._known.get(key)
        if alike is not None:
            for known, places in alike:
                if known == text:
                    return places
        if self._count >= _KEPT or (alike is not None and len(alike) >= _ALIKE):
            self._known.clear()
            self._count = 0
        places = self._places(text)
        self._known.setdefault(key, []).append((text, places))
        self._count += 1
        return places

    def _places(self, text: str) -> tuple[Place, ...]:
        whole = self._by_digest.get(digest(text))
        if whole is not None:
            place = _place(whole, text, 0, len(text))
            return () if place is None else (place,)
        found = []
        for section in divided(text):
            rewrite = self._by_digest.get(section.digest)
            if rewrite is not None:
                place = _place(rewrite, text[section.start : section.end], section.start, section.end)
                if place is not None:
                    found.append(place)
        return tuple(found)


def divided(text: str) -> tuple[Section, ...]:
    """The sections of a prompt; none of one that is too long."""
    if len(text) > LONGEST or text.count("\n") > LINES:
        return ()
    return sections(text)


def edited(rewrite: Rewrite, text: str) -> str | None:
    """The text after all edits of a rewrite; None where one of them finds nothing."""
    if rewrite.text is not None:
        return rewrite.text
    for edit in rewrite.edits:
        if edit.find not in text:
            return None
        text = text.replace(edit.find, edit.replace)
    return text


def draw(ask: Ask, tenant: str) -> float:
    """0..100, the same in every turn of a conversation and for every rewrite: a request that gets one of 10 % gets all
    that 10 % or more get. A conversation is known by the tenant and by how it began."""
    first = next(iter(followed(ask)), None)
    began = repr(None if first is None else first.get("content"))
    hashed = blake2b(f"{tenant}\0{began}".encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(hashed.digest()) / 2**64 * 100


def _place(rewrite: Rewrite, text: str, start: int, end: int) -> Place | None:
    new = edited(rewrite, text)
    return None if new is None else Place(rewrite, start, end, new)


def _put(text: str, places: Sequence[Place], names: Collection[str]) -> str:
    for place in reversed(places):
        if place.rewrite.name in names:
            text = text[: place.start] + place.text + text[place.end :]
    return text
