"""Token counts as upstreams write them: sometimes missing, null or not a number."""

from typing import Any

from sluice_sidecar.ask import Usage


def count(fields: dict[str, Any], name: str) -> int:
    """A non-negative integer field; 0 where it is not one."""
    value = fields.get(name)
    return value if type(value) is int and value > 0 else 0


def openai_usage(whole: dict[str, Any]) -> Usage | None:
    """`usage` of a chat completion or an embedding; None where the answer does not tell."""
    usage = whole.get("usage")
    if not isinstance(usage, dict):
        return None
    prompt = count(usage, "prompt_tokens")
    details = usage.get("prompt_tokens_details")
    cached = count(details, "cached_tokens") if isinstance(details, dict) else 0
    return Usage(prompt=prompt, cached=min(cached, prompt), completion=count(usage, "completion_tokens"))


def anthropic_usage(whole: dict[str, Any]) -> Usage | None:
    """`usage` of a message. Anthropic's `input_tokens` leave out what was read from or written to its cache."""
    usage = whole.get("usage")
    if not isinstance(usage, dict):
        return None
    cached = count(usage, "cache_read_input_tokens")
    prompt = count(usage, "input_tokens") + cached + count(usage, "cache_creation_input_tokens")
    return Usage(prompt=prompt, cached=cached, completion=count(usage, "output_tokens"))
