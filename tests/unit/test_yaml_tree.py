"""YAML is read as an API server's clients read it, strictly, and with the line of everything."""

from typing import Any

import pytest

from sluice_cli.yaml_tree import MAX_DEPTH, Document, documents


def read(text: str) -> Document:
    (document,) = documents(text)
    return document


def flaw(text: str) -> tuple[int, str]:
    (found,) = [flaw for document in documents(text) for flaw in document.flaws]
    return found.line, found.message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1", 1),
        ("a: 0x1f", 31),
        ("a: 010", 8),
        ("a: 1_000", 1000),
        ("a: 1.5", 1.5),
        ("a: 1e3", 1000.0),
        ("a: yes", True),
        ("a: off", False),
        ("a: ~", None),
        ("a:", None),
        ("a: '1'", "1"),
        ("a: !!str 1", "1"),
        ("a: 22:00", "22:00"),
        ("a: 2026-01-02", "2026-01-02"),
        ("a: 10Gi", "10Gi"),
        ("a: {b: [1, two]}", {"b": [1, "two"]}),
        ("a: |\n  x\n  y\n", "x\ny\n"),
        ('{"a": {"b": null}}', {"b": None}),
        ('{\n\t"a":\t[1]\n}', [1]),
    ],
)
def test_a_value_is_what_kubectl_would_send(text: str, value: Any) -> None:
    assert read(text).data == {"a": value}
    assert type(read(text).data["a"]) is type(value)


def test_keys_are_text() -> None:
    assert read("on: 1\n404: 2\n").data == {"on": 1, "404": 2}


def test_every_path_has_its_line() -> None:
    document = read("a: 1\nb:\n  - c: 2\n  - d:\n      e: 3\n")
    assert {path: document.line_of(path) for path in ("a", "b", "b[0].c", "b[1]", "b[1].d.e")} == {
        "a": 1,
        "b": 2,
        "b[0].c": 3,
        "b[1]": 4,
        "b[1].d.e": 5,
    }


def test_what_is_not_there_has_the_line_of_what_is_around_it() -> None:
    document = read("\na:\n  b: 1\n")
    assert (document.line_of("a.x.y[3].z"), document.line_of("q")) == (2, 2)


def test_documents_are_told_apart_and_empty_ones_left_out() -> None:
    assert [(d.data, d.line) for d in documents("---\n# none\n---\na: 1\n---\nb: 2\n")] == [
        ({"a": 1}, 4),
        ({"b": 2}, 6),
    ]


def test_an_alias_and_a_merge_key_stand_for_their_values() -> None:
    text = "x: &x {a: 1, b: 2}\ny: *x\nz:\n  <<: *x\n  b: 3\n"
    assert read(text).data == {"x": {"a": 1, "b": 2}, "y": {"a": 1, "b": 2}, "z": {"a": 1, "b": 3}}


def test_a_bomb_of_aliases_is_refused_at_once() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{this}: &{this} [{', '.join(['*' + before] * 10)}]"
        for before, this in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    assert "every alias counted" in flaw("\n".join(lines))[1]


def test_an_alias_inside_what_it_stands_for_is_refused() -> None:
    assert flaw("a: &a\n  - *a\n") == (2, "the alias *a stands inside what it stands for")


@pytest.mark.parametrize("text", ["[" * 5000, "a: " + "[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2)])
def test_deep_nesting_is_refused(text: str) -> None:
    assert "nested deeper" in flaw(text)[1]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, 'the key "a" is given twice, first in line 1'),
        ("a:\n\tb: 1\n", 2, "a tab"),
        ("a: [1, 2\nb: 3\n", 2, "not YAML"),
        ("a: 'x\n", 1, "not YAML"),
        ("a: !Ref b\n", 1, "tag !Ref is not known"),
        ("a: !!python/object:os.system x\n", 1, "not known here"),
        ("a: !!int x\n", 1, "is not of the type !!int"),
        ("a: 99999999999999999999\n", 1, "does not fit into 64 bits"),
        ("a: .inf\n", 1, "not a number that JSON has"),
        ("a: 1e999\n", 1, "not a number that JSON has"),
        ("a: *b\n", 1, "no anchor &b"),
        ("a: \x01\n", 1, "not YAML"),
        ("? [a]\n: 1\n", 1, "a key is not text"),
        ("a: {<<: 1}\n", 1, "<< merges an object"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, line: int, message: str) -> None:
    found = flaw(text)
    assert found[0] == line
    assert message in found[1]


def test_documents_before_a_mistake_are_still_read() -> None:
    assert [document.data for document in documents("a: 1\n---\nb: [\n")] == [{"a": 1}, None]
