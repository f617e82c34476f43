"""The locks: every version with its hashes, the small one a part of the large one, and NOTICE about what they bring."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ENTRY = re.compile(r"^([a-z0-9._-]+)==(\S+)", re.MULTILINE)


def pinned(lock: str) -> set[tuple[str, str]]:
    return set(ENTRY.findall((ROOT / lock).read_text()))


@pytest.mark.parametrize("lock", ["constraints.txt", "constraints-run.txt", "models.txt"])
def test_every_pin_has_a_hash_and_no_file_names_an_index(lock: str) -> None:
    text = (ROOT / lock).read_text()
    entries = re.split(r"^(?=[a-z0-9._-]+==)", text, flags=re.MULTILINE)[1:]
    assert entries
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links", text)


def test_what_serving_needs_is_locked_at_the_versions_that_are_tested() -> None:
    assert pinned("constraints-run.txt") <= pinned("constraints.txt")


def test_notice_names_all_that_an_installation_or_an_image_brings() -> None:
    notice = (ROOT / "NOTICE").read_text()
    locks = ("constraints-run.txt", "models.txt", "images/operator.txt", "images/gateway.txt", "images/llama.txt")
    stated = set(re.findall(r"^([a-z0-9._-]+)  +\S", notice, re.MULTILINE))
    elsewhere = {"colorama", "httpx2-jsfetch", "async-timeout"}  # Windows, Python in a browser, old patches of Python
    brought = {name for lock in locks for name, _ in pinned(lock)} - elsewhere
    assert stated == brought
