"""The demo's result: as data for --json, and as tables for a person."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sluice_cli.demo.judge import Verdict
from sluice_cli.demo.summary import HITS, Summary, wilson


@dataclass(frozen=True, slots=True)
class Result:
    """All that the demo found out. `provider` is None for the stand-in, whose cost is simulated."""

    direct: Summary
    sluice: Summary
    verdicts: tuple[Verdict, ...]
    near_misses: int
    near_misses_served: int
    rates: Mapping[str, float]
    similarity: str
    provider: str | None
    seconds: float

    @property
    def wrong(self) -> tuple[Verdict, ...]:
        """The paraphrase hits that were wrong, on either ground."""
        return tuple(verdict for verdict in self.verdicts if verdict.grounds)


def as_data(result: Result) -> dict[str, Any]:
    """JSON-ready; money as decimal text, latencies in seconds."""
    low, high = wilson(len(result.wrong), len(result.verdicts))
    return {
        "direct": asdict(result.direct) | {"cost": str(result.direct.cost)},
        "sluice": asdict(result.sluice) | {"cost": str(result.sluice.cost)},
        "cost_is": "computed from list prices" if result.provider else "simulated",
        "provider": result.provider,
        "request_rates": dict(result.rates),
        "near_misses": {"asked": result.near_misses, "served_from_cache": result.near_misses_served},
        "paraphrase": {
            "similarity": result.similarity,
            "hits_asked_again": len(result.verdicts),
            "wrong": len(result.wrong),
            "wrong_rate_95": [low, high],
            "verdicts": [asdict(verdict) for verdict in result.verdicts],
        },
        "seconds": result.seconds,
    }


def show(result: Result, console: Console) -> None:
    """Prints the tables, every wrong hit, and what the figures do not say."""
    shares = ", ".join(f"{kind} {share:.0%}" for kind, share in sorted(result.rates.items()))
    console.print(Text(f"\n{result.direct.requests} requests: {shares}", style="bold"))
    console.print(_comparison(result))
    console.print(Text("\nWho answered through Sluice", style="bold"))
    console.print(_sources(result))
    _print_wrong(result, console)
    console.print()
    for line in _limits(result):
        console.print(Text("- " + line))


def _comparison(result: Result) -> Table:
    direct, sluice = result.direct, result.sluice
    table = Table()
    table.add_column("")
    for name in ("direct", "through Sluice", "change"):
        table.add_column(name, justify="right")
    for name, before, after in (
        ("latency, mean", direct.mean, sluice.mean),
        ("latency, P50", direct.p50, sluice.p50),
        ("latency, P95", direct.p95, sluice.p95),
    ):
        table.add_row(name, _seconds(before), _seconds(after), _change(before, after))
    for name, before, after in (
        ("prompt tokens", direct.prompt_tokens, sluice.prompt_tokens),
        ("answer tokens", direct.completion_tokens, sluice.completion_tokens),
    ):
        table.add_row(name, f"{before:,}", f"{after:,}", _change(before, after))
    cost = "cost, USD" if result.provider else "cost, USD (simulated)"
    table.add_row(cost, f"{direct.cost:.5f}", f"{sluice.cost:.5f}", _change(float(direct.cost), float(sluice.cost)))
    return table


def _sources(result: Result) -> Table:
    sluice = result.sluice
    table = Table()
    table.add_column("")
    for name in ("requests", "share (95 %)", "latency, P50"):
        table.add_column(name, justify="right")
    rows = [(f"cache, {how}", how, sluice.hits.get(how, 0)) for how in HITS]
    rows += [(f"model {name}", name, count) for name, count in sorted(sluice.backends.items())]
    for label, source, count in rows:
        low, high = wilson(count, sluice.requests)
        median = _seconds(sluice.p50_by[source]) if source in sluice.p50_by else "-"
        table.add_row(label, str(count), f"{count / sluice.requests:.0%} ({low:.0%} to {high:.0%})", median)
    return table


def _print_wrong(result: Result, console: Console) -> None:
    hits, wrong = len(result.verdicts), result.wrong
    low, high = wilson(len(wrong), hits)
    rate = f" (95 %: {low:.0%} to {high:.0%})" if hits else ""
    console.print(Text(f"\nParaphrase hits asked again: {hits}. Wrong: {len(wrong)}{rate}.", style="bold"))
    for verdict in wrong:
        console.print(Text(_wrong(verdict)))
    console.print(
        Text(f"Near misses asked: {result.near_misses}; answered from the cache: {result.near_misses_served}.")
    )
    alike = [verdict.alike for verdict in result.verdicts if verdict.asked.task in ("support", "generation")]
    if alike:
        mean = sum(alike) / len(alike)
        console.print(Text(f"Open answers, {len(alike)} hits: {mean:.0%} of the words the same when asked again."))


def _wrong(verdict: Verdict) -> str:
    stored = verdict.stored.text if verdict.stored else "(not found)"
    why = {"intent": "the two want different answers", "answer": "asking again gives another answer"}
    return (
        f"  asked:       {verdict.asked.text}\n"
        f"  answered as: {stored} (similarity {verdict.similarity})\n"
        f"  served: {verdict.served} | asked again: {verdict.fresh}\n"
        f"  wrong because {' and '.join(why[ground] for ground in verdict.grounds)}"
    )


def _limits(result: Result) -> Sequence[str]:
    large = (
        f"The large backend was {result.provider}; prices are its list prices as this release knows them."
        if result.provider
        else "The large backend is a stand-in: the same small model in 16 bits, of equal quality, with the price of a "
        "large provider. So the cost is simulated, and no quality is claimed; latency and tokens are measured."
    )
    return (
        large,
        f"Paraphrases are reused above a plain similarity of {result.similarity}, with a conservative guard (numbers, "
        "names, dates, units, negation, direction must agree). By `bounded: false` the demo has no proven bound on "
        "wrong hits: one opens after some hundred answers, which is more than is asked here.",
        "Wrong is judged by the keys that come with the workload, and for labels and extractions also by asking again. "
        "A model that is unsure of its own answer counts against the cache; a poor open answer does not.",
        "One client asked one request at a time. The workload is made for showing: your rates of repeats will differ.",
    )


def _seconds(value: float) -> str:
    return f"{value * 1000:.1f} ms" if value < 0.1 else f"{value * 1000:.0f} ms"


def _change(before: float, after: float) -> str:
    return f"{(after - before) / before:+.0%}" if before else "-"
