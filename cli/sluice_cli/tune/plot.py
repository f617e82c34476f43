"""Line plots as SVG text, without a library: colours come from the page's style sheet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 16, 44
TICKS = 5

XY = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `band`: for each point the ends of its interval. `style` picks the colour, 0 to 3."""

    name: str
    points: Sequence[XY]
    style: int
    band: Sequence[XY] = ()


@dataclass(frozen=True, slots=True)
class Axis:
    """From 0 or `low` to `high`; `shown` writes a tick."""

    name: str
    low: float
    high: float
    shown: Callable[[float], str]

    def at(self, value: float, start: float, end: float) -> float:
        """Where a value lies between the two ends of the axis, in pixels; values beyond are cut off."""
        share = (min(max(value, self.low), self.high) - self.low) / ((self.high - self.low) or 1.0)
        return round(start + share * (end - start), 1)


def plot(title: str, x: Axis, y: Axis, lines: Sequence[Line], *, mark: float | None = None, mark_name: str = "") -> str:
    """An SVG element. `mark`: a value of x that gets a line of its own."""
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">',
        *_grid(x, y),
    ]
    if mark is not None and x.low <= mark <= x.high:
        at = _x(x, mark)
        parts.append(f'<line class="mark" x1="{at}" x2="{at}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        parts.append(f'<text class="tick" x="{at + 4}" y="{TOP + 10}">{escape(mark_name)}</text>')
    for line in lines:
        parts += _line(line, x, y)
    parts.append("</svg>")
    legend = "".join(f'<span class="key s{line.style}">{escape(line.name)}</span>' for line in lines)
    return f"<figure><figcaption>{escape(title)}</figcaption>{''.join(parts)}<p>{legend}</p></figure>"


def _x(axis: Axis, value: float) -> float:
    return axis.at(value, LEFT, WIDTH - RIGHT)


def _y(axis: Axis, value: float) -> float:
    return axis.at(value, HEIGHT - BOTTOM, TOP)


def _grid(x: Axis, y: Axis) -> Sequence[str]:
    parts = []
    for step in range(TICKS + 1):
        value = y.low + (y.high - y.low) * step / TICKS
        at = _y(y, value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at}" y2="{at}"/>')
        parts.append(
            f'<text class="tick" x="{LEFT - 6}" y="{at + 4}" text-anchor="end">{escape(y.shown(value))}</text>'
        )
        value = x.low + (x.high - x.low) * step / TICKS
        at, below = _x(x, value), HEIGHT - BOTTOM + 16
        parts.append(f'<text class="tick" x="{at}" y="{below}" text-anchor="middle">{escape(x.shown(value))}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text class="name" x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x.name)}</text>')
    parts.append(
        f'<text class="name" transform="translate(12 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" '
        f'text-anchor="middle">{escape(y.name)}</text>'
    )
    return parts


def _line(line: Line, x: Axis, y: Axis) -> Sequence[str]:
    places = [(_x(x, a), _y(y, b)) for a, b in line.points]
    parts = []
    if line.band:
        upper = [(at, _y(y, high)) for (at, _), (_, high) in zip(places, line.band, strict=True)]
        lower = [(at, _y(y, low)) for (at, _), (low, _) in zip(places, line.band, strict=True)]
        parts.append(f'<polygon class="band s{line.style}" points="{_joined([*upper, *reversed(lower)])}"/>')
    parts.append(f'<polyline class="line s{line.style}" points="{_joined(places)}"/>')
    parts += [f'<circle class="dot s{line.style}" cx="{a}" cy="{b}" r="2.5"/>' for a, b in places]
    return parts


def _joined(places: Sequence[XY]) -> str:
    return " ".join(f"{a},{b}" for a, b in places)
