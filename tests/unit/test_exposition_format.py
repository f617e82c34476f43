"""What Prometheus reads is valid, named by its conventions, and says the right numbers."""

import re

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families as families

from doubles.bookkeeping import Call, decision, hit, route
from sluice_sidecar.admin.exposition import render
from sluice_sidecar.ask import Usage
from sluice_sidecar.config import Config
from sluice_sidecar.ledger.ledger import Ledger
from sluice_sidecar.telemetry import Telemetry, merge

OPEN = "application/openmetrics-text; version=1.0.0"


@pytest.fixture
def busy() -> Telemetry:
    telemetry, ledger = Telemetry(), Ledger()
    telemetry.serve(Config(routes={"support": route()}).sealed())
    telemetry.breakers = lambda: {"large": False}
    for one in (
        hit(),
        hit(cache="paraphrase", similarity=0.98),
        decision(stream=True, first_token=0.2, attempts=(Call("small"), Call("large", usage=Usage(100, 40, 50)))),
        decision(status=502, error="connect_failed", attempts=(Call("large", usage=None, outcome="connect_failed"),)),
    ):
        ledger.record(one, route())
        telemetry.finished(one)
    return telemetry


def sample(found: list[Metric], name: str, **labels: str) -> float:
    values = [s.value for f in found for s in f.samples if s.name == name and labels.items() <= s.labels.items()]
    assert values, name
    return sum(values)


def test_prometheus_text_says_what_happened(busy: Telemetry) -> None:
    body, content_type = render(busy.snapshot())
    assert content_type.startswith("text/plain")
    found = list(families(body.decode()))
    assert sample(found, "sluice_requests_total", cache="miss", code="200") == 1
    assert sample(found, "sluice_requests_total") == 4
    assert sample(found, "sluice_cache_hits_total", strategy="paraphrase") == 1
    assert sample(found, "sluice_cache_misses_total", route="support") == 2
    assert sample(found, "sluice_request_duration_seconds_count") == 4
    assert sample(found, "sluice_time_to_first_token_seconds_count") == 1
    assert sample(found, "sluice_upstream_requests_total", outcome="connect_failed") == 1
    assert sample(found, "sluice_tokens_total", backend="large", kind="cached_input") == 40
    assert sample(found, "sluice_cache_tokens_total", kind="output") == 100
    cost = sample(found, "sluice_cost_total", currency="USD")
    without = sample(found, "sluice_reference_cost_total", currency="USD")
    assert sample(found, "sluice_saved", currency="USD") == pytest.approx(without - cost)
    assert sample(found, "process_resident_memory_bytes") > 1e6


def test_buckets_are_cumulative_up_to_the_count(busy: Telemetry) -> None:
    found = list(families(render(busy.snapshot())[0].decode()))
    for family in found:
        if family.type != "histogram":
            continue
        runs: dict[str, list[float]] = {}
        for one in family.samples:
            if one.name.endswith("_bucket"):
                runs.setdefault(str({k: v for k, v in one.labels.items() if k != "le"}), []).append(one.value)
        assert runs
        assert all(run == sorted(run) for run in runs.values())


def test_openmetrics_is_given_where_asked_for(busy: Telemetry) -> None:
    body, content_type = render(busy.snapshot(), OPEN)
    assert content_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")
    found = list(open_families(body.decode()))  # type: ignore[no-untyped-call]
    assert sample(found, "sluice_requests_total") == 4


def test_names_follow_the_conventions(busy: Telemetry) -> None:
    parsed: list[Metric] = list(families(render(busy.snapshot())[0].decode()))
    for family in parsed:
        assert family.documentation, family.name
        assert re.fullmatch(r"(sluice|process)_[a-z_]+", family.name)
        if family.type == "histogram":
            assert family.name.endswith("_seconds")
        assert family.type != "gauge" or not family.name.endswith("_total")


def test_an_idle_gateway_and_no_gateway_render() -> None:
    assert b"sluice_inflight_requests 0.0" in render(Telemetry().snapshot())[0]
    assert b"# TYPE sluice_requests_total counter" in render(merge([]))[0]


def test_label_values_are_escaped() -> None:
    telemetry = Telemetry()
    telemetry.breakers = lambda: {'a"b\\c\nd': True}
    found = list(families(render(telemetry.snapshot())[0].decode()))
    assert sample(found, "sluice_breaker_open", backend='a"b\\c\nd') == 1
