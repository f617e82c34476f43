"""What a route's backend is: one of our models, a provider, or any address that speaks a provider's dialect."""

from typing import ClassVar, Literal

from pydantic import Field

from sluice_operator.kinds.address import Url
from sluice_operator.kinds.part import Part
from sluice_operator.kinds.quantity import DecimalText, Flag, PositiveCount
from sluice_operator.kinds.references import BackendName, Currency, ModelName, ModelReference, SecretKey


class Price(Part):
    """What tokens cost. Decimals in quotes."""

    input_per_million: DecimalText | None = None
    """Money per million prompt tokens. Default: "0"."""
    cached_input_per_million: DecimalText | None = None
    """Money per million prompt tokens that the upstream had cached. Default: as `inputPerMillion`."""
    output_per_million: DecimalText | None = None
    """Money per million tokens of the answer. Default: "0"."""
    currency: Currency = "USD"
    """Three letters of ISO 4217. One route has one currency."""


class OpenAI(Part):
    """OpenAI's API, or one that is the same at another address."""

    model: ModelName
    """The model's name at the provider: gpt-4.1."""
    api_key: SecretKey
    """Where the key is."""
    url: Url = "https://api.openai.com/v1"
    """Base address, with its version: what stands before /chat/completions."""


class Anthropic(Part):
    """Anthropic's API, or one that is the same at another address."""

    model: ModelName
    """The model's name at the provider: claude-sonnet-4-5."""
    api_key: SecretKey
    """Where the key is."""
    url: Url = "https://api.anthropic.com/v1"
    """Base address, with its version: what stands before /messages."""


class Custom(Part):
    """Any server that speaks OpenAI's or Anthropic's dialect."""

    url: Url
    """Base address, with its version: http://127.0.0.1:9100/v1. In a cluster private networks need the gateway's
    `egress.allow`."""
    dialect: Literal["OpenAI", "Anthropic"]
    """Whose paths, fields and streams it has."""
    model: ModelName | None = None
    """The model's name there. Default: the name that the caller gave."""
    api_key: SecretKey | None = None
    """Where the key is. Default: none is sent."""


class Backend(Part):
    """One model that the route may ask. Exactly one of quantisedModel, openAI, anthropic and custom is given."""

    exactly_one: ClassVar = ("quantised_model", "open_ai", "anthropic", "custom")

    name: BackendName
    """How the rest of the route calls it."""
    quantised_model: ModelReference | None = None
    """A model that Sluice runs."""
    open_ai: OpenAI | None = Field(None, alias="openAI")
    """A model of OpenAI."""
    anthropic: Anthropic | None = None
    """A model of Anthropic."""
    custom: Custom | None = None
    """A model at an address of yours."""
    price: Price | None = None
    """What it costs: for the ledger, and to tell which backend is the dearest. Default: nothing is known, nothing is
    counted."""
    context_window: PositiveCount | None = None
    """Most tokens of prompt and answer together. Default: unknown."""
    logprobs: Flag | None = None
    """Whether it can return token log-probabilities, which a cascade's confidence needs. Default: true for
    quantisedModel and openAI, false for anthropic and custom."""
