"""What prompt rules cost one request on its path, in microseconds: `python bench/prompt_parts.py`.

Each figure is the median of rounds, with the rounds' 5th and 95th percentile; the garbage collector stays on.
`--characters` is the length of the system prompt. A request's body is parsed anew for each call, as a gateway does:
no text is the very object that was seen before.
"""

import argparse
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence

import orjson

from sluice_sidecar.ask import Ask, Caller
from sluice_sidecar.audit.governance import Governed, Passage, Ring
from sluice_sidecar.audit.model import digest
from sluice_sidecar.audit.prompts import prompts
from sluice_sidecar.audit.rewrites import Rewrites
from sluice_sidecar.audit.tokens import estimated
from sluice_sidecar.config import AuditSampling, Backend, Edit, PromptRules, Rewrite, Route, Single
from sluice_sidecar.dialects.openai_chat import OPENAI_CHAT
from sluice_sidecar.ledger.decision import Decision

CALLER = Caller("acme")
OTHER = "sha256:" + "0" * 64


def route(prompt: PromptRules | None, audit: AuditSampling | None = None) -> Route:
    """A route with these rules."""
    backend = Backend(name="large", url="http://127.0.0.1:1/v1")
    return Route(
        name="support", models=("auto",), backends={"large": backend}, strategy=Single(backend="large"),
        reference="large", prompt=prompt, audit=audit,
    )  # fmt: skip


def asks(prompt: str, count: int) -> list[Ask]:
    """Requests under one prompt, each parsed by itself."""
    found = []
    for n in range(count):
        messages = [{"role": "system", "content": prompt}, {"role": "user", "content": f"{n}?"}]
        raw = orjson.dumps({"model": "auto", "messages": messages})
        found.append(OPENAI_CHAT.parse(raw, orjson.loads(raw)))
    return found


def measured(work: Callable[[Ask], object], made: Callable[[], Sequence[Ask]], rounds: int) -> list[float]:
    """Microseconds a call, a value a round, sorted."""
    found = []
    for _ in range(rounds):
        ones = made()
        gc.collect()
        start = time.perf_counter()
        for one in ones:
            work(one)
        found.append((time.perf_counter() - start) / len(ones) * 1e6)
    return sorted(found)


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--calls", type=int, default=500)
    cli.add_argument("--rounds", type=int, default=40)
    cli.add_argument("--characters", type=int, default=8_000)
    cli.add_argument("-o", "--output", choices=["table", "json"], default="table")
    options = cli.parse_args()
    sentence = "Answer what the customer asks in one short and very friendly sentence. "
    prompt = (sentence * (options.characters // len(sentence) + 1))[: options.characters]
    decision = Decision("r", 1_750_000_000.0, "support", "auto", "acme", "openai_chat")

    def inventory() -> Callable[[Ask], object]:
        governed = Governed(route(None, AuditSampling()), Ring(), estimated)

        def noted(ask: Ask) -> None:
            governed.leave(governed.enter(ask, CALLER), decision)
            if len(governed.ring) >= options.calls:
                governed.ring.taken()

        return noted

    def remembered(text: str) -> Callable[[Ask], object]:
        rewrites = Rewrites([Rewrite(name="short", section=OTHER, text="")])
        rewrites.places(text)
        return lambda ask: rewrites.places(ask.body["messages"][0]["content"])

    def rules(digested: str, percent: float = 100.0, **more: int) -> Callable[[Ask], Passage]:
        edits = (Edit(find="very ", replace=""),)
        rewrite = Rewrite(name="short", section=digested, edits=edits, percent=percent)
        governed = Governed(route(PromptRules(rewrites=(rewrite,), **more)), Ring(), estimated)
        return lambda ask: governed.enter(ask, CALLER)

    parts: dict[str, Callable[[Ask], object]] = {
        "inventory: a passage, noted": inventory(),
        "prompts of a request": prompts,
        "rewrites: what a known prompt becomes": remembered(prompt),
        "rewrites: a known prompt, none fits": rules(OTHER),
        "rewrites: a known prompt, one fits, not in its share": rules(digest(prompt), percent=0.0),
        "rewrites: a known prompt, rewritten": rules(digest(prompt)),
        "budget: a known prompt, within": rules(OTHER, max_tokens=1_000_000),
        "budget: a known prompt, weighed": rules(OTHER, max_tokens=options.characters // 2),
    }
    results = {}
    for name, work in parts.items():
        values = measured(work, lambda: asks(prompt, options.calls), options.rounds)
        results[name] = {
            "us": statistics.median(values),
            "p5": values[len(values) // 20],
            "p95": values[-1 - len(values) // 20],
        }
    if options.output == "json":
        shown = {"python": sys.version.split()[0], "characters": options.characters, "parts": results}
        json.dump(shown, sys.stdout, indent=1)
        return
    for name, value in results.items():
        print(f"{name:54} {value['us']:8.2f} µs  ({value['p5']:.2f} to {value['p95']:.2f})")


if __name__ == "__main__":
    main()
