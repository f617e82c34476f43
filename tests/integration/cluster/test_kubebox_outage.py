"""The cluster of these tests survives a crash of its parts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from doubles.kube import Api
from e2e.kubebox import cluster
from e2e.kubebox.build import binaries
from e2e.kubebox.processes import ClusterError, running


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Api]:
    folder = tmp_path / "cluster"
    yield Api(cluster.up(folder, binaries()))
    cluster.down(folder)
    assert not folder.exists()


@pytest.mark.parametrize("program", ["etcd", "kube-apiserver"])
def test_what_was_stored_is_there_after_a_crash(own: Api, program: str) -> None:
    own.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kept", "namespace": "default"}})
    cluster.restart(own.layout, program)
    assert own.get("configmap", "kept")["metadata"]["name"] == "kept"


def test_a_folder_holds_one_cluster_and_down_leaves_no_process(own: Api) -> None:
    with pytest.raises(ClusterError, match="already holds a running cluster"):
        cluster.up(own.layout.folder, binaries())
    pids = running(own.layout)
    assert {"etcd", "kube-apiserver"} <= pids.keys()
    assert cluster.down(own.layout.folder)
    assert not [pid for pid in pids.values() if Path(f"/proc/{pid}/stat").exists() and "Z" not in _state(pid)]
    assert not cluster.down(own.layout.folder)


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
