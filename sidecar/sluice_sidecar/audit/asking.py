"""Asks and compares for an audit: nothing twice, within the bounds of calls and money, again after a busy backend."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Protocol

from sluice_sidecar.audit.model import Answer, Answerer, Busy, Comparator, Sample, Unanswered

TRIES = 6
"""How often a busy backend is asked again before the audit stops where it is."""


class Exhausted(Exception):  # noqa: N818  (a bound that the user set)
    """No further call may be made; the message says which bound was met."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What the audit's calls cost, per million tokens."""

    input: Decimal = Decimal(0)
    cached: Decimal | None = None
    output: Decimal = Decimal(0)
    currency: str = "USD"

    def of(self, answer: Answer) -> Decimal:
        """The cost of one answer."""
        cached = self.input if self.cached is None else self.cached
        fresh = answer.prompt_tokens - answer.cached_tokens
        return (fresh * self.input + answer.cached_tokens * cached + answer.completion_tokens * self.output) / 1_000_000


class Checkpoint(Protocol):
    """Keeps what was asked, so that an audit that was broken off goes on where it was."""

    def load(self) -> Iterable[Mapping[str, Any]]:
        """Records in the order in which they were added."""

    def add(self, record: Mapping[str, Any]) -> None:
        """Keeps one record, durably."""


class Asking:
    """Answers and losses by (variant of the prompt, sample). A variant is named by what it leaves out."""

    def __init__(
        self,
        ask: Answerer,
        compare: Comparator,
        checkpoint: Checkpoint,
        *,
        prices: Prices,
        max_calls: int | None = None,
        max_cost: Decimal | None = None,
        width: int = 4,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._ask, self._compare, self._checkpoint, self._sleep = ask, compare, checkpoint, sleep
        self._prices, self._max_calls, self._max_cost, self.width = prices, max_calls, max_cost, width
        self.comparator = compare.name
        self.calls = self.compared = 0
        self.cost = Decimal(0)
        self._answers: dict[tuple[str, str], Answer | None] = {}
        self._losses: dict[tuple[str, str], float | None] = {}
        for record in checkpoint.load():
            self._recall(record)

    def _recall(self, record: Mapping[str, Any]) -> None:
        at = str(record["variant"]), str(record["sample"])
        if "answer" in record:
            given = record["answer"]
            self._answers[at] = Answer(**given)
            self._spend(self._answers[at])
        else:
            self._losses[at] = record["loss"]

    async def losses(self, variant: str, text: str, full: str, samples: Sequence[Sample]) -> list[float | None]:
        """For each sample, how much is lost under `text` against `full`; None where it cannot be told.

        Raises Exhausted. Asked `width` at a time."""
        told: list[float | None] = []
        for at in range(0, len(samples), self.width):
            asked = (self._loss(variant, text, full, one) for one in samples[at : at + self.width])
            for loss in await asyncio.gather(*asked, return_exceptions=True):
                if isinstance(loss, BaseException):
                    raise loss
                told.append(loss)
        return told

    async def _loss(self, variant: str, text: str, full: str, sample: Sample) -> float | None:
        at = variant, sample.id
        if at in self._losses:
            return self._losses[at]
        before = await self._answer("", full, sample)
        after = await self._answer(variant, text, sample)
        loss: float | None = None
        if before is not None:  # a sample that the full prompt cannot answer tells nothing
            loss = 1.0 if after is None else await self._compared(sample, before, after)
        self._losses[at] = loss
        if before is not None and after is not None:  # a backend that could not answer may be mended
            self._checkpoint.add({"variant": variant, "sample": sample.id, "loss": loss})
        return loss

    async def _compared(self, sample: Sample, before: Answer, after: Answer) -> float | None:
        if before.text == after.text:
            return 0.0
        self.compared += 1
        try:
            loss: float | None = await self._patiently(lambda: self._compare(sample, before, after))
        except Unanswered:  # a judge that refuses tells nothing of this pair, and ends no audit
            return None
        return None if loss is None else min(max(loss, -1.0), 1.0)

    async def _answer(self, variant: str, text: str, sample: Sample) -> Answer | None:
        at = variant, sample.id
        if at not in self._answers:
            self._afford()
            self.calls += 1  # counted before it is asked: several ask at once
            try:
                answer: Answer | None = await self._patiently(lambda: self._ask(text, sample))
            except Unanswered:
                answer = None
            self.calls -= 1
            self._answers[at] = answer
            self._spend(answer)
            if answer is not None:
                self._checkpoint.add({"variant": variant, "sample": sample.id, "answer": asdict(answer)})
        return self._answers[at]

    async def _patiently(self, call: Callable[[], Awaitable[Any]]) -> Any:
        for attempt in range(TRIES):
            try:
                return await call()
            except Busy as busy:
                if attempt + 1 == TRIES:
                    raise Exhausted(f"the backend stayed busy: {busy}") from None
                await self._sleep(min(busy.retry_after * 2**attempt, 300.0))
        raise AssertionError

    def _afford(self) -> None:
        if self._max_calls is not None and self.calls >= self._max_calls:
            raise Exhausted(f"the bound of {self._max_calls} calls is reached")
        if self._max_cost is not None and self.cost >= self._max_cost:
            raise Exhausted(f"the bound of {self._max_cost} {self._prices.currency} is reached")

    def _spend(self, answer: Answer | None) -> None:
        self.calls += 1
        if answer is not None:
            self.cost += self._prices.of(answer)
