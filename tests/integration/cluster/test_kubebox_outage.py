"""The cluster of these tests survives a crash of its parts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from doubles.kube import Api
from e2e.kubebox import cluster
from e2e.kubebox.build import binaries
from e2e.kubebox.processes import ClusterError, running


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("own") / "cluster"
    yield Api(cluster.up(folder, binaries()))
    cluster.down(folder)
    assert not folder.exists()


@pytest.mark.parametrize("program", ["etcd", "kube-apiserver"])
def test_what_was_stored_is_there_after_a_crash(own: Api, program: str) -> None:
    own.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": program, "namespace": "default"}})
    cluster.restart(own.layout, program)
    assert own.get("configmap", program)["metadata"]["name"] == program


def test_a_folder_holds_one_cluster(own: Api) -> None:
    with pytest.raises(ClusterError, match="already holds a running cluster"):
        cluster.up(own.layout.folder, binaries())
    assert own.get("namespace", "default")


def test_down_leaves_no_process(tmp_path: Path) -> None:
    folder = tmp_path / "cluster"
    layout = cluster.up(folder, binaries())
    pids = running(layout)
    assert {"etcd", "kube-apiserver"} <= pids.keys()
    assert cluster.down(folder)
    assert not [pid for pid in pids.values() if Path(f"/proc/{pid}/stat").exists() and "Z" not in _state(pid)]
    assert not folder.exists()
    assert not cluster.down(folder)


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
