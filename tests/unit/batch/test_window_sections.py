"""What of a BatchWindow is published: its webhooks too, nothing of a broken one, what was there before instead."""

from typing import Any

import pytest

from doubles.objects import custom, parsed, route, window
from sluice_cli.supervisor.banner import references
from sluice_operator.compile import Compiled, compile  # noqa: A004
from sluice_operator.credentials import ClusterView, Grant
from sluice_sidecar.config import Config, Credential, Webhooks

HOOKS = {"signingKey": {"secret": "hooks", "key": "key"}, "allow": ["https://*.example.com"]}


def compiled(last: Config | None = None, cluster: ClusterView | None = None, **spec: Any) -> Compiled:
    return compile(parsed(route("r", custom("a")), window("r", **spec)), last, cluster=cluster)


def test_webhooks_are_published_by_reference() -> None:
    result = compiled(webhooks=HOOKS)
    assert result.errors == ()
    key = Credential(secret="hooks", key="key")
    assert result.config.windows["night"].webhooks == Webhooks(signing_key=key, allow=("https://*.example.com",))
    assert ("BatchWindow night, webhooks", key) in references(result.config)


@pytest.mark.parametrize(
    "spec",
    [{"windows": None, "always": False}, {"routes": ["nobody"]}, {"webhooks": {**HOOKS, "allow": ["https://a/.."]}}],
)
def test_a_broken_one_is_not_published_and_the_one_before_stays(spec: dict[str, Any]) -> None:
    given = {name: value for name, value in spec.items() if value is not None}
    broken = window("r") | {"spec": {**window("r")["spec"], **given}}
    for name in (name for name, value in spec.items() if value is None):
        del broken["spec"][name]
    objects = parsed(route("r", custom("a")), broken)
    fresh = compile(objects)
    assert [(problem.kind, problem.severity) for problem in fresh.errors] == [("BatchWindow", "error")]
    assert fresh.config.windows == {}
    before = compiled().config
    assert compile(objects, before).config.windows == before.windows
    assert compile(parsed(route("r", custom("a"))), before).config.windows == {}


@pytest.mark.parametrize(
    ("view", "field", "reason"),
    [
        (ClusterView(), "spec.webhooks.signingKey.secret", "SecretNotFound"),
        (ClusterView(unlabelled=frozenset({"hooks"})), "spec.webhooks.signingKey.secret", "CredentialNotGranted"),
        (ClusterView({"hooks": Grant({"kee": "v1"})}), "spec.webhooks.signingKey.key", "SecretKeyNotFound"),
    ],
)
def test_a_key_that_cannot_be_used_is_told_at_its_field(view: ClusterView, field: str, reason: str) -> None:
    found = compiled(cluster=view, webhooks=HOOKS).errors
    assert [(problem.kind, problem.field, problem.reason) for problem in found] == [("BatchWindow", field, reason)]


def test_a_key_needs_the_label_and_no_host_for_it_is_sent_nowhere() -> None:
    assert compiled(cluster=ClusterView({"hooks": Grant({"key": "v1"})}), webhooks=HOOKS).errors == ()
