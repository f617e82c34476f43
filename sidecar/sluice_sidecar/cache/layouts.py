"""Layouts of documents: which earlier documents a new one is laid out like, and what was learned from them."""

import asyncio
import dataclasses
import logging
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from sluice_sidecar.cache.entry import Entry
from sluice_sidecar.cache.fingerprint import Fingerprint
from sluice_sidecar.cache.reuse.strategy import Neighbour, Proposal, Record
from sluice_sidecar.cache.reuse.template import SIBLINGS, Extraction, Pair, Wrapper, induce, parse, serialise, signature
from sluice_sidecar.cache.reuse.template.induction import HISTORY, MINIMUM
from sluice_sidecar.cache.reuse.template.strategy import Template
from sluice_sidecar.dialects.dialect import Dialect

if TYPE_CHECKING:
    from sluice_sidecar.cache.embed import Vector

log = logging.getLogger("sluice.cache")

KEPT = 1024
"""Documents whose wrappers are remembered; what is forgotten is learned again with the next document of its layout."""
TRIED = 3
"""Nearest siblings whose wrappers are tried."""
INLINE = 2_000
"""Characters of a document that is read where it is asked, some 2 ms; a longer one is read in a thread."""
WAITING = 16
"""Documents that wait to be learned from, one at a time; of more nothing is learned."""

TEMPLATE = Template()


@dataclass(frozen=True, slots=True)
class _Learned:
    wrapper: Wrapper
    pairs: int
    sources: frozenset[str]
    """Keys of the entries that it was learned from, or could have been."""
    until: float
    """When the first of them expires, in seconds of the cache's clock: from then on nothing is read by it."""


class Layouts:
    """Wrappers by document. Learning takes some 30 ms and runs in a thread, never before a caller's answer.

    Nothing that a hostile document or answer does is raised; it is not learned from, or not read.
    """

    def __init__(self, refusals: Counter[str], now: Callable[[], float]) -> None:
        self._known: OrderedDict[str, _Learned] = OrderedDict()
        self._refusals, self._now = refusals, now
        self._one, self._waiting, self._forgot = asyncio.Lock(), 0, 0

    @staticmethod
    async def vector(text: str) -> "Vector":
        """The layout's signature: a unit vector of the embedder's width; zeros for a text without words."""
        return signature(text) if len(text) <= INLINE else await asyncio.to_thread(signature, text)

    @staticmethod
    def group(fp: Fingerprint, siblings: Sequence[Neighbour]) -> str:
        """The layout that a document belongs to: its nearest sibling's, else a new one."""
        near = siblings[0] if siblings and siblings[0].similarity >= SIBLINGS else None
        return near.entry.group if near and near.entry.group else fp.key

    async def propose(self, fp: Fingerprint, siblings: Sequence[Neighbour], record: Record) -> Proposal | None:
        """The new document's own answer, read as its siblings' were; None where nothing was learned or it refuses."""
        if fp.text is None:
            return None
        for sibling in siblings[:TRIED]:
            learned = self._known.get(sibling.entry.key)
            if learned is None:
                continue
            if learned.until <= self._now():
                del self._known[sibling.entry.key]
                continue
            apply = learned.wrapper.apply
            try:
                found = apply(fp.text) if len(fp.text) <= INLINE else await asyncio.to_thread(apply, fp.text)
                if not isinstance(found, Extraction):
                    self._refusals[f"template_{found.kind}"] += 1
                    continue
                # Fails where the sibling's own answer is none that others could be written like.
                text = serialise(found.answer, fp.dialect.answer_text(sibling.entry.whole))
            except Exception as error:  # an odd document costs a hit, never an answer
                self._failed(error)
                continue
            body = orjson.dumps(fp.dialect.saying(sibling.entry.whole, text))
            entry = dataclasses.replace(sibling.entry, key=fp.key, text=fp.text, body=body)
            return TEMPLATE.propose(entry, sibling.similarity, found, learned.pairs, record)
        return None

    async def learn(self, key: str, siblings: Sequence[Neighbour], dialect: Dialect) -> None:
        """Learns how to read documents like the one just stored under `key`, from its siblings, itself among them.

        One wrapper a document, from those most alike to it: layouts that look alike are not mixed.
        """
        pairs = _pairs([one.entry for one in siblings[:HISTORY]], dialect.answer_text)
        if len(pairs) < MINIMUM:
            return
        if self._waiting >= WAITING:
            return
        self._waiting += 1
        forgot = self._forgot
        try:
            async with self._one:
                wrapper = await asyncio.to_thread(induce, pairs[::-1])
        except Exception as error:
            self._failed(error)
            return
        finally:
            self._waiting -= 1
        if wrapper is None or forgot != self._forgot:
            return
        until = min(one.entry.expires for one in siblings[:HISTORY])
        self._known[key] = _Learned(wrapper, len(pairs), frozenset(one.entry.key for one in siblings), until)
        if len(self._known) > KEPT:
            self._known.popitem(last=False)

    def _failed(self, error: Exception) -> None:
        self._refusals["template_failed"] += 1
        log.debug("a document could not be read", extra={"reason": type(error).__name__})

    def forget(self, entry: str | None) -> None:
        """Drops what was learned from an entry, None: all of it. What is being learned is not kept either."""
        self._forgot += 1
        for key in [key for key, learned in self._known.items() if entry is None or entry in learned.sources]:
            del self._known[key]


def _pairs(entries: Sequence[Entry], said: Callable[[dict[str, object]], str]) -> list[Pair]:
    pairs = []
    for entry in entries:
        try:
            answer = parse(said(entry.whole))
        except (ValueError, RecursionError):
            continue
        if isinstance(answer, dict) and entry.text is not None:
            pairs.append(Pair(entry.text, answer))
    return pairs
