"""Verdicts of the verifiers that policies name: in time, or unknown."""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping

from sluice_sidecar.cache.verifiers.verifier import Verdict, Verifier, VerifierError
from sluice_sidecar.config import Policy, VerifierModel

log = logging.getLogger("sluice.cache")


class Verdicts:
    """The verifiers of a Config, whose failures are counted and said once, never raised.

    Why a verdict decides what is learned as well. The bound is a promise about what is *given*, and what is given
    passed the verifier. A label of a proposal that it refuses, or has no verdict on, is a label of another population:
    counted, it would keep a strategy shut for errors that the verifier catches, and where the verifier is worse than
    none (it refuses what is right and lets through what is wrong) it would make the error look smaller than it is. A
    proposal that was never put to it, because the strategy was closed, is of neither population until it is asked. So
    every label goes by the same rule: it counts if the verifier agreed, whenever it was asked. Whoever waits for an
    answer waits for a verdict only where the proposal would be given; the rest is asked once the model's answer is
    known. A score depends on the two texts alone, never on the answer. What is late or failed counts as not given too;
    a verifier that is late more often under load is late for right and wrong proposals alike.
    """

    def __init__(self, counts: Counter[str]) -> None:
        self._counts = counts
        self._verifiers: Mapping[VerifierModel, Verifier] = {}
        self._fails: set[VerifierModel] = set()

    def use(self, verifiers: Mapping[VerifierModel, Verifier]) -> None:
        """Takes the verifiers of another Config."""
        self._verifiers = dict(verifiers)
        self._fails &= self._verifiers.keys()

    async def of(self, policy: Policy, one: str, other: str) -> Verdict:
        """Whether the policy's verifier finds two asks to want the same answer; `agrees` where it names none."""
        settings = policy.paraphrase.verifier if policy.paraphrase else None
        if settings is None:
            return "agrees"
        verifier = self._verifiers.get(settings.model)
        try:
            if verifier is None:
                raise VerifierError("there is no such verifier in this gateway")
            async with asyncio.timeout(settings.timeout):
                score = await verifier(one, other)
        except Exception as error:  # whatever it is: a paraphrase without a verdict is a miss, never an error
            self._counts["verifier_errors"] += 1
            if settings.model not in self._fails:
                self._fails.add(settings.model)
                reason = str(error) or f"it took more than {settings.timeout:g} s"
                log.warning("no verdict: the verifier's paraphrases are misses", extra={"reason": reason})
            return "unknown"
        self._fails.discard(settings.model)
        return "agrees" if score >= settings.threshold else "differs"
