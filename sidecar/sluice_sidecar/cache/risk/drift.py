"""Alarms for a change in the error: Shiryaev-Roberts sums of likelihood ratios, restarted at every label.

Under an error of at most the null's, the sum after n labels has expectation n at most, so an alarm at A comes after at
least A labels on average (Shin, Ramdas, Rinaldo, E-detectors, NEJSDS 2024, arXiv:2203.03532).
"""

import math

from sluice_sidecar.cache.risk.bound import likelihoods, observed

ALARM = 1000.0
"""Served labels between two false alarms at the least, if the error were exactly the bound."""

SUSPICION = 100.0
"""The same for a suspicion, which costs only labels, against a third of the bound."""

CLEAN = 50
"""Right labels in a row that end a suspicion. An error of 5 % passes this once in 13 times, one of 10 % in 190."""

NEAR = 500.0
"""The same for proposals just below the threshold, against the error that they had."""


class Detector:
    """One alarm: is the error of a stream of labels above `null`?"""

    def __init__(self, alarm: float) -> None:
        self._alarm = alarm
        self._sums: list[float] = []
        self._null = -1.0
        self._ratios: tuple[tuple[float, float], ...] = ()

    def see(self, wrong: bool, weight: float, null: float) -> bool:
        """Takes a label of a weight of 0..1 in; True when the alarm is reached."""
        if abs(null - self._null) > 0.02 * null:
            self._null, self._ratios = null, likelihoods(null)
            self._sums = self._sums or [0.0] * len(self._ratios)
        self._sums = [
            min((1.0 + total) * math.exp(weight * ratios[wrong]), 1e12)
            for total, ratios in zip(self._sums, self._ratios, strict=True)
        ]
        return self.level >= 1.0

    @property
    def level(self) -> float:
        """How much of the alarm is reached, on a logarithmic scale, 0..1 and above."""
        mean = sum(self._sums) / len(self._sums) if self._sums else 0.0
        return math.log1p(mean) / math.log1p(self._alarm)

    def reset(self) -> None:
        """Forgets what was seen."""
        self._sums = [0.0] * len(self._ratios)


class Watch:
    """Three detectors: of what is served, one that closes and one that asks for more labels; one of near misses."""

    def __init__(self) -> None:
        self._alarm, self._unease, self._near = Detector(ALARM), Detector(SUSPICION), Detector(NEAR)
        self.suspected = False
        self._clean = 0

    @property
    def level(self) -> float:
        """Of the alarm that closes, 0..1."""
        return min(self._alarm.level, 1.0)

    def served(self, wrong: bool, weight: float, alpha: float, noise: float) -> bool:
        """A label of something served; True when the strategy must close."""
        uneasy = self._unease.see(wrong, weight, observed(alpha / 3.0, noise))
        self._clean = 0 if wrong else self._clean + 1
        if self.suspected and self._clean >= CLEAN:
            self.calm()
        elif uneasy:
            self._suspect()
        return self._alarm.see(wrong, weight, observed(alpha, noise))

    def near(self, wrong: bool, usual: float) -> None:
        """A label of something just below the threshold, where the error used to be `usual`."""
        if self._near.see(wrong, 1.0, usual):
            self._suspect()
            self._near.reset()

    def _suspect(self) -> None:
        if not self.suspected:
            self.suspected, self._clean = True, 0

    def calm(self) -> None:
        """The suspicion was looked into and is over."""
        self.suspected = False
        self._unease.reset()
        self._near.reset()

    def reset(self) -> None:
        """All is new: after a closure."""
        self.calm()
        self._alarm.reset()
