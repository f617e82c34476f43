"""The two passes of the demo and the asking again: what is measured, in order."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
from rich.progress import Progress

from sluice_cli.demo import setting, workload
from sluice_cli.demo.judge import Verdict, judge
from sluice_cli.demo.replay import Outcome, Target, ask, replay
from sluice_cli.demo.report import Result
from sluice_cli.demo.service import Service, ServiceError
from sluice_cli.demo.setting import Provider
from sluice_cli.demo.summary import HITS, summarise

REQUEST_SECONDS = 120.0
STAND_IN_SECONDS = 120.0


def measure(
    service: Service,
    provider: Provider | None,
    environment: Mapping[str, str],
    documents: Sequence[Mapping[str, Any]],
    progress: Progress,
) -> Result:
    """Asks everything directly, then through Sluice, then every paraphrase hit again.

    Before each pass one request of every task goes unmeasured, so that neither pays for a cold model or embedder.
    Raises ReplayError when a request is not answered, ServiceError when the stand-in does not come up.
    """
    started = time.monotonic()
    steps = workload.schedule(workload.load())
    direct = provider.target(environment[provider.key_variable]) if provider else Target(_stand_in(service), "large")
    through = Target(service.base_url, setting.MODEL, direct.dialect, setting.VERSION[direct.dialect])
    with (
        httpx.Client(timeout=REQUEST_SECONDS, trust_env=provider is not None) as outside,
        httpx.Client(timeout=REQUEST_SECONDS, trust_env=False) as inside,
    ):
        before = _pass("direct", outside, direct, steps, progress)
        after = _pass("through Sluice", inside, through, steps, progress)
        verdicts = _ask_again(inside, through, after, progress)
    prices = setting.prices(documents)
    near = [outcome for outcome in after if outcome.step.kind == "near miss"]
    return Result(
        direct=summarise(before, prices, setting.LARGE),
        sluice=summarise(after, prices, setting.LARGE),
        verdicts=verdicts,
        near_misses=len(near),
        near_misses_served=sum(outcome.cache in HITS for outcome in near),
        rates=workload.rates(steps),
        similarity=setting.similarity(documents),
        provider=provider.model if provider else None,
        seconds=time.monotonic() - started,
    )


def _pass(
    name: str, client: httpx.Client, target: Target, steps: Sequence[workload.Step], progress: Progress
) -> tuple[Outcome, ...]:
    for first in {step.task: step for step in reversed(steps)}.values():
        ask(client, target, first, fresh=True)
    return replay(client, target, steps, _advance(progress, name, len(steps)))


def _ask_again(
    client: httpx.Client, target: Target, outcomes: Sequence[Outcome], progress: Progress
) -> tuple[Verdict, ...]:
    hits = [(index, outcome) for index, outcome in enumerate(outcomes) if outcome.cache == "paraphrase"]
    done = _advance(progress, "asking again", len(hits))
    verdicts = []
    for index, hit in hits:
        again = ask(client, target, hit.step, fresh=True)
        verdicts.append(judge(hit, outcomes[:index], again.answer.text))
        done(again)
    return tuple(verdicts)


def _advance(progress: Progress, name: str, total: int) -> Callable[[Outcome], None]:
    bar = progress.add_task(name, total=total)

    def advance(_: Outcome) -> None:
        progress.advance(bar)

    return advance


def _stand_in(service: Service) -> str:
    deadline = time.monotonic() + STAND_IN_SECONDS
    while time.monotonic() < deadline:
        if url := service.stand_in():
            return url
        time.sleep(0.1)
    raise ServiceError(f"the large stand-in was not ready after {STAND_IN_SECONDS:.0f} s; its log: {service.log}")
