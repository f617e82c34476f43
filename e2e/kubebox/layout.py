"""One cluster's plan: every path, port and address of it, kept in DIR/cluster.json."""

import json
import socket
from dataclasses import asdict, dataclass, field
from pathlib import Path

MARK = ".kubebox-cluster"
"""The file that says that a folder is a cluster's, and may be removed by `down`."""
NODE_NAME = "node"
TOOLBOX_IMAGE = "sluice.test/toolbox:1"

NODE_MEMORY = ("/run", "/var/lib", "/var/log")
"""In the node's mount namespace these are empty file systems in memory."""
PROVISIONED = "/tmp/hostpath_pv"
NODE_FOLDERS = (
    "/var/lib/containerd",
    "/var/lib/kubelet",
    "/var/lib/cni",
    "/var/log/pods",
    "/var/log/containers",
    PROVISIONED,
)
"""In the node these are bind mounts of folders in DIR/node. All but the last lie in NODE_MEMORY: nothing of them is on
the host."""


@dataclass
class Layout:
    """A cluster in one folder. Networks are 10.210.I.0/30 (link), 10.211.I.0/24 (pods), 10.212.I.0/24 (services)."""

    folder: Path
    kubebox: str
    """Path of the binary."""
    toolbox_image: str
    """Path of the test image's tar."""
    port: int
    """The API server's."""
    etcd_ports: list[int]
    node: bool = False
    index: int = 0
    """I in the networks' addresses: sets two clusters with nodes apart."""
    proxy_mode: str = "nftables"
    apiserver_flags: list[str] = field(default_factory=list)
    node_pid: int = 0
    """Process 1 of the node, seen from the host."""

    @classmethod
    def load(cls, folder: Path) -> "Layout | None":
        """The plan of the cluster in `folder`; None when there is none."""
        file = folder.resolve() / "cluster.json"
        if not file.exists():
            return None
        return cls(**{**json.loads(file.read_text()), "folder": folder.resolve()})

    def save(self) -> None:
        """Writes cluster.json, whole or not at all."""
        part = self.folder / "cluster.json.part"
        part.write_text(json.dumps({**asdict(self), "folder": str(self.folder)}, indent=1))
        part.replace(self.folder / "cluster.json")

    def path(self, *parts: str) -> str:
        """A path in the cluster's folder."""
        return str(self.folder.joinpath(*parts))

    def pki(self, name: str) -> str:
        """A certificate's or key's path."""
        return self.path("pki", name)

    @property
    def kubeconfig(self) -> str:
        """The administrator's."""
        return self.path("kubeconfig")

    @property
    def host_ip(self) -> str:
        """The host's end of the link."""
        return f"10.210.{self.index}.1"

    @property
    def node_ip(self) -> str:
        """The node's end of the link."""
        return f"10.210.{self.index}.2"

    @property
    def pod_cidr(self) -> str:
        """Where pods are."""
        return f"10.211.{self.index}.0/24"

    @property
    def service_cidr(self) -> str:
        """Where services are."""
        return f"10.212.{self.index}.0/24"

    @property
    def api_service_ip(self) -> str:
        """The API server inside the cluster."""
        return f"10.212.{self.index}.1"

    @property
    def dns_ip(self) -> str:
        """The DNS service."""
        return f"10.212.{self.index}.10"

    @property
    def cgroup(self) -> str:
        """Name of the node's control group in every hierarchy."""
        return f"kubebox-{self.port}"

    @property
    def link(self) -> str:
        """The host's network device to the node."""
        return f"kubebox{self.index}"


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])
