"""An upstream call that callers share, and the keeping of its answer."""

import time
from typing import TYPE_CHECKING

from sluice_sidecar.ask import Ask, Caller, Usage
from sluice_sidecar.cache.fingerprint import Fingerprint
from sluice_sidecar.cache.flight import Flight
from sluice_sidecar.route.reply import Reply
from sluice_sidecar.serving import ServedRoute

if TYPE_CHECKING:
    from sluice_sidecar.cache.cache import Cache


class Fetch:
    """An upstream call that callers share: run in a flight's own task, its answer kept when it may be."""

    __slots__ = ("ask", "cache", "caller", "fingerprint", "served")

    def __init__(
        self, cache: "Cache | None", served: ServedRoute, ask: Ask, caller: Caller, print_: Fingerprint
    ) -> None:
        """`cache` None: the answer is not kept."""
        self.cache, self.served = cache, served
        self.ask, self.caller, self.fingerprint = ask, caller, print_

    async def run(self, flight: Flight) -> None:
        """Fetches the answer, hands it to the followers as it comes, then stores it."""
        began = time.perf_counter()
        reply = await self.served.router.answer(self.ask, self.caller)
        events = reply.events
        flight.begin(reply)
        if events is not None:
            try:
                async for event in events:
                    if not flight.push(event, len(event.raw)):
                        await flight.room()
            finally:
                await events.aclose()
            if reply.assembler is not None and reply.failed is None:
                reply.whole = reply.assembler.whole()
        flight.finish(reply)
        if self.cache is not None:
            await self._store(self.cache, reply, time.perf_counter() - began)

    async def _store(self, cache: "Cache", reply: Reply, took: float) -> None:
        policy, dialect, whole = self.served.policy, self.ask.dialect, reply.whole
        if policy is None or reply.status != 200 or reply.failed is not None or whole is None:
            return
        finish = dialect.finish(whole)
        if dialect.failed(whole) is not None or not (finish == "complete" or (finish == "tools" and policy.tool_calls)):
            return
        if reply.logprobs_added:
            whole = dialect.trim(self.ask, whole, logprobs=True)
        await cache.put(
            self.fingerprint,
            policy,
            self.caller,
            whole=whole,
            usage=dialect.usage(whole) or Usage(),
            backend=reply.backend.name,
            took=took,
        )
