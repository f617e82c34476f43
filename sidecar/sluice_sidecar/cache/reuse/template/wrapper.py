"""Learns from earlier (document, answer) pairs of one layout where each field stands, and reads a new document so."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from sluice_sidecar.cache.reuse.template.answer import Outline, Path, build
from sluice_sidecar.cache.reuse.template.compound import Compound, whole
from sluice_sidecar.cache.reuse.template.derived import Switch
from sluice_sidecar.cache.reuse.template.document import Document, read
from sluice_sidecar.cache.reuse.template.form import Form
from sluice_sidecar.cache.reuse.template.leaf import Leaf, empty
from sluice_sidecar.cache.reuse.template.mending import Mender
from sluice_sidecar.cache.reuse.template.novelty import Known
from sluice_sidecar.cache.reuse.template.relations import Numbers, Relation, figures
from sluice_sidecar.cache.reuse.template.run import Run
from sluice_sidecar.cache.reuse.template.span import Reading
from sluice_sidecar.cache.reuse.template.table import Table


@dataclass(frozen=True, slots=True)
class Pair:
    """A text that was asked, and the parsed JSON of the answer that a model gave."""

    document: str
    answer: Any


class Evidence(NamedTuple):
    """Where a value was read: text[start:end] of the document with tabs expanded and line ends cut."""

    path: Path
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Extraction:
    """An answer for a new document, with one piece of evidence for each value in it that is not null."""

    answer: Any
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing is given, and why. `kind` is one of a few words, for counting."""

    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class Wrapper:
    """What was learned of one layout."""

    outline: Outline
    leaves: dict[Path, Leaf]
    switches: dict[Path, Switch]
    compounds: dict[Path, Compound]
    counts: dict[Path, Path]
    tables: dict[Path, Table | Run]
    forms: dict[Path, Form]
    relations: tuple[Relation, ...]
    known: Known
    listed: frozenset[Path] = frozenset()
    """Leaves whose lines are the items of a list."""
    mender: Mender | None = None
    """How labels are mended, where a scanner misreads them."""

    def apply(self, document: str) -> Extraction | Refusal:
        """The answer for a document of this layout, or why there is none. About 1 ms for 100 lines."""
        return self._apply(read(document) if self.mender is None else Document(document, self.mender))

    def _apply(self, document: Document) -> Extraction | Refusal:
        values: dict[Path, Any] = {}
        evidence: list[tuple[Path, Reading]] = []
        for path, leaf in self.leaves.items():
            found = leaf.read(document)
            if found == "absent":
                if self.known.resembles(document, leaf.labels()):
                    return Refusal("doubtful", f"{'.'.join(path)} may be misread rather than absent")
                values[path] = leaf.absent
                continue
            if isinstance(found, str):
                return Refusal(found, f"{'.'.join(path)} is {found}")
            parts = found.value.split("\n") if path in self.listed else [found.value]
            if not all(self.forms[path].fits(part) for part in parts):
                return Refusal("form", f"{'.'.join(path)} looks like no value seen before")
            if document.touched(found.lo, found.hi) and not leaf.constant:
                return Refusal("doubtful", f"{'.'.join(path)} is mended")
            values[path] = found.value
            evidence.append((path, found))
        for path in self.listed:
            if isinstance(values[path], str):
                values[path] = values[path].split("\n")
        for path, compound in self.compounds.items():
            read_parts = [values[part] for part in compound.parts]
            texts = [part for part in read_parts if isinstance(part, str) and not empty(part)]
            if texts and len(texts) < len(read_parts):
                return Refusal("lost", f"a part of {'.'.join(path)} is lost")
            values[path] = compound.join.join(texts) if texts else read_parts[0]
        for path, decided in self.switches.items():
            chosen = decided.read(document)
            if isinstance(chosen, str):
                return Refusal(chosen, f"{'.'.join(path)} is {chosen}")
            values[path] = chosen.value
            if chosen.hi > chosen.lo:
                evidence.append((path, chosen))
        rows: dict[Path, list[Numbers]] = {}
        inside: set[int] = set()
        for path, table in self.tables.items():
            tabled = table.read(document)
            if isinstance(tabled, str):
                return Refusal("table", tabled)
            lines, taken = tabled
            inside.update(taken)
            items = []
            for place, line in enumerate(lines):
                cells: dict[Path, Any] = {}
                for field in table.fields:
                    read_ = line[field.path]
                    cells[field.path] = field.absent if read_ is None else read_.value
                    if read_ is not None:
                        if not self.forms[(*path, *field.path)].fits(read_.value):
                            return Refusal("form", f"{'.'.join((*path, *field.path))} looks like no value seen before")
                        if document.touched(read_.lo, read_.hi):
                            return Refusal("doubtful", f"{'.'.join((*path, *field.path))} is mended")
                        evidence.append(((*path, str(place), *field.path), read_))
                items.append(cells)
            rows[path] = [figures(cells) for cells in items]
            if not items and isinstance(table, Run):
                values[path] = table.empty
                continue
            values[path] = [cells[()] if table.scalar else build(cells, list(cells)) for cells in items]
        values.update({path: len(rows[table]) for path, table in self.counts.items()})
        scalars = figures(values)
        for relation in self.relations:
            if relation.holds(scalars, rows) is False:
                return Refusal("sum", f"{type(relation).__name__} does not hold")
        covered = {token for _, found in evidence for token in document.column(found.lo, found.hi)}
        surprise = self.known.surprise(document, covered, inside)
        if surprise is not None:
            return Refusal("novel", surprise)
        return Extraction(
            build(values, self.outline.order, self.outline.nullable),
            tuple(_evidence(document, path, found) for path, found in evidence),
        )


def _evidence(document: Document, path: Path, found: Reading) -> Evidence:
    start, end = document.starts[found.lo], document.ends[found.hi - 1]
    return Evidence(whole(path), document.origin(start), document.origin(end), document.text[start:end])
