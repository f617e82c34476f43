"""One real API server for all of these tests, with the kinds in it; a namespace of its own for each."""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from doubles.components import require
from doubles.kube import Api
from e2e.kubebox import cluster
from e2e.kubebox.build import binaries

CRDS = Path(__file__).resolve().parents[3] / "crds"
_number = itertools.count()


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API server, etcd, the controllers and the scheduler; nothing runs pods."""
    require(shutil.which("openssl"), "openssl", "apt-get install openssl")
    folder = tmp_path_factory.mktemp("api") / "cluster"
    layout = cluster.up(folder, binaries())
    try:
        found = Api(layout)
        found.kubectl("apply", "--server-side", "-f", str(CRDS))
        found.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        yield found
    finally:
        cluster.down(folder)


@pytest.fixture
def namespace(api: Api) -> Iterator[str]:
    """A fresh namespace with its default service account."""
    name = f"test-{next(_number)}"
    api.kubectl("create", "namespace", name)
    api.kubectl("wait", "--for=create", "serviceaccount/default", "-n", name, "--timeout=30s")
    yield name
    api.kubectl("delete", "namespace", name, "--wait=false")
