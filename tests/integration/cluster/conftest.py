"""One real API server for all of these tests, with the kinds in it; a namespace of its own for each.

Tests that share the operator come last: it works in all namespaces, and others run operators of their own in theirs.
"""

import itertools
import re
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from doubles.components import require
from doubles.kube import Api
from doubles.operating import Operator
from doubles.operator_process import HOME, installed
from e2e.kubebox import cluster
from e2e.kubebox.build import binaries
from sluice_operator import names

CRDS = Path(__file__).resolve().parents[3] / "crds"
_number = itertools.count()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What shares the operator to the end, in its order."""
    items.sort(key=lambda item: "operator" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API server, etcd, the controllers and the scheduler; nothing runs pods."""
    require(shutil.which("openssl"), "openssl", "apt-get install openssl")
    folder = tmp_path_factory.mktemp("api") / "cluster"
    layout = cluster.up(folder, binaries())
    try:
        found = Api(layout)
        found.kubectl("apply", "--server-side", "-f", str(CRDS))
        found.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=120s")
        yield found
    finally:
        cluster.down(folder)


@pytest.fixture
def namespace(api: Api) -> Iterator[str]:
    """A fresh namespace with its default service account."""
    name = f"test-{next(_number)}"
    api.kubectl("create", "namespace", name)
    api.kubectl("wait", "--for=create", "serviceaccount/default", "-n", name, "--timeout=120s")
    yield name
    api.kubectl("delete", "namespace", name, "--wait=false")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def operator(api: Api, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Operator]:
    """The operator with the chart's rights alone, in all namespaces. Gateways on this machine may report to it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"https://{names.REPORTS_NAME}.{HOME}.svc:{port}"
    flags = ("--webhook-port", str(port), "--report-url", url, "--log-level", "debug")
    async with installed(api, tmp_path_factory.mktemp("operator"), *flags) as running:
        yield running
        assert "Traceback" not in running.log, running.log
        assert not re.search(r"cannot \w+ resource", running.log), running.log  # a verb that the chart lacks
