"""Counts of what a way of reuse served, kept order by order, so that a long run goes on where it was cut off."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path

import bench.reuse
import sluice_sidecar.cache
from bench.reuse.audit import FILE, is_noise
from bench.reuse.replay import Served


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of one part of the orders, pooled."""

    asked: int
    hits: int
    wrong: int
    shadows: int
    special_asked: int
    """Asks out of scope (clinc150), asks with an entity (nlu_home)."""
    special_hits: int
    special_wrong: int
    repeats: int
    """Asks that came before word for word: in `asked` and `hits`."""
    noise: int = 0
    """Of `wrong`, those that a reader found right (see `audit`)."""


@dataclass(frozen=True, slots=True)
class Order:
    """One order: all of it, and its last fifth."""

    whole: Figures
    last_fifth: Figures


def counted(rows: Sequence[Served]) -> Order:
    """The figures of one order's asks."""
    return Order(_counted(rows), _counted(rows[-(len(rows) // 5) :]))


def _counted(rows: Sequence[Served]) -> Figures:
    special = [one for one in rows if one.key.startswith(("oos-", "e-"))]
    return Figures(
        len(rows), sum(o.hit for o in rows), sum(o.wrong for o in rows), sum(o.shadow for o in rows),
        len(special), sum(o.hit for o in special), sum(o.wrong for o in special), sum(o.repeat for o in rows),
        sum(o.wrong and is_noise(o.ask, o.filled_by) for o in rows),
    )  # fmt: skip


def pooled(parts: Sequence[Figures]) -> Figures:
    """The sum of at least one order's figures."""
    return Figures(*(sum(column) for column in zip(*map(astuple, parts), strict=True)))


class Kept:
    """Orders that were measured already, one small file each. Without a folder nothing is kept.

    A file's name is a digest of the code of cache and benchmark too: what other code measured is never taken.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._code = _code() if folder is not None else ""

    def order(self, about: Sequence[object], run: Callable[[], Sequence[Served]]) -> Order:
        """The order that `about` names: as it was kept, or run now and kept."""
        if self._folder is None:
            return counted(run())
        name = hashlib.sha256(json.dumps([self._code, *map(str, about)]).encode()).hexdigest()[:20]
        path = self._folder / f"{name}.json"
        if path.exists():
            read = json.loads(path.read_text())
            return Order(Figures(**read["whole"]), Figures(**read["last_fifth"]))
        order = counted(run())
        self._folder.mkdir(parents=True, exist_ok=True)
        # A file that is there is whole: a run that is cut off leaves none under this name.
        draft = path.with_suffix(".part")
        draft.write_text(json.dumps(asdict(order)) + "\n")
        draft.replace(path)
        return order


def _code() -> str:
    digest = hashlib.sha256()
    for package in (bench.reuse, sluice_sidecar.cache):
        for path in sorted(Path(package.__path__[0]).rglob("*.py")):
            digest.update(path.read_bytes())
    digest.update(FILE.read_bytes())
    return digest.hexdigest()
