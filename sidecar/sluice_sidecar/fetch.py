"""An upstream call that callers share, and the keeping of its answer."""

import time
from typing import TYPE_CHECKING, Any

from sluice_sidecar.ask import Ask, Caller, Usage
from sluice_sidecar.cache.answers.failure import is_failure
from sluice_sidecar.cache.fingerprint import Fingerprint
from sluice_sidecar.cache.flight import Flight
from sluice_sidecar.config import Policy
from sluice_sidecar.dialects.dialect import Dialect
from sluice_sidecar.route.reply import Reply
from sluice_sidecar.serving import ServedRoute

if TYPE_CHECKING:
    from sluice_sidecar.cache.cache import Cache
    from sluice_sidecar.cache.look import Look


class Fetch:
    """An upstream call that callers share: run in a flight's own task, its answer kept when it may be."""

    __slots__ = ("ask", "cache", "caller", "fingerprint", "look", "served")

    def __init__(
        self, cache: "Cache | None", served: ServedRoute, ask: Ask, caller: Caller, print_: Fingerprint,
        look: "Look | None" = None,
    ) -> None:  # fmt: skip
        """`cache` None: the answer is not kept. `look`: what the cache proposed, to be checked against the answer."""
        self.cache, self.served = cache, served
        self.ask, self.caller, self.fingerprint = ask, caller, print_
        self.look = look

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
        if unfit(dialect, policy, whole) is not None:
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
            look=self.look,
        )


def unfit(dialect: Dialect, policy: Policy, whole: dict[str, Any]) -> str | None:
    """Why an answer of status 200 is not one to keep; None: it is."""
    failed, finish = dialect.failed(whole), dialect.finish(whole)
    if failed is not None:
        return f"it is an error: {failed[:200]}"
    if finish == "tools" and not policy.tool_calls:
        return "it calls tools, and the policy keeps no such answers (toolCalls)"
    if finish not in ("complete", "tools"):
        return f"it is not complete: {finish}"
    # Vectors have no text; a call of a tool needs none.
    failure = is_failure(dialect.answer_text(whole)) if finish == "complete" and dialect.streams else None
    return f"it is no answer: {failure}" if failure else None
