"""The streams of our own: repeats counted apart, turns within their conversation."""

from collections.abc import Callable

import numpy as np
import pytest

from bench.reuse import written as module
from bench.reuse.asks import Array, Stream
from bench.reuse.replay import Served, Shelf
from bench.reuse.written import apart, written


@pytest.fixture(autouse=True)
def _no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    blank: Callable[[list[str]], Array] = lambda texts: np.zeros((len(texts), 384), np.float32)  # noqa: E731
    monkeypatch.setattr(module, "embedded", blank)


@pytest.mark.parametrize(("name", "least", "most"), [("code", 0.25, 0.45), ("conversation", 0.15, 0.30)])
def test_as_many_asks_come_again_as_in_real_traffic(name: str, least: float, most: float) -> None:
    stream = written(name)
    unique = set(zip(stream.scopes, stream.texts, strict=True))
    assert least <= 1.0 - len(unique) / len(stream.texts) <= most


@pytest.mark.parametrize("name", ["code", "conversation"])
def test_the_same_words_in_the_same_place_want_the_same(name: str) -> None:
    stream = written(name)
    keys: dict[tuple[str, str], str] = {}
    for scope, text, key in zip(stream.scopes, stream.texts, stream.keys, strict=True):
        assert keys.setdefault((scope, text), key) == key
    assert len(set(stream.keys)) < len(keys)


def test_a_repeat_is_served_by_identical_reuse_and_kept_from_the_way() -> None:
    seen: list[str] = []

    def way(stream: Stream, seed: int) -> list[Served]:
        seen.extend(stream.texts)
        return [Served(False, False, key) for key in stream.keys]

    vectors = np.zeros((4, 384), np.float32)
    served = apart(way)(Stream("s", ("a", "b", "a", "a"), ("1", "2", "1", "3"), vectors, ("", "", "", "b")), 0)
    assert seen == ["a", "b", "a"]
    assert [one.hit for one in served] == [False, False, True, False]
    assert served[2].repeat


def test_asks_of_two_scopes_are_no_neighbours() -> None:
    vectors = np.eye(3, 384, dtype=np.float32)[[0, 0, 0]]
    shelf = Shelf(Stream("s", ("a", "b", "c"), ("1", "2", "3"), vectors, ("x", "y", "x")))
    shelf.put(0)
    shelf.put(1)
    _, cosines = shelf.nearest(2, 2)
    assert cosines == [1.0, -1.0]
