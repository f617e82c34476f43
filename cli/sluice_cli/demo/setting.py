"""What the demo serves: demo.yaml as it ships, or with a provider in the place of the stand-in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import yaml

from sluice_cli.demo.replay import Target
from sluice_cli.demo.wire import Dialect
from sluice_sidecar.config import Price

ROUTE = "demo"
MODEL = "auto"
LARGE = "large"
STAND_IN = "smollm2-f16"
"""The QuantisedModel that plays the large provider."""
VERSION: dict[Dialect, dict[str, str]] = {"openai": {}, "anthropic": {"anthropic-version": "2023-06-01"}}
"""What a dialect wants sent with every request, besides the key."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A real provider instead of the stand-in: where it is, which model, and its list price per million tokens."""

    name: str
    field: str
    dialect: Dialect
    base_url: str
    model: str
    key_variable: str
    price: Mapping[str, str]

    def target(self, key: str) -> Target:
        """Where and how it is asked directly."""
        key_header = {"x-api-key": key} if self.dialect == "anthropic" else {"authorization": f"Bearer {key}"}
        return Target(self.base_url, self.model, self.dialect, key_header | VERSION[self.dialect])

    @property
    def secret_variable(self) -> str:
        """The environment variable in which `sluice run` finds the key that the YAML refers to."""
        return f"SLUICE_SECRET_{self.name.upper()}_TOKEN"


PROVIDERS = {
    "openai": Provider(
        name="openai",
        field="openAI",
        dialect="openai",
        base_url="https://api.openai.com/v1",
        model="gpt-4.1-mini",
        key_variable="OPENAI_API_KEY",
        price={"inputPerMillion": "0.40", "cachedInputPerMillion": "0.10", "outputPerMillion": "1.60"},
    ),
    "anthropic": Provider(
        name="anthropic",
        field="anthropic",
        dialect="anthropic",
        base_url="https://api.anthropic.com/v1",
        model="claude-haiku-4-5",
        key_variable="ANTHROPIC_API_KEY",
        price={"inputPerMillion": "1.00", "cachedInputPerMillion": "0.10", "outputPerMillion": "5.00"},
    ),
}


def shipped() -> list[dict[str, Any]]:
    """The documents of demo.yaml."""
    return list(yaml.safe_load_all(files(__package__).joinpath("demo.yaml").read_bytes()))


def with_provider(documents: Sequence[dict[str, Any]], provider: Provider) -> list[dict[str, Any]]:
    """The same documents with `provider` as the large backend, and without the stand-in."""
    kept = [d for d in documents if not (d["kind"] == "QuantisedModel" and d["metadata"]["name"] == STAND_IN)]
    large = {
        "name": LARGE,
        provider.field: {"model": provider.model, "apiKey": {"secret": provider.name, "key": "token"}},
        "price": {**provider.price, "currency": "USD"},
    }
    return [_replace_backend(d, large) if d["kind"] == "ModelRoute" else d for d in kept]


def _replace_backend(route: dict[str, Any], backend: dict[str, Any]) -> dict[str, Any]:
    backends = [backend if old["name"] == backend["name"] else old for old in route["spec"]["backends"]]
    return route | {"spec": route["spec"] | {"backends": backends}}


def prices(documents: Sequence[Mapping[str, Any]]) -> dict[str, Price]:
    """What each backend's tokens cost, by the backend's name."""
    backends = next(d for d in documents if d["kind"] == "ModelRoute")["spec"]["backends"]
    return {
        backend["name"]: Price(
            input=backend["price"]["inputPerMillion"],
            cached_input=backend["price"]["cachedInputPerMillion"],
            output=backend["price"]["outputPerMillion"],
            currency=backend["price"]["currency"],
        )
        for backend in backends
    }


def similarity(documents: Sequence[Mapping[str, Any]]) -> str:
    """The similarity that the cache policy names, as written."""
    policy = next(d for d in documents if d["kind"] == "CachePolicy")
    return str(policy["spec"]["reuse"]["paraphrase"]["similarity"])
