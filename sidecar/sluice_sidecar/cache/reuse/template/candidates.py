"""The rules that give a leaf's value in some document, tried on all of them."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any, NamedTuple, TypeGuard

from sluice_sidecar.cache.reuse.template.anchor import anchors, behind
from sluice_sidecar.cache.reuse.template.document import Document, Label
from sluice_sidecar.cache.reuse.template.grounding import Place, places
from sluice_sidecar.cache.reuse.template.leaf import Rule, empty, same
from sluice_sidecar.cache.reuse.template.postal import PARTS, Postal
from sluice_sidecar.cache.reuse.template.span import BLOCK, NUMBERS, Reader, Reading, Text, Typed
from sluice_sidecar.cache.reuse.template.stack import stack_labels, stacked
from sluice_sidecar.cache.reuse.template.summed import Named, Summed, several, sums
from sluice_sidecar.cache.reuse.template.values import CODES, STYLES, SYMBOLS

WITNESS = 2
"""Ranks beyond the best in which a rule that reads the same values elsewhere is looked for."""


class Held(NamedTuple):
    """A rule and the documents in which it gives what the answer has: one bit each."""

    rule: Rule
    documents: int
    reads: tuple[Reading | None, ...]
    """What it reads in each document."""
    rank: int


class Candidates:
    """The rules for the leaves of some documents, each tried once on each document whatever fold asks."""

    def __init__(
        self, documents: Sequence[Document], taken: Sequence[Collection[int]], said: Collection[Label] = ()
    ) -> None:
        """`said`: texts of the answers, which are no labels."""
        self.documents = documents
        self.taken = taken
        """Lines of each document that are rows of a table: a scalar that equals a cell of one does so by chance."""
        self.labels = stack_labels(documents, said)
        openings = Counter(label for document in documents for label in set(document.openings) if label)
        self.stops = frozenset(
            label
            for label, count in openings.items()
            if label not in said and (count == len(documents) or label in self.labels)
        )
        """Openings of lines that all documents have: what ends a block that no blank line ends."""
        self._held: dict[object, tuple[list[Held], list[Held]]] = {}

    def held(self, path: object, values: Sequence[Any]) -> tuple[list[Held], list[Held]]:
        """Rules tied to a name, and rules tied to a place, that hold in all documents or in all but one."""
        if path not in self._held:
            having = [i for i, value in enumerate(values) if not empty(value)]
            found = {i: places(self.documents[i], values[i]) for i in having}
            joins = {
                reader.stop
                for i in having
                for lo, hi, readers in found[i]
                if self.documents[i].row_of[lo] != self.documents[i].row_of[hi - 1]
                for reader in readers
                if isinstance(reader, Text) and reader.extent == "block"
            }
            for i in having:
                found[i] = [
                    (lo, hi, [r for r in readers if not _block_of(r) or r.stop in joins])
                    for lo, hi, readers in found[i]
                ]
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

    def forget(self, path: object) -> None:
        """What was found for a path, whose values are told otherwise from now on."""
        self._held.pop(path, None)

    def _tried(self, made: Iterable[Rule], values: Sequence[Any]) -> list[Held]:
        """By rank. A rank below that of a rule that always holds is not worth trying."""
        kept: list[Held] = []
        enough = None
        for rank, rule in sorted(((rule.rank, rule) for rule in made), key=itemgetter(0)):
            if enough is not None and rank > enough + WITNESS:
                break
            mask, missed = 0, 0
            reads: list[Reading | None] = []
            for i, value in enumerate(values):
                read = rule.read(self.documents[i])
                reads.append(read)
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
                kept.append(Held(rule, mask, tuple(reads), rank))
                if not missed and enough is None:
                    enough = rank
        return kept

    def _made(
        self, source: int, value: Any, found: Sequence[Place], by_name: bool, peers: list[Document]
    ) -> Iterator[Rule]:
        """Rules that give `value` in the document `source`. Their anchors stand in all `peers` but one."""
        document = self.documents[source]
        if by_name and isinstance(value, int | float) and not isinstance(value, bool):
            for style in STYLES:
                for label, total in sums(document, style).items():
                    if same(total.value, value) and any(several(one, style, label) for one in self.documents):
                        yield Rule(Named(label), Summed(label, style))
        if by_name and isinstance(value, str):
            yield from self._of_address(document, value, found, peers)
        for lo, hi, readers in found:
            readers = [*readers, *(replace(r, stops=self.stops) for r in readers if _ends_by_itself(r))]
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

    def _of_address(
        self, document: Document, value: str, found: Sequence[Place], peers: list[Document]
    ) -> Iterator[Rule]:
        for lo, _, _ in found:
            column = document.cell(lo).start
            for row in range(document.row_of[lo] - 1, max(-1, document.row_of[lo] - BLOCK), -1):
                top = next((cell for cell in document.rows[row] if cell.start == column), None)
                if top is None or document.blank_before(row + 1):
                    break
                for part in PARTS:
                    for stops in (frozenset[Label](), self.stops):
                        told = Postal(part, stops).read(document, top.lo)
                        if told is not None and told.value == value:
                            for anchor in anchors(document, top.lo, peers, True):
                                yield Rule(anchor, Postal(part, stops))


def _block_of(reader: Reader) -> TypeGuard[Text]:
    return isinstance(reader, Text) and reader.extent == "block"


def _ends_by_itself(reader: Reader) -> TypeGuard[Text]:
    return _block_of(reader) and not reader.size


def _behind_name(document: Document, lo: int) -> int:
    """What follows the name that opens a line ("VAT 19 %"), if that stands before token `lo`: a figure, a currency, a
    parenthesis or the second cell."""
    first, *others = document.rows[document.row_of[lo]]
    marked = (at for at in range(first.lo + 1, min(first.hi, lo)) if _ends_name(document.tokens[at]))
    return next(marked, others[0].lo if others and others[0].lo < lo else lo)


def _ends_name(token: str) -> bool:
    return token[0] in "(0123456789" or token in SYMBOLS or token in CODES


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
