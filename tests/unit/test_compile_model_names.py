"""A model name belongs to one route: the oldest that claims it."""

from typing import Any

import pytest

from doubles.objects import parsed, route
from sluice_operator.compile import compile  # noqa: A004


def aged(data: dict[str, Any], created: str) -> dict[str, Any]:
    return data | {"metadata": data["metadata"] | {"creationTimestamp": created}}


def test_in_files_the_first_keeps_a_name_and_the_later_is_an_error() -> None:
    result = compile(parsed(route("b", models=["x"]), route("a", models=["x"])))
    assert list(result.config.routes) == ["b"]
    (problem,) = result.errors
    assert (problem.name, problem.field, problem.reason) == ("a", "spec.models[0]", "ModelNameTaken")
    assert '"b"' in problem.message


def test_in_a_cluster_the_older_keeps_it_in_whatever_order_they_come() -> None:
    young, old = (
        aged(route("a", models=["x"]), "2026-02-01T00:00:00Z"),
        aged(route("b", models=["x"]), "2026-01-01T00:00:00Z"),
    )
    for objects in ((young, old), (old, young)):
        result = compile(parsed(*objects))
        assert (list(result.config.routes), result.errors[0].name) == (["b"], "a")


def test_a_routes_own_name_counts_where_it_names_no_models() -> None:
    (problem,) = compile(parsed(route("first", models=["x"]), route("x"))).errors
    assert (problem.field, problem.reason) == ("metadata.name", "ModelNameTaken")


@pytest.mark.parametrize("broken", [{"cachePolicy": {"name": "gone"}}, {"nonsense": 1}])
def test_a_broken_route_keeps_its_names_so_that_mending_it_moves_no_other(broken: dict[str, Any]) -> None:
    first = route("first", models=["x"])
    last = compile(parsed(first)).config
    first["spec"] |= broken
    result = compile(parsed(first, route("second", models=["x"])), last)
    assert [(p.name, p.reason) for p in result.errors if p.reason == "ModelNameTaken"] == [("second", "ModelNameTaken")]
    assert list(result.config.routes) == ["first"]
