"""What the reference backend would have cost and taken: prices as integers, time from a fit over its own calls."""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

from sluice_sidecar.ask import Usage
from sluice_sidecar.config import Backend, Price, Route
from sluice_sidecar.ledger.decision import Attempt, Reference, Spent

Z90 = 1.6448536269514722
"""Normal quantile of a two-sided 90 % interval."""

FORGET = 0.998
"""Each new call weighs the older ones by this: about the last 500 calls count."""

COLLINEAR = 1e-3
"""Least share of their variance that prompt and answer lengths must not have in common to be told apart."""


class Rates(NamedTuple):
    """Pico per token."""

    prompt: int
    cached: int
    completion: int
    currency: str

    def cost(self, usage: Usage) -> int:
        """Cost of one call, pico. Equal to `Price.cost` for prices of up to six decimals per million tokens."""
        cached = min(usage.cached, usage.prompt)
        return (usage.prompt - cached) * self.prompt + cached * self.cached + usage.completion * self.completion


def rates(price: Price) -> Rates:
    """Money per million tokens as pico per token; rounded to the nearest where a price has more than six decimals."""
    cached = price.input if price.cached_input is None else price.cached_input
    million = 1_000_000
    return Rates(round(price.input * million), round(cached * million), round(price.output * million), price.currency)


class Fit:
    """Seconds of a call by its prompt and answer tokens: least squares with forgetting, updated in O(1).

    seconds = mean + b (prompt - mean prompt) + c (completion - mean completion), by weighted running means and central
    moments (West 1979, doi:10.1145/359146.359153). A slope that the calls seen cannot tell, or that came out negative
    (no model is faster for more tokens), is left out.
    """

    __slots__ = ("_b", "_c", "_fresh", "_noise", "_t", "cc", "cy", "mc", "mp", "my", "pc", "pp", "py", "weight", "yy")

    def __init__(self) -> None:
        self.weight = self.mp = self.mc = self.my = 0.0
        self.pp = self.cc = self.pc = self.py = self.cy = self.yy = 0.0
        self._b = self._c = self._noise = 0.0
        self._t: float | None = None
        self._fresh = True

    def observe(self, prompt: int, completion: int, seconds: float) -> None:
        """Learns from one successful call: its token counts and its seconds."""
        old = self.weight * FORGET
        self.weight = weight = old + 1.0
        p, c, y = prompt - self.mp, completion - self.mc, seconds - self.my
        self.mp += p / weight
        self.mc += c / weight
        self.my += y / weight
        share = old / weight
        self.pp = FORGET * self.pp + share * p * p
        self.cc = FORGET * self.cc + share * c * c
        self.pc = FORGET * self.pc + share * p * c
        self.py = FORGET * self.py + share * p * y
        self.cy = FORGET * self.cy + share * c * y
        self.yy = FORGET * self.yy + share * y * y
        self._fresh = False

    def _solve(self) -> None:
        pp, cc, pc, py, cy = self.pp, self.cc, self.pc, self.py, self.cy
        b = c = 0.0
        slopes = 0
        det = pp * cc - pc * pc
        if self.weight > 3.5 and det > COLLINEAR * pp * cc:
            b, c, slopes = (py * cc - cy * pc) / det, (cy * pp - py * pc) / det, 2
        if slopes == 0 or b < 0.0 or c < 0.0:
            b, c, slopes = 0.0, 0.0, 0
            if self.weight > 2.5 and cc > 0.0 and cy > 0.0:
                c, slopes = cy / cc, 1
            elif self.weight > 2.5 and pp > 0.0 and py > 0.0:
                b, slopes = py / pp, 1
        df = self.weight - 1 - slopes
        left = max(0.0, self.yy - b * py - c * cy)
        self._noise = sqrt(left / df) if df >= 0.5 else 0.0
        # Abramowitz and Stegun 26.7.5
        self._t = None if df < 1.9 else Z90 + 1.5238 / df + 1.4208 / df**2 + 0.9831 / df**3
        self._b, self._c, self._fresh = b, c, True

    def predict(self, prompt: int, completion: int) -> tuple[float, float, float] | None:
        """(seconds, standard deviation of one call, standard error of the seconds); None before the first call."""
        if self.weight == 0.0:
            return None
        if not self._fresh:
            self._solve()
        b, c = self._b, self._c
        p, o = prompt - self.mp, completion - self.mc
        spread = 1.0 / self.weight
        if b and c:
            det = self.pp * self.cc - self.pc * self.pc
            spread += (p * p * self.cc - 2.0 * p * o * self.pc + o * o * self.pp) / det
        elif c:
            spread += o * o / self.cc
        elif b:
            spread += p * p / self.pp
        return max(0.0, self.my + b * p + c * o), self._noise, self._noise * sqrt(spread)

    @property
    def quantile(self) -> float | None:
        """Student's t for a 90 % interval at the fit's degrees of freedom; None while they are fewer than two."""
        if not self._fresh:
            self._solve()
        return self._t

    @property
    def noise(self) -> float:
        """Standard deviation of one call around its prediction, seconds; 0 while unknown."""
        if not self._fresh:
            self._solve()
        return self._noise

    @property
    def slopes(self) -> tuple[float, float, float]:
        """(seconds of an empty call, seconds a prompt token, seconds an answer token); may extrapolate to 0."""
        if not self._fresh:
            self._solve()
        return max(0.0, self.my - self._b * self.mp - self._c * self.mc), self._b, self._c

    def state(self) -> list[float]:
        """What `restored` needs: ten numbers."""
        return [self.weight, self.mp, self.mc, self.my, self.pp, self.cc, self.pc, self.py, self.cy, self.yy]

    @classmethod
    def restored(cls, state: list[float]) -> "Fit":
        """The Fit that gave `state`. Raises ValueError when it is not ten finite numbers."""
        fit = cls()
        numbers = [float(n) for n in state]
        if len(numbers) != 10 or not all(abs(n) < float("inf") for n in numbers) or numbers[0] < 0.0:
            raise ValueError("a fit is ten finite numbers, the first not negative")
        (fit.weight, fit.mp, fit.mc, fit.my, fit.pp, fit.cc, fit.pc, fit.py, fit.cy, fit.yy) = numbers
        fit._fresh = False
        return fit


class Counterfactual:
    """One route's reference: its prices and its fit."""

    __slots__ = ("backend", "fit", "prices")

    def __init__(self, route: Route, fit: Fit) -> None:
        self.backend, self.fit = route.reference, fit
        self.prices = {name: rates(b.price) for name, b in route.backends.items() if b.price is not None}

    def reference(self, usage: Usage, *, measured: float | None = None, original: float | None = None) -> Reference:
        """What the reference would have cost and taken for `usage`, from the best that is known.

        `measured`: seconds of this request's own call to the reference. `original`: seconds of the call that made the
        reused answer, given when the reference made it. Both keep the true spread that a fit smooths away.
        """
        price = self.prices.get(self.backend)
        if price is None:
            found = Reference(self.backend, "", 0, False)
        else:
            found = Reference(self.backend, price.currency, price.cost(usage), True)
        if measured is not None:
            found.latency = found.low = found.high = measured
            found.basis = "measured"
            return found
        fit = self.fit
        if original is not None:
            found.latency, found.basis = original, "original"
            half = found.noise = fit.noise
        else:
            predicted = fit.predict(usage.prompt, usage.completion)
            if predicted is None:
                return found
            found.latency, noise, doubt = predicted
            found.basis, found.noise, found.doubt = "estimate", noise, doubt
            half = sqrt(noise * noise + doubt * doubt)
        t = fit.quantile
        if t is not None:
            half *= t
            found.low, found.high = max(0.0, found.latency - half), found.latency + half
        return found

    def charge(self, attempts: Sequence[Attempt], usage: Usage | None) -> tuple[list[Spent], bool, float | None]:
        """Every call's cost, whether a usage among them is estimated, and the last good call to the reference, seconds.

        `usage` stands in for a call that told none; None: such a call is taken as free. Teaches the fit.
        """
        spent: list[Spent] = []
        guessed = False
        measured: float | None = None
        for attempt in attempts:
            used, outcome, backend = attempt.usage, attempt.outcome, attempt.backend
            good = isinstance(outcome, int) and 200 <= outcome < 300
            if good and backend == self.backend:
                measured = attempt.seconds
                if used is not None and not attempt.estimated:
                    self.fit.observe(used.prompt, used.completion, measured)
            if used is None:
                # A call that failed before its first byte is charged by no provider.
                if usage is None or not (good or attempt.first_token is not None):
                    continue
                used, guessed = usage, True
            elif attempt.estimated:
                guessed = True
            price = self.prices.get(backend)
            if price is None:
                spent.append(Spent(backend, "", 0, used))
            else:
                spent.append(Spent(backend, price.currency, price.cost(used), used))
        return spent, guessed, measured


def identity(route: str, backend: Backend) -> str:
    """Which model a fit is about: another model behind the same backend name starts a new one."""
    return "\n".join((route, backend.name, backend.url or backend.managed or "", backend.model or ""))
