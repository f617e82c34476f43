"""Which folders and files are watched, and that every way of saving is seen."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sluice_cli.files import SUFFIXES
from sluice_cli.supervisor import sources


@contextmanager
def watched(*paths: Path) -> Iterator[Callable[[], bool]]:
    """A running watch; the callable waits for the next change, up to two seconds."""
    changed, stop = threading.Event(), threading.Event()
    thread = threading.Thread(target=sources.watch, args=(paths, sources.seen(paths), changed.set, stop))
    thread.start()

    def next_change() -> bool:
        happened = changed.wait(2.0)
        changed.clear()
        return happened

    try:
        yield next_change
    finally:
        stop.set()
        thread.join()


def test_a_folder_counts_with_its_yaml_files_alone(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.YML", "c.txt", "sub/d.json", ".sluice/e.json", ".f.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert {file.name for file in sources.seen([tmp_path])} == {"a.yaml", "b.YML", "d.json"}
    assert sources.SUFFIXES == SUFFIXES


def test_the_folders_of_every_link_on_the_way_are_watched(tmp_path: Path) -> None:
    for folder in ("mount/..1", "elsewhere", "here"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "mount/..1/r.yaml").write_text("x")
    (tmp_path / "mount/..data").symlink_to("..1")
    (tmp_path / "mount/r.yaml").symlink_to("..data/r.yaml")
    (tmp_path / "here/r.yaml").symlink_to(tmp_path / "mount/r.yaml")
    found = {folder.relative_to(tmp_path).as_posix() for folder in sources.folders([tmp_path / "here/r.yaml"])}
    assert {"here", "mount", "mount/..1"} <= found


def test_a_link_to_itself_ends(tmp_path: Path) -> None:
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    assert tmp_path in sources.folders([tmp_path / "loop.yaml"])


def test_a_missing_or_empty_file_is_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    assert sources.missing_or_empty(sources.seen([file]))
    file.write_text("")
    assert sources.missing_or_empty(sources.seen([file]))
    file.write_text("x")
    assert not sources.missing_or_empty(sources.seen([file]))


def _write(folder: Path) -> None:
    (folder / "a.yaml").write_text("written")


def _rename(folder: Path) -> None:
    """As vim and most editors save."""
    (folder / "a.yaml~").write_text("renamed")
    (folder / "a.yaml~").rename(folder / "a.yaml")


def _append(folder: Path) -> None:
    with (folder / "a.yaml").open("a") as file:
        file.write("more")


def _remove(folder: Path) -> None:
    (folder / "a.yaml").unlink()


@pytest.mark.parametrize("save", [_write, _rename, _append, _remove])
def test_every_way_to_save_is_seen(tmp_path: Path, save: Callable[[Path], None]) -> None:
    (tmp_path / "a.yaml").write_text("x")
    with watched(tmp_path / "a.yaml") as next_change:
        save(tmp_path)
        assert next_change()


def test_a_new_file_in_a_watched_folder_is_seen_and_a_file_beside_is_not(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("x")
    changes = 0
    stop = threading.Event()
    seen_both = threading.Event()

    def changed() -> None:
        nonlocal changes
        changes += 1
        if (tmp_path / "last.yaml").exists():
            seen_both.set()

    thread = threading.Thread(target=sources.watch, args=([tmp_path], sources.seen([tmp_path]), changed, stop))
    thread.start()
    try:
        (tmp_path / "notes.txt").write_text("not YAML")
        (tmp_path / "last.yaml").write_text("y")
        assert seen_both.wait(2.0)
        assert changes == 1
    finally:
        stop.set()
        thread.join()


def test_a_swapped_mount_is_seen_twice(tmp_path: Path) -> None:
    """The second swap goes through folders that were not there at the start."""
    for generation in ("..1", "..2", "..3"):
        (tmp_path / generation).mkdir()
        (tmp_path / generation / "r.yaml").write_text(generation)
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "r.yaml").symlink_to("..data/r.yaml")
    with watched(tmp_path / "r.yaml") as next_change:
        for generation in ("..2", "..3"):
            (tmp_path / "..new").symlink_to(generation)
            (tmp_path / "..new").rename(tmp_path / "..data")
            assert next_change()
