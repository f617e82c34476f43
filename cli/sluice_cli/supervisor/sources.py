"""Which files a run's YAML comes from, and when they changed: editors' rename-saves and links swapped by mounts too."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from sluice_sidecar.credentials import stamp

SETTLE_MS = 25
"""Quiet time after an event before it is believed."""

DEBOUNCE_MS = 100
"""Longest time that a flood of events holds a look up."""

LOOK_MS = 250
"""A look without any event: some file systems send none (network mounts, containers), and a watch takes time to set."""

SUFFIXES = frozenset({".yaml", ".yml", ".json"})
"""What counts of a folder, as in `sluice_cli.files`, which is too slow to import before the gateways are started."""

Seen = Mapping[Path, object]


def seen(paths: Iterable[Path]) -> Seen:
    """Every file that counts with what changes when it does; a folder counts with its files that hold kinds."""
    found: dict[Path, object] = {}
    for path in paths:
        if path.is_dir():
            for folder, _, names in _walk(path):
                files = (folder / name for name in names if not name.startswith("."))
                found |= {file: stamp(file) for file in files if file.suffix.lower() in SUFFIXES}
        else:
            found[path] = stamp(path)
    return found


def _walk(path: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """A folder and all below it that are not hidden: `.sluice` and a mount's own `..data` are."""
    for folder, below, names in os.walk(path):
        below[:] = [name for name in below if not name.startswith(".")]
        yield Path(folder), below, names


def missing_or_empty(files: Seen) -> bool:
    """Whether a file is gone or has no byte: as in the middle of a save, so worth a second look."""
    return any(what is None or (isinstance(what, tuple) and what[2] == 0) for what in files.values())


def folders(paths: Iterable[Path]) -> set[Path]:
    """The folders whose entries decide what `paths` hold: also those that links on the way lead through."""
    found: set[Path] = set()
    for path in paths:
        absolute = Path.cwd() / path
        if absolute.is_dir():
            found |= {folder for folder, _, _ in _walk(absolute)}
        found |= _on_the_way(absolute)
    return {folder for folder in found if folder.is_dir()}


def _on_the_way(path: Path, hops: int = 40) -> set[Path]:
    """The parent of `path`, and those of every link that must be followed to reach it."""
    found = {path.parent}
    for step in (*reversed(path.parents), path):
        if step.is_symlink() and hops:
            target = step.parent / step.readlink()
            return found | {step.parent} | _on_the_way(target / path.relative_to(step), hops - 1)
    return found


def watch(paths: Iterable[Path], before: Seen, changed: Callable[[], None], stop: threading.Event) -> None:
    """Calls `changed` (in this thread) whenever a look finds other files than the last. Blocks until `stop`."""
    import watchfiles

    paths = tuple(paths)
    while not stop.is_set():
        around = folders(paths)
        events = watchfiles.watch(
            *around,
            watch_filter=None,
            debounce=DEBOUNCE_MS,
            step=SETTLE_MS,
            stop_event=stop,
            rust_timeout=LOOK_MS,
            yield_on_timeout=True,
            recursive=False,
            raise_interrupt=False,
            ignore_permission_denied=True,
        )
        try:
            for _ in events:
                now = seen(paths)
                if now != before:
                    before = now
                    changed()
                if folders(paths) != around:
                    break
        except FileNotFoundError:
            continue  # a folder went between the listing and the watch
