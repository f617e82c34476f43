"""A step as a request on the wire, and an answer read back: OpenAI chat completions or Anthropic messages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sluice_cli.demo.workload import Step, Task

Dialect = Literal["openai", "anthropic"]

SHOP = "Larkfield, an online shop for the home"
SYSTEM: dict[Task, str] = {
    "support": f"You are the support assistant of {SHOP}. Answer in one short sentence.",
    "classification": "Classify the customer's message: Billing, Delivery, Returns, Account or Product.",
    "extraction": "Extract the order number, the item, the quantity and the city from the message, as JSON.",
    "generation": f"You write for {SHOP}. Answer with one short line.",
}
EXAMPLES: dict[Task, tuple[tuple[str, str], ...]] = {
    "classification": (
        ("The van never came although I waited all day.", '{"label": "Delivery"}'),
        ("I want to send these curtains back.", '{"label": "Returns"}'),
        ("Is the teapot safe in a dishwasher?", '{"label": "Product"}'),
        ("Why was I billed for postage?", '{"label": "Billing"}'),
        ("My password does not work.", '{"label": "Account"}'),
    ),
    "extraction": (
        (
            "Order 6612: send 3 yellow plates to Delft.",
            '{"order": "6612", "item": "yellow plates", "quantity": 3, "city": "Delft"}',
        ),
        (
            "We want one clock in Split, order 9405.",
            '{"order": "9405", "item": "clock", "quantity": 1, "city": "Split"}',
        ),
        (
            "Please ship 25 towels for order 1873 to Vigo.",
            '{"order": "1873", "item": "towels", "quantity": 25, "city": "Vigo"}',
        ),
    ),
}
SCHEMAS: dict[Task, dict[str, Any]] = {
    "classification": {
        "type": "object",
        "properties": {"label": {"type": "string", "enum": ["Billing", "Delivery", "Returns", "Account", "Product"]}},
        "required": ["label"],
        "additionalProperties": False,
    },
    "extraction": {
        "type": "object",
        "properties": {
            "order": {"type": "string"},
            "item": {"type": "string"},
            "quantity": {"type": "integer"},
            "city": {"type": "string"},
        },
        "required": ["order", "item", "quantity", "city"],
        "additionalProperties": False,
    },
}
ONE_SENTENCE = ["\n", ". ", "! ", "? "]
"""Where an open answer ends: an answer cut by `max_tokens` would never be stored."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `cached` is the part of `prompt` that the upstream had cached (tokens)."""

    text: str
    prompt: int
    cached: int
    completion: int


def path(dialect: Dialect) -> str:
    """The path under a base URL that ends in /v1."""
    return "/chat/completions" if dialect == "openai" else "/messages"


def body(step: Step, model: str, dialect: Dialect) -> dict[str, Any]:
    """The request of one step: a fixed system prompt and examples for its task, then its own text."""
    turns = [
        {"role": role, "content": text}
        for example in EXAMPLES.get(step.task, ())
        for role, text in zip(("user", "assistant"), example, strict=True)
    ]
    turns.append({"role": "user", "content": step.text})
    system, schema = SYSTEM[step.task], SCHEMAS.get(step.task)
    if dialect == "anthropic":
        return {"model": model, "max_tokens": 128, "temperature": 0, "system": system, "messages": turns}
    request: dict[str, Any] = {
        "model": model,
        "max_tokens": 64,
        "temperature": 0,
        "messages": [{"role": "system", "content": system}, *turns],
    }
    if schema is None:
        return request | {"stop": ONE_SENTENCE}
    named = {"name": step.task, "strict": True, "schema": schema}
    return request | {"response_format": {"type": "json_schema", "json_schema": named}}


def read(answer: Mapping[str, Any], dialect: Dialect) -> Answer:
    """The text and the usage of an answer. Raises KeyError or IndexError for what is not one."""
    usage = answer["usage"]
    if dialect == "anthropic":
        text = "".join(block["text"] for block in answer["content"] if block["type"] == "text")
        cached = usage.get("cache_read_input_tokens") or 0
        return Answer(text, usage["input_tokens"] + cached, cached, usage["output_tokens"])
    text = answer["choices"][0]["message"]["content"]
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    return Answer(text, usage["prompt_tokens"], cached, usage["completion_tokens"])
