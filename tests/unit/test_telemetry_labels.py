"""Metrics count what happened, under a bounded number of names."""

from doubles.bookkeeping import Call, decision, hit, route
from sluice_sidecar.config import Config
from sluice_sidecar.ledger.decision import Decision
from sluice_sidecar.ledger.ledger import Ledger
from sluice_sidecar.telemetry import SEPARATOR, Telemetry

CONFIG = Config(routes={"support": route()}).sealed()


def counted(*ones: Decision, config: Config = CONFIG) -> Telemetry:
    ledger, telemetry = Ledger(), Telemetry()
    telemetry.serve(config)
    for one in ones:
        ledger.record(one, route())
        telemetry.finished(one)
    return telemetry


def names(telemetry: Telemetry, family: str) -> set[tuple[str, ...]]:
    return {tuple(key.split(SEPARATOR)) for key in telemetry.snapshot()[family]}


def test_requests_by_their_labels() -> None:
    telemetry = counted(hit(), hit(), decision(attempts=(Call("large"),)))
    assert telemetry.snapshot()["requests"] == {
        SEPARATOR.join(("support", "openai_chat", "identical", "large", "200")): [2],
        SEPARATOR.join(("support", "openai_chat", "miss", "large", "200")): [1],
    }


def test_invented_names_share_one_label() -> None:
    telemetry = counted(*(decision(route=f"r{i}", backend=f"b{i}", attempts=(Call(f"b{i}"),)) for i in range(500)))
    assert names(telemetry, "requests") == {("other", "openai_chat", "miss", "other", "200")}
    assert names(telemetry, "upstream") == {("other", "other", "200")}
    assert sum(numbers[0] for numbers in telemetry.snapshot()["requests"].values()) == 500


def test_odd_statuses_and_outcomes_are_bounded() -> None:
    ones = [decision(status=i, attempts=(Call("large", outcome=f"odd{i}"),)) for i in range(600, 1000)]
    telemetry = counted(*ones, *(decision(attempts=(Call("large", outcome=i),)) for i in range(600, 700)))
    assert names(telemetry, "requests") >= {("support", "openai_chat", "miss", "large", "other")}
    assert len(names(telemetry, "upstream")) <= 66


def test_tenants_models_and_ids_are_no_labels() -> None:
    snapshot = counted(
        decision(tenant="acme-tenant", model="a-model", id="an-id", attempts=(Call("large"),))
    ).snapshot()
    assert not {"acme-tenant", "a-model", "an-id"} & {
        label for family in snapshot.values() for key in family for label in key.split(SEPARATOR)
    }


def test_a_removed_route_takes_its_series_along() -> None:
    telemetry = counted(hit(), decision(attempts=(Call("large"),)))
    telemetry.serve(Config(routes={"sales": route("sales")}).sealed())
    snapshot = telemetry.snapshot()
    assert not snapshot["requests"]
    assert not snapshot["upstream"]
    assert not snapshot["bought"]


def test_inflight_breakers_and_entries_are_read_at_the_snapshot() -> None:
    telemetry = counted()
    telemetry.inflight += 2
    telemetry.cache_entries = lambda: 7
    telemetry.breakers = lambda: {"large": True}
    telemetry.reloaded("refused")
    snapshot = telemetry.snapshot()
    assert snapshot["inflight"] == {"": [2]}
    assert snapshot["entries"] == {"": [7]}
    assert snapshot["breakers"] == {"large": [1.0]}
    assert snapshot["reloads"] == {"applied": [0], "refused": [1]}
    assert list(snapshot["config"]) == [CONFIG.digest]
