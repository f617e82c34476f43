"""Learns the table of line items: finds each item's lines where it was seen, and rules for its columns."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sluice_sidecar.cache.reuse.template.anchor import overlapping
from sluice_sidecar.cache.reuse.template.answer import Path
from sluice_sidecar.cache.reuse.template.document import Document
from sluice_sidecar.cache.reuse.template.form import decimals
from sluice_sidecar.cache.reuse.template.grounding import Place, places
from sluice_sidecar.cache.reuse.template.leaf import MISSING, empty, same
from sluice_sidecar.cache.reuse.template.location import Item, again_at, distance, ends_of, flat, locate_rows
from sluice_sidecar.cache.reuse.template.span import NUMBERS, Reader, Text, Typed
from sluice_sidecar.cache.reuse.template.table import (
    CellRule,
    Column,
    Field,
    Table,
    Wrapped,
    line_shape,
    read_cell,
    spans,
)

TRIED = 2
"""Documents from which rules are made, the longest value of each; the others try them."""


class Located(NamedTuple):
    """A document's table: its heading's line, its rows' lines [first, last), and the items that stand there."""

    head: int
    spans: list[tuple[int, int]]
    items: list[Item]


class Itemisation:
    """The tables of one path in some documents, located once whatever fold asks."""

    def __init__(self, path: Path, values: Sequence[Any], documents: Sequence[Document]) -> None:
        self.path = path
        self.documents = documents
        self.values = values
        self.scalar = not all(isinstance(item, dict) for value in values if isinstance(value, list) for item in value)
        self.located: list[Located] | None = None
        self.down = 0
        self.tight = False
        self._written: dict[tuple[CellRule, int], set[int]] = {}
        self._held: dict[Path, list[tuple[CellRule, int]]] = {}
        self._locate()

    def _locate(self) -> None:
        if any(not isinstance(value, list) or not value for value in self.values):
            return
        items = [[flat(item) for item in value] for value in self.values]
        mains = []
        for document, rows in zip(self.documents, items, strict=True):
            found = locate_rows(document, rows)
            if found is None:
                return
            mains.append(found)
        self.down = distance(self.documents, mains)
        self.tight = not any(
            document.blank_before(row)
            for document, rows in zip(self.documents, mains, strict=True)
            for row in range(rows[0] + 1, rows[-1] + 1)
        )
        ends = ends_of(self.documents, mains, tight=self.tight)
        # One row in each document shows nothing of what stands between rows.
        blank = [end < len(d.rows) and d.blank_before(end) for d, end in zip(self.documents, ends, strict=True)]
        self.tight = self.tight and all(blank) and any(len(rows) > 1 for rows in mains)
        if not self.tight:
            ends = ends_of(self.documents, mains, tight=False)
        if not self.down:
            return
        self.located = [
            Located(rows[0] - self.down, spans(rows, again_at(document, rows[0] - self.down, end), end), each)
            for document, rows, end, each in zip(self.documents, mains, ends, items, strict=True)
        ]

    def lines(self, i: int) -> set[int]:
        """The lines of document `i` that are rows."""
        spans = self.located[i].spans if self.located is not None else []
        return {row for first, last in spans for row in range(first, last)}

    def items(self, i: int) -> list[Item]:
        """The items of document `i`; none if the tables could not be located."""
        return self.located[i].items if self.located is not None else []

    def masks(self) -> list[int]:
        """The documents in which each rule of a column that fails somewhere holds, one bit each."""
        everyone = (1 << len(self.documents)) - 1
        return [held for rules in self._held.values() for _, held in rules if held != everyone]

    def table(self, chosen: Sequence[int]) -> Table | None:
        """The table learned from the documents `chosen`; None if no rules hold."""
        if self.located is None:
            return None
        picked = [(self.documents[i], self.located[i]) for i in chosen]
        fields = []
        for path in dict.fromkeys(path for _, one in picked for item in one.items for path in item):
            field = self._field(path, chosen)
            if field is None:
                return None
            fields.append(field)
        enders = frozenset(d.openings[t.spans[-1][1]] for d, t in picked if t.spans[-1][1] < len(d.rows))
        if self.tight:
            enders = frozenset()
        elif () in enders:
            return None
        below = frozenset(
            line_shape(d, row) for d, t in picked for first, last in t.spans for row in range(first + 1, last)
        )
        firsts = [(d, first) for d, t in picked for first, _ in t.spans]
        document, one = picked[0]
        opens = document.rows[one.head][0]
        return Table(
            path=self.path,
            head=tuple(document.tokens[opens.lo : opens.hi]),
            heads=document.line(one.head),
            down=self.down,
            enders=enders,
            at_end=any(t.spans[-1][1] == len(d.rows) for d, t in picked),
            widths=frozenset(len(d.rows[row]) for d, row in firsts),
            shapes=frozenset(line_shape(d, row) for d, row in firsts),
            below=below,
            fields=tuple(fields),
            scalar=self.scalar,
            tight=self.tight,
            again=any(again_at(d, t.head, t.spans[-1][0]) for d, t in picked),
        )

    def _field(self, path: Path, chosen: Sequence[int]) -> Field | None:
        assert self.located is not None
        values = [item.get(path, MISSING) for i in chosen for item in self.located[i].items]
        lacking = [value for value in values if empty(value)]
        if any(type(value) is not type(lacking[0]) or value != lacking[0] for value in lacking):
            return None
        absent = lacking[0] if lacking else None
        whole = all(isinstance(v, int) for v in values if isinstance(v, int | float) and v % 1 == 0)
        if len(lacking) == len(values):
            return Field(path, (), True, absent, whole)
        if path not in self._held:
            self._held[path] = self._tried(path)
        wanted = sum(1 << i for i in chosen)
        kept = [rule for rule, held in self._held[path] if held & wanted == wanted]
        if not kept:
            return None
        best = min(_rank(rule) for rule in kept)
        rules = tuple(rule for rule in kept if _rank(rule) == best)
        return Field(path, rules, bool(lacking), absent, whole, self._decimals(rules[0], chosen))

    def _decimals(self, rule: CellRule, chosen: Sequence[int]) -> int:
        assert self.located is not None
        column, reader, down = rule
        if not isinstance(reader, Typed) or reader.kind not in NUMBERS:
            return 0
        found: set[int] = set()
        for i in chosen:
            if (rule, i) not in self._written:
                document, one = self.documents[i], self.located[i]
                cells = (read_cell(document, column, reader, row + down, last, one.head) for row, last in one.spans)
                self._written[rule, i] = {decimals(document.raw(cell.lo, cell.hi)) for cell in cells if cell}
            found |= self._written[rule, i]
        return found.pop() if len(found) == 1 else 0

    def _tried(self, path: Path) -> list[tuple[CellRule, int]]:
        """Rules with the documents in which they hold, one bit each; those that fail in two are left out."""
        assert self.located is not None
        made: dict[CellRule, None] = {}
        sources = 0
        for document, one in zip(self.documents, self.located, strict=True):
            cells = [(span, item[path]) for span, item in zip(one.spans, one.items, strict=True) if path in item]
            cells = [cell for cell in cells if not empty(cell[1])]
            if cells and sources < TRIED:
                sources += 1
                (row, last), value = max(cells, key=lambda cell: len(str(cell[1])))
                made.update(dict.fromkeys(_made(document, row, last, one.head, value)))
        kept: list[tuple[CellRule, int]] = []
        enough: int | None = None
        for rule in sorted(made, key=_rank):
            if enough is not None and _rank(rule) > enough:
                break
            held, missed = 0, 0
            for i, (document, one) in enumerate(zip(self.documents, self.located, strict=True)):
                if _holds(rule, path, document, one):
                    held |= 1 << i
                else:
                    missed += 1
                    if missed > 1:
                        break
            if missed <= 1:
                kept.append((rule, held))
                if not missed:
                    enough = _rank(rule)
        return kept


def _rank(rule: CellRule) -> int:
    return rule[0].rank + rule[1].rank


def _holds(rule: CellRule, path: Path, document: Document, one: Located) -> bool:
    column, reader, down = rule
    for (row, last), item in zip(one.spans, one.items, strict=True):
        value = item.get(path, MISSING)
        read = read_cell(document, column, reader, row + down, last, one.head) if row + down < last else None
        if (read is not None) if empty(value) else (read is None or not same(read.value, value)):
            return False
    return True


def _made(document: Document, row: int, last: int, head: int, value: Any) -> Iterator[CellRule]:
    """Rules that give `value` in the row of lines [row, last)."""
    stands = [place for place in places(document, value) if row <= document.row_of[place[0]] < min(last, row + 3)]
    for down in range(min(3, last - row)):
        line = document.rows[row + down]
        here = [place for place in stands if document.row_of[place[0]] == row + down]
        if not here and not (isinstance(value, str) and down == 0):
            continue
        words = document.words(line[0].lo, line[-1].hi)
        for column, at in _columns(document, line, head, words):
            for reader in dict.fromkeys(_readers(document, at, here, words, value)):
                read = reader.read(document, at, last) if isinstance(reader, Wrapped) else reader.read(document, at)
                if read is not None and same(read.value, value):
                    yield column, reader, down


def _columns(document: Document, line: Sequence[Any], head: int, words: Sequence[int]) -> Iterator[tuple[Column, int]]:
    for place, cell in enumerate(line):
        yield Column(cell=place), cell.lo
        yield Column(cell=place - len(line)), cell.lo
        for over in document.rows[head]:
            if overlapping(line, over) == cell:
                yield Column(head=tuple(document.tokens[over.lo : over.hi])), cell.lo
    for place, at in enumerate(words):
        yield Column(word=place), at
        yield Column(word=place - len(words)), at


def _readers(
    document: Document, at: int, here: Iterable[Place], words: Sequence[int], value: Any
) -> Iterator[Reader | Wrapped]:
    if isinstance(value, str) and document.cell(at).lo == at:
        yield from (Wrapped(" "), Wrapped(", "), Wrapped("\n"))
    for lo, hi, readers in here:
        if document.cell_of[lo] != document.cell_of[at]:
            continue
        yield from (
            reader
            for reader in readers
            if isinstance(reader, Typed) or (lo == at and isinstance(reader, Text) and reader.extent != "block")
        )
        if isinstance(value, str) and lo > at and not document.glued(lo):
            yield Text("cell", skip=len(document.words(at, lo)))
        if isinstance(value, str) and lo == at and (after := sum(word >= hi for word in words)):
            yield Text("line_but", size=after)
