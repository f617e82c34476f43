"""Configs and asks of the benchmarks."""

from typing import Any

from sluice_sidecar.config import Backend, Config, Gateway, Paraphrase, Policy, Price, Route, Single

SAID = "Open the sign-in page, choose Forgot password, and follow the link that we send to your e-mail address. " * 4
ANSWER: dict[str, Any] = {
    "id": "chatcmpl-0123456789abcdef0123456789abc",
    "object": "chat.completion",
    "created": 1760000000,
    "model": "mock",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": SAID}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 190, "completion_tokens": 88, "total_tokens": 278},
}
"""About 650 bytes, as a short answer is."""

SYSTEM = "You are the support assistant of a web shop. Answer in two sentences, politely, in the user's language. " * 6
PRICE = Price.model_validate({"input": "2", "output": "8"})
KEYS = {"SLUICE_SECRET_BENCH_KEYS_TEAM": "bench-key"}
"""The environment that makes `bench-key` a known key: authentication is part of every figure."""


def ask(text: str = "How do I reset my password?", *, stream: bool = False) -> dict[str, Any]:
    """About 1 kB."""
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}]
    return {"model": "auto", "messages": messages, "temperature": 0, "max_tokens": 200, "stream": stream}


def config(upstream: str, *, cache: bool = False, similarity: float | None = None, model: str | None = None) -> Config:
    """One route, with keys, with or without a cache; `upstream` is a base URL with /v1."""
    backend = Backend(name="mock", url=upstream, price=PRICE, model=model)
    route = Route(
        name="main",
        models=("auto",),
        backends={"mock": backend},
        strategy=Single(backend="mock"),
        reference="mock",
        policy="keep" if cache else None,
    )
    paraphrase = None if similarity is None else Paraphrase(similarity=similarity)
    policies = {"keep": Policy(name="keep", ttl=3600, paraphrase=paraphrase)} if cache else {}
    return Config(routes={"main": route}, policies=policies, gateway=Gateway(keys_secret="bench-keys")).sealed()
