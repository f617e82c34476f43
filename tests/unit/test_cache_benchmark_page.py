"""The page of the cache's benchmarks comes from JSON files alone, and says what is missing."""

import json
from pathlib import Path
from typing import Any

import pytest

from bench.cache_suite import PARTS, main, page

MACHINE = {
    "date": "2026-01-02 03:04 UTC", "processor": "P", "cores": 2, "memory_gib": 8, "python": "3.12.1",
    "packages": {"numpy": "2.1"}, "load_before": 0.5,
}  # fmt: skip


def written(folder: Path, part: str, **found: Any) -> None:
    (folder / PARTS[part].json.name).write_text(json.dumps({"machine": MACHINE, **found}))


def test_without_results_every_part_is_named_as_not_measured(tmp_path: Path) -> None:
    said = page(PARTS, tmp_path)
    assert said.count("Not measured.") == len(PARTS)
    assert all(f"## {part.title}" in said for part in PARTS.values())


def test_a_part_says_what_it_ran_on(tmp_path: Path) -> None:
    written(tmp_path, "bound", printed="| a | b |\n")
    said = page(PARTS, tmp_path)
    assert "2026-01-02 03:04 UTC; P, 2 cores, 8 GiB; Python 3.12.1; numpy 2.1. Load average before: 0.5." in said
    assert "| a | b |" in said
    assert said.count("Not measured.") == len(PARTS) - 1


def test_the_store_at_size_is_a_table(tmp_path: Path) -> None:
    times = {"core_p50": 1.0, "core_p99": 2.0, "p50": 3.0, "p99": 4.0}
    part = {"true": 200, "found": 199}
    step = {
        "nearest_ms": times, "decision_ms": times, "scanned_nearest_ms": times, "open_s": 1.0, "codes_s": 2.0,
        "recall": {"asks": 20, "first": part, "ten": part, "twenty": part}, "memory_mb": {"own": 70, "mapped": 5},
        "disk_mb": 300, "put_per_s": 9000,
    }  # fmt: skip
    written(tmp_path, "scale", steps={"100,000 in one scope": step})
    said = page(PARTS, tmp_path)
    assert "| 100,000 in one scope | 1.00 / 2.00 ms (3.0 / 4.0) |" in said
    assert "99.50% (199 of 200)" in said


def test_documents_are_a_table(tmp_path: Path) -> None:
    share = {"share": 0.9, "low": 0.8, "high": 0.95}
    kind = {"after_three": 10, "served": 9, "served_share": share, "wrong": 0, "wrong_share": share}
    found = {"kinds": {"invoice": kind, "all": kind}, "times": {"apply": {"p50_ms": 1.2, "p95_ms": 3.0}}}
    written(tmp_path, "documents", digital=found, receipts={**found, "kinds": {"receipt": kind, "all": kind}})
    rows = [line for line in page(PARTS, tmp_path).splitlines() if line.startswith(("| invoice", "| receipt", "| all"))]
    assert [row.split(" | ")[0] for row in rows] == ["| invoice", "| all", "| receipt"]
    assert "9, 90.00% (80.00%-95.00%)" in rows[0]


def test_an_unknown_part_is_refused() -> None:
    with pytest.raises(SystemExit, match="no part wrong; there are scale, reuse"):
        main(["wrong"], None, None, measure=True)


def test_a_part_whose_data_sets_are_not_named_is_told() -> None:
    with pytest.raises(SystemExit, match="not measured: scale"):
        main(["scale"], None, None, measure=True)
