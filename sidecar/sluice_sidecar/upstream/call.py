"""The books of one upstream call: its Attempt, its breaker's permit, its place among the calls in flight."""

from time import monotonic

from sluice_sidecar.ask import Usage
from sluice_sidecar.endpoints import EndpointsView
from sluice_sidecar.route.breaker import Breaker, Permit
from sluice_sidecar.route.reply import Attempt


class Call:
    """Opened when the call starts, closed exactly once; closing again is harmless."""

    __slots__ = ("_breaker", "_endpoints", "_open", "_permit", "_url", "attempt", "started")

    def __init__(
        self, backend: str, breaker: Breaker, permit: Permit, endpoints: EndpointsView | None, url: str
    ) -> None:
        """`endpoints`: where the call counts as in flight, for a managed backend."""
        self.started = monotonic()
        self.attempt = Attempt(backend, "open", 0.0)
        self._breaker, self._permit = breaker, permit
        self._endpoints, self._url = endpoints, url
        self._open = True
        if endpoints is not None:
            endpoints.enter(url)

    @property
    def settled(self) -> bool:
        """Whether it is closed."""
        return not self._open

    def first_token(self) -> None:
        """The stream has begun: a breaker's trial need not wait for its end."""
        self.attempt.first_token = monotonic() - self.started
        self._permit = self._breaker.begun(self._permit)

    def close(self, outcome: int | str, *, healthy: bool | None, usage: Usage | None = None) -> None:
        """Ends it. `healthy` says what it tells of the backend; None: nothing."""
        if not self._open:
            return
        self._open = False
        attempt = self.attempt
        attempt.outcome, attempt.seconds = outcome, monotonic() - self.started
        if usage is not None:
            attempt.usage = usage
        if self._endpoints is not None:
            self._endpoints.leave(self._url)
        if healthy:
            self._breaker.succeeded(self._permit)
        elif healthy is None:
            self._breaker.left(self._permit)
        else:
            self._breaker.failed(self._permit)
