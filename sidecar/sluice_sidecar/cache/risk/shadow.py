"""How many hits are asked again."""

FIRST = 300
"""Hits that are all asked again after the strategy opened, outside the budget."""

BURST = 150
"""Hits that are all asked again after a suspicion, out of a reserve."""

SLACK = 20.0
"""Labels by which the budget may be ahead of the requests."""

MEMORY = 2000.0
"""Requests over which the share of hits is averaged."""


class Budget:
    """Keeps re-asked hits within a share of all requests.

    At every time: re-asked <= FIRST for each opening + share * requests + SLACK, and, for suspicions, as much again:
    share * requests + BURST. A share of 0 re-asks nothing at all.
    """

    def __init__(self, share: float) -> None:
        self._share = share
        self.requests = self.hits = self.shadowed = 0
        self._first = 0
        self._regular = self._extra = 0
        self._burst = 0
        self._recent_requests = self._recent_hits = 1.0

    def request(self) -> None:
        """A request came."""
        self.requests += 1
        self._recent_requests += 1.0 - self._recent_requests / MEMORY
        self._recent_hits -= self._recent_hits / MEMORY

    def hit(self) -> None:
        """A hit is about to be served."""
        self.hits += 1
        self._recent_hits += 1.0

    def opened(self) -> None:
        """The strategy opened on new evidence."""
        self._first = FIRST

    def suspect(self) -> bool:
        """Starts a burst, if the reserve allows one now; True when one is under way."""
        if self._burst == 0 and self._extra <= self._share * self.requests and self._share > 0.0:
            self._burst = BURST
        return self._burst > 0

    def end_burst(self) -> None:
        """The question is settled; what is left of the burst stays in the reserve."""
        self._burst = 0

    @property
    def all(self) -> bool:
        """Whether every hit is asked again now."""
        return self._share > 0.0 and (self._first > 0 or self._burst > 0)

    @property
    def probability(self) -> float:
        """The chance that the next hit is asked again, 0..1."""
        if self.all:
            return 1.0
        left = self._share * self.requests + SLACK - self._regular
        usual = self._share * self._recent_requests / max(self._recent_hits, 1.0)
        return min(usual, 1.0) * min(max(left / SLACK, 0.0), 1.0) if left >= 1.0 else 0.0

    def spend(self) -> None:
        """A hit is asked again."""
        self.shadowed += 1
        if self._first > 0:
            self._first -= 1
        elif self._burst > 0:
            self._burst -= 1
            self._extra += 1
        else:
            self._regular += 1

    def state(self) -> list[int]:
        """Plain data for `restore`."""
        return [self.requests, self.hits, self.shadowed, self._first, self._regular, self._extra]

    def restore(self, state: list[int]) -> None:
        """Goes on from a state. Raises ValueError for anything else."""
        if len(state) != 6 or not all(type(v) is int and v >= 0 for v in state):
            raise ValueError("a shadow budget is six counts")
        self.requests, self.hits, self.shadowed, self._first, self._regular, self._extra = state
