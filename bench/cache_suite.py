"""The cache's benchmarks: each part a program of its own with its JSON, and one page from the JSON files alone."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.machine import describe

RESULTS = Path(__file__).parent / "results"

HEAD = """# Benchmarks of the cache

Written by `make bench-cache DATASETS=FOLDER` from the JSON files in `bench/results`; do not edit. Parts are measured
each by itself, so each says what it ran on and when. A part that was not measured says so.
"""


@dataclass(frozen=True)
class Part:
    """One program, and how its figures are shown."""

    title: str
    module: str
    about: str
    render: Callable[[Any], str]
    datasets: bool = False
    """Whether it needs `--datasets`."""
    prints: bool = False
    """Whether its tables are what it prints, which is then kept as JSON, instead of JSON that it writes."""

    @property
    def json(self) -> Path:
        """Where its figures lie."""
        return RESULTS / f"{self.module.removeprefix('bench.')}.json"


def main(names: list[str], datasets: Path | None, docs: Path | None, *, measure: bool) -> None:
    """Measures these parts, of all where there are none, and writes the page. Raises SystemExit where a part failed."""
    unknown = set(names) - set(PARTS)
    if unknown:
        raise SystemExit(f"bench: no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    failed = run({name: PARTS[name] for name in names or PARTS}, datasets) if measure else []
    if docs is not None:
        docs.write_text(page(PARTS))
    if failed:
        raise SystemExit(f"bench: not measured: {', '.join(failed)}")


def run(parts: Mapping[str, Part], datasets: Path | None, results: Path = RESULTS) -> list[str]:
    """Runs each part in a process of its own; the names of those that failed or need data sets that were not named."""
    failed = []
    for name, part in parts.items():
        if part.datasets and datasets is None:
            print(f"{name}: left out, it needs --datasets FOLDER", file=sys.stderr)
            failed.append(name)
            continue
        print(f"{name} ...", file=sys.stderr, flush=True)
        out = results / part.json.name
        command = [sys.executable, "-m", part.module]
        if part.datasets:
            command += ["--datasets", str(datasets)]
        if not part.prints:
            command += ["--json", str(out)]
        done = subprocess.run(command, stdout=subprocess.PIPE if part.prints else sys.stderr, text=True, check=False)
        if done.returncode:
            failed.append(name)
        elif part.prints:
            out.parent.mkdir(parents=True, exist_ok=True)
            kept = {"machine": describe(packages=("sluice-llm", "numpy"), tools={}), "printed": done.stdout}
            out.write_text(json.dumps(kept, indent=1) + "\n")
    return failed


def page(parts: Mapping[str, Part], results: Path = RESULTS) -> str:
    """The page, in Markdown."""
    lines = [HEAD]
    for part in parts.values():
        lines += [f"## {part.title}", "", part.about, ""]
        path = results / part.json.name
        if not path.exists():
            lines += ["Not measured.", ""]
            continue
        found = json.loads(path.read_text())
        lines += [f"`python -m {part.module}`. {_machine(found)}", "", part.render(found).strip(), ""]
    return "\n".join(lines)


def _machine(found: dict[str, Any]) -> str:
    machine = found["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    return (
        f"{machine['date']}; {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB; Python "
        f"{machine['python']}; {versions}. Load average before: {machine['load_before']}."
    )


def _scale(found: dict[str, Any]) -> str:
    from bench.cache_scale import table

    return table(found)


def _reuse(found: dict[str, Any]) -> str:
    from bench.reuse.__main__ import table

    return "\n".join(table(stream) for stream in found["streams"])


def _documents(found: dict[str, Any]) -> str:
    lines = [
        "| documents | after three of a layout | served (95 %) | with a wrong field (95 %) | read, p50 / p95 |",
        "|---" * 5 + "|",
    ]
    for name in ("digital", "receipts"):
        read = found[name]["times"]["apply"]
        shown = f"{read['p50_ms']} / {read['p95_ms']} ms"
        for kind, one in found[name]["kinds"].items():
            if name == "receipts" and kind == "all":
                continue
            lines.append(
                f"| {kind} | {one['after_three']:,} | {one['served']:,}, {_interval(one['served_share'])} "
                f"| {one['wrong']:,}, {_interval(one['wrong_share'])} | {shown} |"
            )
    return "\n".join(lines)


def _interval(share: dict[str, float]) -> str:
    return f"{share['share']:.2%} ({share['low']:.2%}-{share['high']:.2%})"


def _printed(found: dict[str, Any]) -> str:
    return str(found["printed"])


PARTS = {
    "scale": Part(
        "The embedded store at size", "bench.cache_scale",
        "Times are a core's, the clock's in brackets. `nearest` is the search with its 20 records read, `decision` all "
        "of a look by meaning after the embedding, `scanned` a search before a scope's codes are made.",
        _scale, datasets=True,
    ),
    "reuse": Part(
        "Streams of unique asks", "bench.reuse",
        "Every stream from an empty cache, several random orders pooled, beside plain cosine and vCache's rule.",
        _reuse, datasets=True,
    ),
    "near-misses": Part(
        "Near misses", "bench.near_misses", "Asks that look alike and want different answers.", _printed,
        datasets=True, prints=True,
    ),
    "documents": Part(
        "Documents", "bench.documents", "Generated documents of many layouts, a third of which drift half-way.",
        _documents,
    ),
    "same-answer": Part(
        "The same answer?", "bench.same_answer", "How often the comparison of two answers errs.", _printed, prints=True
    ),
    "bound": Part(
        "The bound, simulated", "bench.risk_simulation", "Streams whose true error is known: whether the bound holds.",
        _printed, prints=True,
    ),
}  # fmt: skip
