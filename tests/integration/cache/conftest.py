"""Stores here ask real servers beside much else: a busy machine is no sick server."""

import pytest

from doubles.running import PATIENCE
from sluice_sidecar.cache.stores import link, pinecone, pinecone_rest, qdrant, qdrant_rest, redis


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes, and the trial whether a server is back, may take as long as whatever a test waits for."""
    for module in (link, pinecone, pinecone_rest, qdrant, qdrant_rest, redis):
        monkeypatch.setattr(module, "WRITE", PATIENCE)
