"""A real API server for a test, and kubectl on it."""

from pathlib import Path

from e2e.kube import Kube
from e2e.kubebox.layout import Layout


class Api(Kube):
    """A cluster of kubebox; `layout` names its paths and ports."""

    def __init__(self, layout: Layout) -> None:
        super().__init__(Path(layout.kubeconfig), Path(layout.kubebox).parent, Path(layout.path("cache")))
        self.layout = layout

    @property
    def server(self) -> str:
        """The API server's address."""
        return f"https://127.0.0.1:{self.layout.port}"
