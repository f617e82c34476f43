"""Learns from earlier (document, answer) pairs of one layout where each field stands, and proves it on each pair."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sluice_sidecar.cache.reuse.template.answer import Outline, Path, at, equal, lines_of, outline, said_in
from sluice_sidecar.cache.reuse.template.candidates import Candidates
from sluice_sidecar.cache.reuse.template.compound import Compound, parts
from sluice_sidecar.cache.reuse.template.derived import Switch, counted, standing, switch, unsaid
from sluice_sidecar.cache.reuse.template.document import Document, read
from sluice_sidecar.cache.reuse.template.form import Form, form
from sluice_sidecar.cache.reuse.template.itemisation import Itemisation
from sluice_sidecar.cache.reuse.template.leaf import Leaf, empty, learn
from sluice_sidecar.cache.reuse.template.locale import harmonised
from sluice_sidecar.cache.reuse.template.mending import Mender, mender
from sluice_sidecar.cache.reuse.template.noise import misread, noisy
from sluice_sidecar.cache.reuse.template.novelty import known
from sluice_sidecar.cache.reuse.template.relations import Numbers, Rows, figures, learned
from sluice_sidecar.cache.reuse.template.run import Run
from sluice_sidecar.cache.reuse.template.rundown import Rundown
from sluice_sidecar.cache.reuse.template.selection import akin, explained_pairs
from sluice_sidecar.cache.reuse.template.table import Table
from sluice_sidecar.cache.reuse.template.wrapper import Extraction, Pair, Refusal, Wrapper

MINIMUM = 3
"""Pairs to learn from, at least."""
RECENT = 6
"""Pairs to learn from, at most: the most recent ones."""
HISTORY = 12
"""Pairs that are considered, at most."""
DROPPED = 2
"""Pairs that may be left aside because they alone keep a field from being learned, as where a label is misread."""
EXACT = 2
"""Siblings that must be reproduced when left out, at least; the others may be refused, none may be wrong."""


def induce(pairs: Sequence[Pair], minimum: int = MINIMUM) -> Wrapper | None:
    """The wrapper of a layout from its pairs, oldest or least alike first; None when a field cannot be told from them.

    Pairs whose values do not all stand in their text (a model mended what a scanner misread) teach nothing. Each of the
    others is left out once and read with what the rest teach: none may come out wrong. If one does, the layout may
    have drifted, and the older pairs are dropped as long as `minimum` remain. At last, no pair of the history since the
    first one learned from may come out wrong. A pair that alone keeps a field from being learned is left aside.
    """
    history = list(pairs[-HISTORY:])
    documents = [read(pair.document) for pair in history]
    kept = akin(documents, [pair.answer for pair in history], minimum)
    history, documents = [history[i] for i in kept], [documents[i] for i in kept]
    mended = mender([document.text for document in documents]) if noisy(documents) else None
    if mended is not None:
        documents = [Document(pair.document, mended) for pair in history]
    usable = explained_pairs(documents, [pair.answer for pair in history])
    clean = mended is None and not any(
        misread(documents[i], history[i].answer) for i in range(len(history)) if i not in usable
    )
    learnable, newest, dropped = usable[-RECENT:], usable[-minimum:], 0
    while len(learnable) >= max(minimum, EXACT + 1):
        chosen = [documents[i] for i in learnable]
        induction = _Induction(chosen, [history[i].answer for i in learnable], clean=clean, mended=mended)
        wrapper = induction.wrapper()
        if wrapper is not None:
            others = [history[i] for i in range(learnable[0], len(history)) if i not in learnable]
            if all(_right(wrapper.apply(pair.document), pair.answer) for pair in others):
                return wrapper
        odd = induction.odd_one_out()
        if odd is not None and dropped < DROPPED:
            dropped += 1
            usable.remove(learnable[odd])
            learnable = usable[-RECENT:]
        else:
            learnable = newest if learnable != newest else []
            dropped = DROPPED
    return None


def _right(found: Extraction | Refusal, answer: Any) -> bool:
    return isinstance(found, Refusal) or equal(found.answer, answer)


class _Induction:
    def __init__(
        self, documents: list[Document], answers: list[Any], *, clean: bool, mended: Mender | None = None
    ) -> None:
        self.clean, self.mender = clean, mended
        self.documents, self.answers = documents, answers
        self.shape = outline(self.answers)
        self.values: dict[Path, list[Any]] = {}
        said = said_in(self.answers)
        self.blocks = Candidates(self.documents, [()] * len(documents), said)
        self.listed = {path for path in (self.shape.tables if self.shape else ()) if self._lists(path)}
        self.itemised = {
            path: self._itemise(path, [at(answer, path) for answer in self.answers])
            for path in (self.shape.tables if self.shape else ())
            if path not in self.listed
        }
        self.candidates = Candidates(self.documents, [self._rows(i) for i in range(len(documents))], said)
        self.figures: dict[int, tuple[Numbers, Rows]] = {}
        self.decided: set[Path] = set()
        self.counts: dict[Path, Path] = {}
        self.failing: Counter[int] = Counter()
        self.hopeless = False
        for path in self.shape.leaves if self.shape else ():
            self._settle(path)

    def _settle(self, path: Path) -> None:
        """Tells a value that stands in the text from one that is derived."""
        assert self.shape is not None
        values = [at(answer, path) for answer in self.answers]
        for table in self.shape.tables:
            if counted(values, [at(answer, table) for answer in self.answers]):
                self.counts[path] = table
        self.values[path], decided = standing(values, self.documents)
        if decided:
            self.decided.add(path)
            return
        # A nought that says that there is nothing may stand somewhere by chance.
        other = unsaid(self.values[path])
        if other is None or self._always(path, self.values[path]):
            return
        self.candidates.forget(path)
        if self._always(path, other):
            self.values[path] = other
        else:
            self.candidates.forget(path)

    def _always(self, path: Path, values: Sequence[Any]) -> bool:
        return learn(path, values, range(len(values)), self.candidates, clean=self.clean) is not None

    def _itemise(self, path: Path, values: list[Any]) -> Itemisation:
        """By a heading above the rows and a line below them, else by how the rows read."""
        found = Itemisation(path, values, self.documents)
        everyone = range(len(self.documents))
        if found.table(everyone) is None:
            other = Rundown(path, values, self.documents)
            if other.table(everyone) is not None:
                return other
        return found

    def _lists(self, path: Path) -> bool:
        """Whether a list of texts can be read as the lines of a block; its values are then one text each."""
        values = [lines_of(at(answer, path)) for answer in self.answers]
        texts = [value for value in values if isinstance(value, str)]
        # Lists of one item each do not show where a second one would stand.
        if any(value is None for value in values) or not any("\n" in text for text in texts):
            return False
        self.values[path] = values
        return learn(path, values, range(len(values)), self.blocks, clean=self.clean) is not None

    def _rows(self, i: int) -> set[int]:
        return {row for one in self.itemised.values() for row in one.lines(i)}

    def wrapper(self) -> Wrapper | None:
        """See induce, for these pairs as they are."""
        shape = self.shape
        if shape is None:
            return None
        everyone = range(len(self.documents))
        whole = self._fit(shape, list(everyone))
        if whole is None:
            return None
        exact = 0
        for left_out in everyone:
            rest = self._fit(shape, [i for i in everyone if i != left_out])
            if rest is None:
                continue
            found = rest._apply(self.documents[left_out])
            if isinstance(found, Extraction):
                if not equal(found.answer, self.answers[left_out]):
                    self.hopeless = True
                    return None
                exact += 1
        self.hopeless = True
        return whole if exact >= EXACT else None

    def _fit(self, shape: Outline, chosen: list[int]) -> Wrapper | None:
        tables: dict[Path, Table | Run] = {}
        leaves: dict[Path, Leaf] = {}
        forms: dict[Path, Form] = {}
        for path in shape.tables:
            if path in self.listed:
                leaf = learn(path, self.values[path], chosen, self.blocks, clean=self.clean)
                if leaf is None:
                    return None
                leaves[path] = leaf
                texts = [v for i in chosen if not empty(v := self.values[path][i])]
                forms[path] = form([line for text in texts for line in text.split("\n")], clean=self.clean)
                continue
            table = self.itemised[path].table(chosen)
            if table is None:
                self._note(self.itemised[path].masks())
                return None
            tables[path] = table
            for field in table.fields:
                cells = [item.get(field.path) for i in chosen for item in self.itemised[path].items(i)]
                forms[(*path, *field.path)] = form([cell for cell in cells if cell is not None], clean=self.clean)
        switches: dict[Path, Switch] = {}
        compounds: dict[Path, Compound] = {}
        lost = False
        for path in shape.leaves:
            values = self.values[path]
            if path in self.counts:
                continue
            if path in self.decided:
                decided = switch([values[i] for i in chosen], [self.documents[i] for i in chosen])
                if decided is not None:
                    switches[path] = decided
                elif self.clean and len(chosen) >= MINIMUM and unanimous([values[i] for i in chosen], values):
                    # Words that nobody said decide it: given while all is said that siblings say, and nothing else.
                    leaves[path] = Leaf((), values[chosen[0]], True, 0)
                else:
                    return None
                continue
            leaf = learn(path, values, chosen, self.candidates, clean=self.clean)
            if leaf is not None:
                leaves[path] = leaf
                forms[path] = form([values[i] for i in chosen if not empty(values[i])], clean=self.clean)
                continue
            compound = self._compound(path, chosen, leaves, forms)
            if compound is None:
                named, placed = self.candidates.held(path, values)
                self._note([held.documents for held in (*named, *placed)])
                lost = True
                continue
            compounds[path] = compound
        if lost:
            return None
        leaves, tables = harmonised(leaves, tables)
        relations = learned([self._figures_of(shape, i) for i in chosen])
        strict = bool(switches) or any(leaf.fixed for leaf in leaves.values())
        said = known([self.documents[i] for i in chosen], strict=strict, clean=self.clean)
        return Wrapper(
            shape,
            leaves,
            switches,
            compounds,
            self.counts,
            tables,
            forms,
            relations,
            said,
            frozenset(self.listed),
            self.mender,
        )

    def _note(self, masks: Sequence[int]) -> None:
        """Counts the pairs in which alone a rule fails."""
        everyone = (1 << len(self.documents)) - 1
        missing = {everyone ^ mask for mask in masks}
        alone = {i for i in range(len(self.documents)) if 1 << i in missing}
        self.failing.update(alone)
        self.hopeless |= not alone

    def odd_one_out(self) -> int | None:
        """The pair that keeps most fields from being learned."""
        return self.failing.most_common(1)[0][0] if self.failing and not self.hopeless else None

    def _compound(
        self, path: Path, chosen: list[int], leaves: dict[Path, Leaf], forms: dict[Path, Form]
    ) -> Compound | None:
        """A value put together from parts that stand in different places; adds the leaves of its parts."""
        for compound, values in parts(path, self.values[path]):
            found: dict[Path, Leaf] = {}
            for part, each in zip(compound.parts, values, strict=True):
                leaf = learn(part, each, chosen, self.candidates, clean=self.clean)
                if leaf is None or not leaf.support:
                    break
                found[part] = leaf
                forms[part] = form([each[i] for i in chosen if not empty(each[i])], clean=self.clean)
            else:
                leaves.update(found)
                return compound
        return None

    def _figures_of(self, shape: Outline, i: int) -> tuple[Numbers, Rows]:
        if i not in self.figures:
            scalars = figures({path: at(self.answers[i], path) for path in shape.leaves})
            rows = {path: [figures(item) for item in one.items(i)] for path, one in self.itemised.items()}
            self.figures[i] = scalars, rows
        return self.figures[i]


def unanimous(chosen: Sequence[Any], values: Sequence[Any]) -> bool:
    """Whether the chosen values are one, and the others are not: a value that is left out is told by what is new."""
    return len(set(chosen)) == 1 < len(set(values))
