"""A Config's running form: what cannot work is refused by name, the rest is served."""

import pytest

from doubles.serve import backend, config, policy, route
from sluice_sidecar.config import Cascade, Config, RegexCheck, Route
from sluice_sidecar.credentials import Credentials
from sluice_sidecar.endpoints import EndpointsView
from sluice_sidecar.route.breaker import Breakers
from sluice_sidecar.route.budget import RetryBudgets
from sluice_sidecar.route.router import Router
from sluice_sidecar.serving import Serving, build
from sluice_sidecar.upstream.client import Client
from sluice_sidecar.upstream.courier import Courier
from sluice_sidecar.upstream.guard import Guard

HOUSE = backend("http://127.0.0.1:9/v1")


def built(served: Config, **environ: str) -> Serving:
    credentials = Credentials(environ)

    def router(one: Route) -> Router:
        return Router(one, Courier(Client(Guard()), credentials, EndpointsView(), Breakers(), RetryBudgets()))

    return build(served, credentials, router)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (route([HOUSE], name="b", requires=("telepathy",)), "telepathy"),
        (route([HOUSE], name="b", policy="missing"), "missing"),
        (route([HOUSE], name="b", policy="future"), "clairvoyance"),
        (route([HOUSE], name="b", policy="crooked"), r"ignore expression '\('"),
        (
            route(
                [HOUSE, backend(HOUSE.url or "", "large")],
                name="b",
                strategy=Cascade(stages=("house", "large"), checks=(RegexCheck(pattern="("),)),
            ),
            "regex",
        ),
    ],
)
def test_a_broken_route_is_refused_alone(broken: Route, says: str) -> None:
    policies = [policy("future", requires=("clairvoyance",)), policy("crooked", ignore=("(",))]
    serving = built(config(route([HOUSE]), broken.model_copy(update={"models": ("other",)}), policies=policies))
    assert list(serving.by_model) == ["auto"]
    assert list(serving.refused) == ["b"]
    assert says.replace("\\", "") in serving.refused["b"]


def test_crooked_keys_refuse_the_config_whole() -> None:
    with pytest.raises(ValueError, match="a and b have the same API key"):
        built(config(route([HOUSE]), keys_secret="keys"), SLUICE_SECRET_KEYS_A="x", SLUICE_SECRET_KEYS_B="x")
