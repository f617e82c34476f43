"""Code is compared without comments and layout; an operator that differs counts, another program does not."""

import pytest

from sluice_sidecar.cache.answers.gist import gist
from sluice_sidecar.cache.answers.same import same


def fenced(code: str, language: str = "python") -> str:
    return f"Here you go:\n\n```{language}\n{code}\n```\nThat is it."


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        ("def f(a, b):\n    return a + b", 'def f(a,b):\n\n    """Sum."""\n    # adds\n    return (a+b)', "python"),
        ("x = x + 1", "x += 1", "python"),
        ("open(p, 'r')", 'open(p, "r")', "python"),
        ("int f() { return 1; }", "int f() {\n  // one\n  return 1; /* done */\n}", "c"),
        ("SELECT a FROM t WHERE b > 1;", "select a\nfrom t -- all\nwhere b > 1", "sql"),
        ("replicas: 3", "# web\nreplicas: 3", "yaml"),
        ("rm -r build", "rm -r build  # all of it", "sh"),
    ],
)
def test_comments_and_layout_do_not_count(one: str, other: str, language: str) -> None:
    assert gist(fenced(one, language)).kind == "code"
    assert same(gist(fenced(one, language)), gist(fenced(other, language))) is True


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        ("def f(a, b):\n    return a + b", "def f(a, b):\n    return a - b", "python"),
        ("if a and b:\n    go()", "if a or b:\n    go()", "python"),
        ("if a:\n    go()", "if not a:\n    go()", "python"),
        ("def f(xs):\n    return max(xs)", "def f(xs):\n    return min(xs)", "python"),
        ("def f(xs):\n    return xs[0]", "def f(xs):\n    return xs[-1]", "python"),
        ("open(p, 'r')", "open(p, 'w')", "python"),
        ("xs.append(1)", "xs.extend(1)", "python"),
        ("while (i < n) { i++; }", "while (i < n) { i--; }", "c"),
        ("SELECT a FROM t ORDER BY b ASC", "SELECT a FROM t ORDER BY b DESC", "sql"),
        ("replicas: 3", "replicas: 5", "yaml"),
        ("rm -r build", "rm -r dist", "sh"),
    ],
)
def test_an_edit_makes_another_answer(one: str, other: str, language: str) -> None:
    assert same(gist(fenced(one, language)), gist(fenced(other, language))) is False


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f(n):\n    return n * f(n - 1)", "def f(k):\n    return k * f(k - 1)"),
        ("def f(s):\n    return s[::-1]", "def f(s):\n    return ''.join(reversed(s))"),
        ("print('the sum is here')", "print('here is the sum')"),
    ],
)
def test_another_way_to_write_it_is_left_open(one: str, other: str) -> None:
    assert same(gist(fenced(one)), gist(fenced(other)), lambda: 0.9) is None


def test_code_on_another_topic_differs_by_its_meaning() -> None:
    assert same(gist(fenced("def f(a):\n    return a")), gist(fenced("SELECT a FROM t", "sql")), lambda: 0.1) is False


@pytest.mark.parametrize(
    "text",
    ["def f(x):\n    return x", "SELECT id FROM orders ORDER BY total DESC", "git reset --hard HEAD~1", "x = [1, 2]"],
)
def test_code_needs_no_fence(text: str) -> None:
    assert gist(text).kind == "code"
    assert gist(text).core == gist(fenced(text, "")).core


@pytest.mark.parametrize(
    "text",
    [
        "Paris",
        "Let me know when you are there.",
        "import duties are paid by the buyer of the goods",
        "Select a date from the menu.",
    ],
)
def test_prose_is_not_taken_for_code(text: str) -> None:
    assert gist(text).kind in {"label", "prose"}


def test_code_that_no_parser_takes_is_read_by_its_tokens() -> None:
    broken = "def f(:\n    return \\d\x00"
    assert same(gist(fenced(broken)), gist(fenced(broken + "  # broken"))) is True
