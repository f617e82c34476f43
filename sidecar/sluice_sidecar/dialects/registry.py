"""Every dialect, by the path on which the gateway serves it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sluice_sidecar.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sluice_sidecar.dialects.dialect import Dialect
from sluice_sidecar.dialects.openai_chat import OPENAI_CHAT
from sluice_sidecar.dialects.openai_embeddings import OPENAI_EMBEDDINGS

BY_PATH: Final[Mapping[str, Dialect]] = MappingProxyType(
    {
        "/v1/chat/completions": OPENAI_CHAT,
        "/v1/embeddings": OPENAI_EMBEDDINGS,
        "/v1/messages": ANTHROPIC_MESSAGES,
    }
)
