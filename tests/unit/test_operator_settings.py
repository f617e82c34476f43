"""What the operator is told, by environment and flags."""

import pytest

from sluice_operator.main import main
from sluice_operator.settings import Settings, SettingsError, read


def test_without_any_the_defaults_hold() -> None:
    assert read([], {}) == Settings()
    assert Settings().installation().report_url == "https://sluice-operator-reports.sluice-system.svc"


def test_the_environment_of_the_chart_becomes_the_installation() -> None:
    environment = {
        "POD_NAME": "sluice-operator-1",
        "SLUICE_NAMESPACE": "ops",
        "SLUICE_WATCH_NAMESPACES": "a, b,",
        "SLUICE_IMAGE_GATEWAY": "mirror/sluice-gateway:2",
        "SLUICE_IMAGE_PULL_SECRETS": "pull",
        "SLUICE_IMAGE_PULL_POLICY": "Always",
        "SLUICE_GATEWAY_RESOURCES": '{"limits": {"memory": "2Gi"}}',
        "SLUICE_INJECTION": "false",
        "SLUICE_CLUSTER_DOMAIN": "",
    }
    settings = read([], environment)
    assert (settings.identity, settings.watch_namespaces) == ("sluice-operator-1", ("a", "b"))
    made = settings.installation("PEM")
    assert (made.namespace, made.report_ca, made.injection) == ("ops", "PEM", False)
    assert (made.images.gateway, made.images.pull_secrets) == ("mirror/sluice-gateway:2", ("pull",))
    assert made.images.pull_policy == "Always"
    assert made.gateway_resources == {"limits": {"memory": "2Gi"}}
    assert made.cluster_domain == "cluster.local"


def test_a_flag_wins_over_the_environment() -> None:
    assert read(["--workers", "8"], {"SLUICE_WORKERS": "2"}).workers == 8


def test_managed_stores_are_reached_at_their_names_or_where_somebody_says() -> None:
    places = read(["--connect-to", "sluice-qdrant.a.svc:6333=127.0.0.1:1, sluice-redis.a.svc:6379=[::1]:2"], {}).places
    assert places.url("http://sluice-qdrant.a.svc:6333/collections/x?wait=true") == (
        "http://127.0.0.1:1/collections/x?wait=true"
    )
    assert places.address("sluice-redis.a.svc:6379") == ("::1", 2)
    assert places.url("http://sluice-qdrant.b.svc:6333/") == "http://sluice-qdrant.b.svc:6333/"
    assert places.address("sluice-redis.b.svc:6379") == ("sluice-redis.b.svc", 6379)


def test_gateways_are_not_told_of_a_report_server_that_nobody_serves() -> None:
    assert read(["--webhook", "false"], {}).installation().report_url == ""


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SLUICE_WORKERS", "many"),
        ("SLUICE_HEALTH_PORT", "70000"),
        ("SLUICE_LEADER_ELECTION", "perhaps"),
        ("SLUICE_LOG_LEVEL", "loud"),
        ("SLUICE_GATEWAY_RESOURCES", "{"),
        ("SLUICE_CONNECT_TO", "sluice-redis.a.svc=127.0.0.1:1"),
    ],
)
def test_a_wrong_one_is_named_with_what_it_is(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as wrong:
        read([], {variable: value})
    assert variable in str(wrong.value)
    assert f"--{variable.removeprefix('SLUICE_').lower().replace('_', '-')}" in str(wrong.value)


def test_help_documents_each(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read(["--help"], {})
    text = " ".join(capsys.readouterr().out.split())
    for name, field in Settings.model_fields.items():
        assert f"--{name.replace('_', '-')} VALUE" in text
        assert field.description is not None
        assert field.description.split(". ")[0] in text


def test_a_wrong_one_ends_the_process_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--workers", "none"]) == 2
    assert "SLUICE_WORKERS or --workers" in capsys.readouterr().err
