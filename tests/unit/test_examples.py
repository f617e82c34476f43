"""Every example is valid and says what it is for."""

from pathlib import Path

import pytest

from sluice_cli.files import check, load
from sluice_operator.compile import compile  # noqa: A004
from sluice_operator.credentials import ClusterView, Grant

CLUSTER = {"batch"}
"""Examples of what a cluster alone serves."""
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


@pytest.mark.parametrize("path", [p for p in EXAMPLES if p.stem in CLUSTER], ids=lambda path: path.stem)
def test_an_example_for_a_cluster_is_served_there_as_it_is(path: Path) -> None:
    loaded = load([path])
    compiled = compile(loaded.resources, cluster=ClusterView({"hooks": Grant({"key": "0123456789ab"})}))
    assert [str(found) for found in (*loaded.findings, *compiled.problems)] == []
    assert compiled.config.routes
    assert compiled.config.windows
    assert path.read_text().startswith("# ")


@pytest.mark.parametrize("path", [p for p in EXAMPLES if p.stem not in CLUSTER], ids=lambda path: path.stem)
def test_an_example_is_served_as_it_is(path: Path) -> None:
    checked = check([path])
    assert [str(finding) for finding in (*checked.errors, *checked.warnings)] == []
    assert checked.compiled.config.routes
    assert path.read_text().startswith("# ")


def test_the_examples_show_every_strategy_and_the_gateways_keys() -> None:
    configs = [check([path]).compiled.config for path in EXAMPLES]
    strategies = {route.strategy.type for config in configs for route in config.routes.values()}
    assert strategies == {"single", "weighted", "task", "cascade"}
    assert any(config.gateway.keys_secret for config in configs)
