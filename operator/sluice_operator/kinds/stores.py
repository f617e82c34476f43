"""Where cache entries are kept, and what turns a text into a vector."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from sluice_operator.kinds.address import HostPort, Url
from sluice_operator.kinds.part import Part
from sluice_operator.kinds.quantity import PositiveCount, Size
from sluice_operator.kinds.references import ModelName, SecretKey, ShortText


class Embedded(Part):
    """In the gateway itself, on its disk. One gateway's entries are not another's."""


class ManagedQdrant(Part):
    """A Qdrant that Sluice runs."""

    replicas: Annotated[int, Field(strict=True, ge=1, le=64)] = 1
    """Nodes."""
    storage: Size = "10Gi"
    """Volume of each node."""


class Qdrant(Part):
    """A Qdrant server. Exactly one of managed and url is given."""

    exactly_one: ClassVar = ("managed", "url")

    managed: ManagedQdrant | None = None
    """Run by Sluice."""
    url: Url | None = None
    """Run by you."""
    api_key: SecretKey | None = None
    """Where its key is. Default: none is sent."""


class ManagedRedis(Part):
    """A Redis that Sluice runs."""

    storage: Size = "2Gi"
    """Its volume."""


class Redis(Part):
    """A Redis server, 8 or newer or with RediSearch. Exactly one of managed and address is given."""

    exactly_one: ClassVar = ("managed", "address")

    managed: ManagedRedis | None = None
    """Run by Sluice."""
    address: HostPort | None = None
    """Run by you: host:port."""
    password: SecretKey | None = None
    """Where its password is. Default: none."""


class Faiss(Part):
    """In the gateway itself, searched with Faiss in its memory and kept on its disk. One gateway's entries are not
    another's."""


class Pinecone(Part):
    """An index at Pinecone: dense, metric cosine, of the embedding's dimensions and at least 384. Answers of
    more than 27 KB, compressed, are not kept."""

    url: Url
    """The index's address."""
    api_key: SecretKey
    """Where its key is."""
    index_namespace: ShortText | None = None
    """NAME of the namespace sluice-NAME-minilm-384 within the index, or sluice-NAME-own-768 of a longer
    embedding. Default: the Kubernetes namespace's name."""


class Store(Part):
    """Where entries are kept. Exactly one of embedded, qdrant, redis, faiss and pinecone is given."""

    exactly_one: ClassVar = ("embedded", "qdrant", "redis", "faiss", "pinecone")

    embedded: Embedded | None = None
    """In the gateway: {}."""
    qdrant: Qdrant | None = None
    """In Qdrant."""
    redis: Redis | None = None
    """In Redis."""
    faiss: Faiss | None = None
    """In the gateway, searched with Faiss: {}."""
    pinecone: Pinecone | None = None
    """At Pinecone."""


class OnnxEmbedding(Part):
    """A sentence embedding model in ONNX, of your own."""

    path: Annotated[str, Field(min_length=1, max_length=1024)]
    """A folder with model.onnx and tokenizer.json."""
    dimensions: Annotated[int, Field(strict=True, ge=8, le=8192)]
    """Length of its vectors."""


class EmbeddingEndpoint(Part):
    """An address that answers as OpenAI's /embeddings."""

    url: Url
    """Base address, with its version."""
    model: ModelName
    """The model's name there."""
    dimensions: PositiveCount
    """Length of its vectors."""
    api_key: SecretKey | None = None
    """Where the key is. Default: none is sent."""


class Embedding(Part):
    """What turns an ask into a vector. Exactly one of builtin, onnx and openAI is given."""

    exactly_one: ClassVar = ("builtin", "onnx", "open_ai")

    builtin: Literal["MiniLM"] | None = None
    """all-MiniLM-L6-v2, in the gateway: 384 dimensions."""
    onnx: OnnxEmbedding | None = None
    """A model of your own, in the gateway."""
    open_ai: EmbeddingEndpoint | None = Field(None, alias="openAI")
    """An embeddings endpoint."""
