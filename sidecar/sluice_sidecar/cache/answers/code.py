"""Answers that are code: read to a canonical form, and told apart by what changes their meaning."""

import ast
import builtins
import keyword
import re
import warnings
from collections import Counter
from itertools import zip_longest

LONGEST = 20_000
"""Characters of a block that is read; a longer one is compared as it stands."""
EDIT = 6
"""Tokens that a local edit spans at most."""
FEW = 3
"""Tokens at which two pieces of code of one length may differ and still be one piece, edited."""

_FENCE = re.compile(
    r"^[ \t]*(?:```|~~~)[ \t]*([\w+#.-]*)[^\n]*\n(.*?)(?:\n[ \t]*(?:```|~~~)|\Z)", re.DOTALL | re.MULTILINE
)
_PYTHON = re.compile(
    r"(?:async )?def \w+\s*\(|class \w+.*:|import [\w.]+(?:\s*,| as |\s*$)|from [\w.]+ import |@\w+|for \w.* in .*:"
    r"|(?:if|while|with|try)\b.*:\s*$|[a-z_]\w*(?:\[.+\])?\s*[-+*/]?=\s*\S|[a-z_]\w*(?:\.\w+)*\(.*\)\s*$",
)
_OTHER = re.compile(
    r"#include\s*[<\"]|#!/|(?:public|private|static)\s+(?:static\s|final\s|class\s|void\s)"
    r"|(?:export\s+)?(?:async\s+)?function\s+\w+\s*\(|(?:const|let|var)\s+\w+\s*[=:]|fn\s+\w+\s*[(<]|func\s+\w+\s*\(|package\s+\w+;?\s*$|<!DOCTYPE|<html"
    r"|SELECT\s.+|INSERT INTO\s|UPDATE\s+\w+\s+SET\s|DELETE FROM\s|CREATE TABLE\s|WITH\s+\w+\s+AS\s*\("
    r"|using\s+\w[\w.]*;"
    r"|int\s+main\s*\(|\$ \w+|(?:git|docker|kubectl|pip|npm|curl|sudo)\s+[\w-]",
)
_STRING = (
    r"(?P<string>\"\"\".{0,2000}?\"\"\"|'''.{0,2000}?'''"
    r"|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\]){0,2000}`)"
)
_COMMENT = (
    r"|(?P<comment>/\*.{0,2000}?\*/|(?<![:\w])//[^\n]*|(?<![\w$&])\#(?![!{]|include|define|if|endif)[^\n]*"
    r"|<!--.{0,2000}?-->)|(?P<dashed>--(?=\s)[^\n]*)"
)
_REST = (
    r"|(?P<number>\b\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?\w*)|(?P<word>[^\W\d]\w*)|(?P<line>\n[ \t]*)"
    r"|(?P<operator>===|!==|<<=|>>=|\*\*=|//=|[-+*/%&|^=<>!]=|->|=>|&&|\|\||\+\+|--|\*\*|//|<<|>>|::|[^\w\s])"
)
_TOKEN = re.compile(_STRING + _COMMENT + _REST, re.DOTALL)
_MEANT = re.compile(_STRING + _REST, re.DOTALL)
"""Tokens of code that has no comments left: "//" divides."""
_LAID_OUT = frozenset({"", "python", "py", "yaml", "yml", "makefile", "haskell", "hs", "text", "txt", "coffee", "nim"})
"""Languages in which indentation or the end of a line is meant."""
_SQL = frozenset({"sql", "mysql", "postgresql", "psql", "sqlite", "plsql", "tsql"})
_DASHED = _SQL | {"lua", "haskell", "hs", "elm", "ada", "vhdl"}
_C_LIKE = frozenset(
    "c cpp c++ cs csharp java js javascript ts typescript jsx tsx go rust rs swift kotlin php css".split()  # noqa: SIM905
)
_KNOWN = frozenset(dir(builtins)) | frozenset(keyword.kwlist)
_GIVES = frozenset({"def", "class", "function", "fn", "func", "const", "let", "var", "type", "struct", "int"})
_NEGATES = frozenset({"not", "!", "-", "~", "!=", "!=="})


def read(text: str) -> str | None:
    """The canonical form of an answer's code: its blocks, or the whole text where that is code; None for none."""
    blocks = _FENCE.findall(text) if "```" in text or "~~~" in text else []
    if not blocks:
        blocks = [(language, text)] if (language := _language(text)) is not None else []
    if not blocks or not any(body.strip() for _, body in blocks):
        return None
    return "\x00".join(_canonical(language.casefold() or _language(body) or "", body) for language, body in blocks)


def same(a: str, b: str) -> bool | None:
    """Compares two canonical forms. True: equal; False: a local edit that changes what it does; None: other code.

    Two programs that differ throughout may still do the same, and so may two that differ in names alone.
    """
    if a == b:
        return True
    one, other = _tokens(a), _tokens(b)
    pairs = [(x, y) for x, y in zip_longest(one, other) if x != y]
    if len(one) == len(other) and len(pairs) <= max(FEW, len(one) // 20):
        told = [_edited(str(x), str(y)) for x, y in pairs]
        if _renamed(one, other):
            return None
        return False if False in told else None
    return False if len(one) != len(other) and _inserted(one, other) else None


def _language(text: str) -> str | None:
    """What a text without fences is written in, "" for another language than Python, None for no code."""
    first = text.lstrip().split("\n", 1)[0]
    if _OTHER.match(first):
        sentence = first.rstrip().endswith((".", "!", "?")) and not first.rstrip().endswith("..")
        return (
            None
            if sentence and "\n" not in text
            else "sql"
            if first[:1].isupper() and first.split()[0].isupper()
            else "sh"
        )
    if _PYTHON.match(first) and (len(text) < LONGEST) and _tree(text) is not None:
        return "python"
    return None


def _tree(code: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a wrong escape in another's code is not ours to report
            return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class _Meant(ast.NodeTransformer):
    """Takes docstrings away and writes `x = x + 1` as `x += 1`."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """A string that is a statement is a comment."""
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return None
        return self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        """An operation on the target itself."""
        value, target = node.value, node.targets[0]
        plain = len(node.targets) == 1 and isinstance(target, ast.Name) and isinstance(value, ast.BinOp)
        if plain and isinstance(value, ast.BinOp) and isinstance(value.left, ast.Name):
            assert isinstance(target, ast.Name)
            if value.left.id == target.id:
                return ast.AugAssign(target, value.op, value.right)
        return self.generic_visit(node)


def _canonical(language: str, code: str) -> str:
    if len(code) > LONGEST:
        return " ".join(code.split())
    if language in {"", "python", "py", "python3"}:
        tree = _tree(code)
        if tree is not None:
            try:
                return ast.unparse(_Meant().visit(tree))
            except (RecursionError, ValueError):
                pass
    return " ".join(_normalised(language, code))


def _normalised(language: str, code: str) -> list[str]:
    """Tokens without comments; lines and indentation only where they are meant."""
    laid_out, sql = language in _LAID_OUT, language in _SQL
    tokens: list[str] = []
    for found in _TOKEN.finditer(code):
        kind, token = found.lastgroup, found[0]
        if (kind == "comment" and not (token[0] == "#" and language in _C_LIKE)) or (
            kind == "dashed" and language in _DASHED
        ):
            continue
        if kind != "line":
            tokens.append(token.casefold() if sql and kind == "word" else token)
        elif laid_out and tokens:  # the last of several lines' ends has the indentation that counts
            tokens[-1:] = [token] if tokens[-1][0] == "\n" else [tokens[-1], token]
    while tokens and (tokens[-1].startswith("\n") or tokens[-1] == ";"):
        tokens.pop()
    return tokens


def _tokens(core: str) -> list[str]:
    return [found[0] for found in _MEANT.finditer(core) if found.lastgroup != "line"]


def _edited(one: str, other: str) -> bool | None:
    """Whether one token in another's place still says the same: no, unless both are messages or both are names."""
    if one[0] in "\"'`" and other[0] in "\"'`":
        return None if " " in one.strip("\"'` ") or " " in other.strip("\"'` ") else one[1:-1] == other[1:-1] or False
    return False


def _renamed(one: list[str], other: list[str]) -> bool:
    """Whether each name of one stands for one name of the other, throughout, and nothing else differs.

    A name that the program gives is used again, or stands where one is given: `build` in `rm -r build` is not one.
    """
    there: dict[str, str] = {}
    back: dict[str, str] = {}
    uses = Counter(one)
    for before, x, y in zip(("", *one), one, other, strict=False):
        # what is built in, a keyword or an attribute has its meaning from elsewhere
        name = before != "." and x.isidentifier() and y.isidentifier() and _KNOWN.isdisjoint((x, y))
        given = name and (uses[x] > 1 or before in _GIVES)
        if (x != y and not given) or (name and (there.setdefault(x, y) != y or back.setdefault(y, x) != x)):
            return False
    return True


def _inserted(one: list[str], other: list[str]) -> bool:
    """Whether one is the other with a few tokens more, of which one negates or is a figure."""
    short, long = sorted((one, other), key=len)
    start = 0
    while start < len(short) and short[start] == long[start]:
        start += 1
    end = 0
    while end < len(short) - start and short[-1 - end] == long[-1 - end]:
        end += 1
    cut, put = short[start : len(short) - end], long[start : len(long) - end]
    if not cut:
        return len(put) <= EDIT and any(token in _NEGATES or token[0].isdigit() for token in put)
    return len(cut) == 1 and len(put) == 2 and cut[0][0].isdigit() and put[1][0].isdigit()  # 0 and -1
