"""Setting of blocks as text: `pdftotext -layout`, plain reading order, mail, Markdown."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Look:
    """How blocks are set. `style`: layout, plain, mail, markdown; `pairs` and `cells` say how within a style."""

    style: str
    pairs: str
    cells: str
    gutter: int
    colon: str
    right: bool


@dataclass(frozen=True, slots=True)
class Table:
    """Columns with headings; a row has a list of lines for each cell. A row of one string runs over all columns."""

    headings: tuple[str, ...]
    rows: tuple[tuple[tuple[str, ...], ...] | tuple[str, str], ...]
    numeric: tuple[bool, ...]
    per_page: int
    carried: tuple[str, tuple[str, ...]]
    top: tuple[str, ...]


def fields(look: Look, pairs: list[tuple[str, str]]) -> list[str]:
    """Labelled values."""
    if look.style == "markdown":
        if look.pairs == "grid":
            return ["| | |", "|---|---|", *(f"| {label} | {value} |" for label, value in pairs)]
        return [f"**{label}:** {value}" for label, value in pairs]
    if look.style == "mail" or look.pairs == "colon":
        return [f"{label}{look.colon} {value}" for label, value in pairs]
    if look.style == "plain":
        if look.pairs == "stacked":
            return [*(label for label, _ in pairs), *(value for _, value in pairs)]
        return [part for pair in pairs for part in pair]
    if look.pairs == "grid":
        lines = []
        for start in range(0, len(pairs), 4):
            widths = [max(len(label), len(value)) + look.gutter for label, value in pairs[start : start + 4]]
            for place in (0, 1):
                cells = zip(pairs[start : start + 4], widths, strict=True)
                lines.append("".join(pair[place].ljust(width) for pair, width in cells).rstrip())
            lines.append("")
        return lines
    width = max(len(label) for label, _ in pairs) + look.gutter if pairs else 0
    if look.right:
        inner = max(len(value) for _, value in pairs) if pairs else 0
        return [label.ljust(width) + value.rjust(inner) for label, value in pairs]
    return [label.ljust(width) + value for label, value in pairs]


def beside(look: Look, left: list[str], right: list[str], at: int) -> list[str]:
    """Two blocks side by side where the style has columns, else one after the other."""
    if look.style != "layout":
        return [*left, *([""] if look.style != "plain" else []), *right]
    at = max([at, *(len(line) + 3 for line in left)])
    rows = max(len(left), len(right))
    left, right = left + [""] * (rows - len(left)), right + [""] * (rows - len(right))
    return [(one.ljust(at) + two).rstrip() for one, two in zip(left, right, strict=True)]


def table(look: Look, what: Table) -> list[str]:
    """The table, over several pages where the style has pages."""
    if look.style == "markdown":
        head = ["| " + " | ".join(what.headings) + " |", "|" + "|".join("---" for _ in what.headings) + "|"]
        return head + [_markdown(row, len(what.headings)) for row in what.rows]
    if look.style == "plain":
        return _plain(look, what)
    return _columns(look, what)


def _markdown(row: tuple[object, ...], count: int) -> str:
    if isinstance(row[0], str):
        return f"| {row[0]} |" + " |" * (count - 2) + f" {row[1]} |"
    return "| " + " | ".join(" ".join(cell) for cell in row) + " |"  # type: ignore[arg-type]


def _plain(look: Look, what: Table) -> list[str]:
    out = list(what.headings) if look.cells == "lines" else [" ".join(what.headings)]
    for row in what.rows:
        if isinstance(row[0], str):
            out += [str(row[0]), str(row[1])] if look.cells == "lines" else [f"{row[0]} {row[1]}"]
        elif look.cells == "lines":
            out += [line for cell in row for line in cell if line]
        else:
            out.append(" ".join(cell[0] for cell in row if cell and cell[0]))
            out += [line for cell in row for line in cell[1:]]
    return out


def _columns(look: Look, what: Table) -> list[str]:
    count = len(what.headings)
    cells = [row for row in what.rows if not isinstance(row[0], str)]
    widths = [
        max([len(what.headings[at]), *(len(line) for row in cells for line in row[at])]) + look.gutter
        for at in range(count)
    ]

    def line(parts: list[str]) -> str:
        aligned = [
            part.rjust(width - look.gutter) + " " * look.gutter if numeric else part.ljust(width)
            for part, width, numeric in zip(parts, widths, what.numeric, strict=True)
        ]
        return "".join(aligned).rstrip()

    out = [line(list(what.headings))]
    if look.cells == "ruled":
        out.append("-" * sum(widths))
    whole = sum(widths) - look.gutter
    for place, row in enumerate(what.rows):
        if what.per_page and place and place % what.per_page == 0:
            label, sums = what.carried
            carried = label.ljust(whole - len(sums[place])) + sums[place] if label else ""
            page = [part.replace("{page}", str(place // what.per_page + 1)) for part in what.top]
            out += [carried, "\f" + page[0], *page[1:], "", line(list(what.headings)), carried]
        if isinstance(row[0], str):
            out.append(f"{row[0]}".ljust(whole - len(str(row[1]))) + f"{row[1]}")
            continue
        height = max(len(cell) for cell in row)
        out += [line([cell[at] if at < len(cell) else "" for cell in row]) for at in range(height)]
        if look.cells == "airy":
            out.append("")
    return out
