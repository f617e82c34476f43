"""Learns the table of line items: finds each item's lines where it was seen, and rules for its columns."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from sluice_sidecar.cache.reuse.template.anchor import overlapping
from sluice_sidecar.cache.reuse.template.answer import Path
from sluice_sidecar.cache.reuse.template.document import Document, Label
from sluice_sidecar.cache.reuse.template.form import decimals
from sluice_sidecar.cache.reuse.template.grounding import Place, places
from sluice_sidecar.cache.reuse.template.leaf import MISSING, empty, same
from sluice_sidecar.cache.reuse.template.span import NUMBERS, Reader, Text, Typed
from sluice_sidecar.cache.reuse.template.table import (
    CellRule,
    Column,
    Field,
    Table,
    Wrapped,
    line_shape,
    read_cell,
)

HEAD = 4
"""Lines between the heading of a table and its first row, at most."""
TRIED = 2
"""Documents from which rules are made, the longest value of each; the others try them."""

Item = dict[Path, Any]


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
        self.down = _distance(self.documents, mains)
        ends = _ends(self.documents, mains)
        if not self.down:
            return
        self.located = [
            Located(rows[0] - self.down, list(zip(rows, [*rows[1:], end], strict=True)), each)
            for rows, end, each in zip(mains, ends, items, strict=True)
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
        if () in enders:
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


def flat(item: Any) -> Item:
    """An item's values by their paths within it; () for an item that is a scalar."""
    if not isinstance(item, dict):
        return {(): item}
    found: Item = {}
    for key, value in item.items():
        inner = flat(value) if isinstance(value, dict) else {(): value}
        found.update({(key, *path): leaf for path, leaf in inner.items()})
    return found


def locate_rows(document: Document, items: Sequence[Item]) -> list[int] | None:
    """The first line of each item: one below the other, so that together they hold most of the items' values."""
    best: dict[int, tuple[int, list[int]]] = {-1: (0, [])}
    for item in items:
        hits: Counter[int] = Counter()
        for value in item.values():
            hits.update({document.row_of[lo] for lo, _, _ in places(document, value)})
        following: dict[int, tuple[int, list[int]]] = {}
        for row, count in hits.items():
            before = max((state for last, state in best.items() if last < row), key=lambda s: s[0], default=None)
            if before is not None:
                following[row] = before[0] + count, [*before[1], row]
        best = following
        if not best:
            return None
    rows = max(best.values(), key=lambda state: (state[0], -state[1][0]))[1]
    return rows if all(first < second for first, second in pairwise(rows)) else None


def _distance(documents: Sequence[Document], mains: Sequence[Sequence[int]]) -> int:
    """Lines from the heading down to the first row: the nearest line that reads the same in all; 0 if there is none."""
    for down in range(1, min(HEAD, *(rows[0] for rows in mains)) + 1):
        lines = {document.line(rows[0] - down) for document, rows in zip(documents, mains, strict=True)}
        if len(lines) == 1 and any(token[0].isalpha() for token in next(iter(lines))):
            return down
    return 0


def _ends(documents: Sequence[Document], mains: Sequence[Sequence[int]]) -> list[int]:
    """The line after each table: the nearest below the last row whose opening words stand in every document, and in no
    table."""
    after: list[set[Label]] = [
        set(document.openings[rows[-1] + 1 :]) for document, rows in zip(documents, mains, strict=True)
    ]
    inside: set[Label] = {()}
    for document, rows in zip(documents, mains, strict=True):
        inside.update(document.openings[rows[0] : rows[-1] + 1])
    shared = set.intersection(*after) - inside
    ends = []
    for document, rows in zip(documents, mains, strict=True):
        last = len(document.rows)
        end = next((row for row in range(rows[-1] + 1, last) if document.openings[row] in shared), last)
        ends.append(end)
    return ends


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
        yield from (reader for reader in readers if lo == at or isinstance(reader, Typed))
        if isinstance(value, str) and lo > at and not document.glued(lo):
            yield Text("cell", skip=len(document.words(at, lo)))
        if isinstance(value, str) and lo == at and (after := sum(word >= hi for word in words)):
            yield Text("line_but", size=after)
