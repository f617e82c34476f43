"""Sums that hold in every earlier answer: a row's product, a column's sum, a total of two amounts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from sluice_sidecar.cache.reuse.template.answer import Path

CENT = 0.0051
"""Half a unit of the second decimal: what rounding may take off a product."""

GREATEST = 1e15
"""Numbers from here on are not told apart exactly."""

MOST = 100
"""Scalars of an answer whose sums are looked for, at most: the time grows with their third power."""
COLUMNS = 40
"""The same for the columns of a table."""

Numbers = Mapping[Path, float]
Rows = Mapping[Path, Sequence[Numbers]]


@dataclass(frozen=True, slots=True)
class Product:
    """left * right = product within each row of a table."""

    table: Path
    left: Path
    right: Path
    product: Path

    def holds(self, scalars: Numbers, rows: Rows) -> bool | None:
        """None where a part is absent from all rows."""
        parts = [
            (row[self.left], row[self.right], row[self.product])
            for row in rows.get(self.table, ())
            if self.left in row and self.right in row and self.product in row
        ]
        return all(abs(a * b - c) <= CENT for a, b, c in parts) if parts else None


@dataclass(frozen=True, slots=True)
class ColumnSum:
    """A column adds up to a scalar."""

    table: Path
    column: Path
    total: Path

    def holds(self, scalars: Numbers, rows: Rows) -> bool | None:
        """See Product."""
        if self.total not in scalars or not rows.get(self.table):
            return None
        column = [row.get(self.column) for row in rows[self.table]]
        if any(value is None for value in column):
            return False
        return abs(sum(value for value in column if value is not None) - scalars[self.total]) <= CENT


@dataclass(frozen=True, slots=True)
class Total:
    """first + second = total."""

    first: Path
    second: Path
    total: Path

    def holds(self, scalars: Numbers, rows: Rows) -> bool | None:
        """See Product."""
        if any(path not in scalars for path in (self.first, self.second, self.total)):
            return None
        return abs(scalars[self.first] + scalars[self.second] - scalars[self.total]) <= CENT


@dataclass(frozen=True, slots=True)
class Count:
    """A scalar tells how many rows there are."""

    table: Path
    total: Path

    def holds(self, scalars: Numbers, rows: Rows) -> bool | None:
        """See Product."""
        if self.total not in scalars or self.table not in rows:
            return None
        return scalars[self.total] == len(rows[self.table])


Relation = Product | ColumnSum | Total | Count


def figures(values: Mapping[Path, Any]) -> dict[Path, float]:
    """The values that are numbers, plain numbers in strings included."""
    found: dict[Path, float] = {}
    for path, value in values.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            if abs(value) < GREATEST:
                found[path] = float(value)
        elif isinstance(value, str) and value and value.lstrip("-")[:1].isdigit() and len(value) < 16:
            try:
                found[path] = float(value)
            except ValueError:
                continue
    return found


def learned(seen: Sequence[tuple[Numbers, Rows]]) -> tuple[Relation, ...]:
    """The relations that hold in all of `seen` and could be told in each, among the first MOST scalars and COLUMNS
    columns."""
    scalars, rows = seen[0]
    found: list[Relation] = []
    for table, lines in rows.items():
        columns = sorted({column for line in lines for column in line})[:COLUMNS]
        for product in columns:
            for left, right in combinations([c for c in columns if c != product], 2):
                found.append(Product(table, left, right, product))
        found += [Count(table, total) for total in scalars]
        found += [ColumnSum(table, column, total) for column in columns for total in scalars]
    names = sorted(path for path, value in scalars.items() if value)[:MOST]
    for first, second in combinations(names, 2):
        wanted = scalars[first] + scalars[second]
        found += [Total(first, second, total) for total in names if abs(scalars[total] - wanted) <= CENT]
    return tuple(relation for relation in found if all(relation.holds(*one) for one in seen))
