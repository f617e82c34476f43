"""The rules that give a leaf's value in some document, tried on all of them."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sluice_sidecar.cache.reuse.template.anchor import anchors, behind
from sluice_sidecar.cache.reuse.template.document import Document
from sluice_sidecar.cache.reuse.template.grounding import Place, places
from sluice_sidecar.cache.reuse.template.leaf import Rule, empty, same
from sluice_sidecar.cache.reuse.template.span import NUMBERS, Reader, Text, Typed
from sluice_sidecar.cache.reuse.template.stack import stack_labels, stacked


class Held(NamedTuple):
    """A rule and the documents in which it gives what the answer has: one bit each."""

    rule: Rule
    documents: int


class Candidates:
    """The rules for the leaves of some documents, each tried once on each document whatever fold asks."""

    def __init__(self, documents: Sequence[Document], taken: Sequence[Collection[int]]) -> None:
        self.documents = documents
        self.taken = taken
        """Lines of each document that are rows of a table: a scalar that equals a cell of one does so by chance."""
        self.labels = stack_labels(documents)
        self._held: dict[object, tuple[list[Held], list[Held]]] = {}

    def held(self, path: object, values: Sequence[Any]) -> tuple[list[Held], list[Held]]:
        """Rules tied to a name, and rules tied to a place, that hold in all documents or in all but one."""
        if path not in self._held:
            having = [i for i, value in enumerate(values) if not empty(value)]
            found = {i: places(self.documents[i], values[i]) for i in having}
            sources = sorted(having, key=lambda i: len(found[i]) or 99)[:2]
            everyone = (1 << len(values)) - 1
            kinds: list[list[Held]] = []
            for by_name in (True, False):
                made: dict[Rule, None] = {}
                if not any(held.documents == everyone for each in kinds for held in each):
                    for i in sources:
                        peers = [self.documents[other] for other in having if other != i]
                        made.update(dict.fromkeys(self._made(i, values[i], found[i], by_name, peers)))
                kinds.append(self._tried(made, values))
            self._held[path] = kinds[0], kinds[1]
        return self._held[path]

    def _tried(self, made: Iterable[Rule], values: Sequence[Any]) -> list[Held]:
        """By rank. A rank below that of a rule that always holds is not worth trying."""
        kept: list[Held] = []
        enough = None
        for rule in sorted(made, key=lambda rule: rule.rank):
            if enough is not None and rule.rank > enough:
                break
            mask, missed = 0, 0
            for i, value in enumerate(values):
                read = rule.read(self.documents[i])
                if read is not None and self.documents[i].row_of[read.lo] in self.taken[i]:
                    missed = 2
                    break
                if (read is None) if empty(value) else (read is not None and same(read.value, value)):
                    mask |= 1 << i
                else:
                    missed += 1
                    if missed > 1:
                        break
            if missed <= 1:
                kept.append(Held(rule, mask))
                if not missed and enough is None:
                    enough = rule.rank
        return kept

    def _made(
        self, source: int, value: Any, found: Sequence[Place], by_name: bool, peers: list[Document]
    ) -> Iterator[Rule]:
        """Rules that give `value` in the document `source`. Their anchors stand in all `peers` but one."""
        document = self.documents[source]
        for lo, hi, readers in found:
            cell = document.cell(lo)
            start = next((at + 1 for at in range(lo - 1, cell.lo - 1, -1) if document.tokens[at] == ":"), cell.lo)
            inner = [] if lo == start else _from_cell(readers, document, start, lo)
            rest = _behind_name(document, lo)
            wide = [r for r in readers if isinstance(r, Typed) and r.whole_line] if rest not in (lo, start) else []
            for at, each in ((lo, readers), (start, inner), (rest, wide)):
                # A place without a name does not tell one amount from another.
                if not by_name:
                    each = [r for r in each if not (isinstance(r, Typed) and r.kind in NUMBERS)]
                right = [r for r in each if (read := r.read(document, at)) is not None and same(read.value, value)]
                if not right:
                    continue
                for anchor in anchors(document, at, peers, by_name):
                    yield from (Rule(anchor, reader) for reader in right)
                if by_name:
                    for beneath in stacked(document, at, self.labels):
                        yield from (Rule(beneath, reader) for reader in right)
                if by_name and at == lo:
                    for before in behind(document, lo, hi, peers):
                        yield from (Rule(before, reader) for reader in right)


def _behind_name(document: Document, lo: int) -> int:
    """What follows the name that opens a line ("VAT 19 %"), if that stands before token `lo`: a figure, a parenthesis
    or the second cell."""
    first, *others = document.rows[document.row_of[lo]]
    marked = (at for at in range(first.lo + 1, min(first.hi, lo)) if document.tokens[at][0] in "(0123456789")
    return next(marked, others[0].lo if others and others[0].lo < lo else lo)


def _from_cell(readers: Sequence[Reader], document: Document, start: int, lo: int) -> list[Reader]:
    """The same values read from the start of the cell: words before them are skipped."""
    skipped = len(document.words(start, lo))
    found: list[Reader] = []
    for reader in readers:
        if isinstance(reader, Typed) or (isinstance(reader, Text) and reader.extent == "last"):
            found.append(reader)
        elif isinstance(reader, Text) and reader.extent != "block" and not document.glued(lo):
            found.append(replace(reader, skip=skipped))
            before = document.tokens[lo - 1]
            if reader.extent == "cell" and not before[0].isalnum() and before not in document.tokens[start : lo - 1]:
                found.append(Text("after", reader.form, stop=before))
    return found
