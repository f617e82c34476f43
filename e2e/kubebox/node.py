"""The node: one process tree in network, mount and process namespaces of its own, joined to the host by a link."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from e2e.kubebox import control_plane
from e2e.kubebox.layout import NODE_FOLDERS, NODE_MEMORY, NODE_NAME, PROVISIONED, Layout
from e2e.kubebox.node_files import write_node_files
from e2e.kubebox.processes import sh, spawn, wait_for

ROOT = Path(__file__).resolve().parents[2]


def start_node(layout: Layout) -> None:
    """Starts the node's first process in namespaces of its own and gives it a network link."""
    write_node_files(layout)
    _make_cgroups(layout)
    Path(PROVISIONED).mkdir(exist_ok=True)
    unshare = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"]
    inner = [sys.executable, "-m", "e2e.kubebox", "_node", "--dir", layout.path()]
    command = [*unshare, "--propagation=private", "env", f"PYTHONPATH={ROOT}", *inner]
    process = spawn(layout, "node", command, stdin=subprocess.PIPE)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    wait_for("the node's first process", lambda: children.read_text().split(), 60, 0.01)
    layout.node_pid = int(children.read_text().split()[0])
    layout.save()
    end = ("type", "veth", "peer", "name", "eth0", "netns", str(layout.node_pid))
    sh("ip", "link", "add", layout.link, *end)
    sh("ip", "address", "add", f"{layout.host_ip}/30", "dev", layout.link)
    sh("ip", "link", "set", layout.link, "up")
    assert process.stdin is not None
    process.stdin.write(b"go\n")
    process.stdin.close()
    show = ["ip", "-br", "link", "show", layout.link]
    wait_for(
        "the node's link",
        lambda: "UP" in subprocess.run(show, capture_output=True, text=True).stdout.split()[1:2],
        60,
        0.02,
    )
    for network in (layout.pod_cidr, layout.service_cidr):
        sh("ip", "route", "replace", network, "via", layout.node_ip, "dev", layout.link)


def clear_node(layout: Layout) -> None:
    """Takes away what the node's end leaves on the host: control groups, the link, the provisioner's folder."""
    wait_for("the node's control groups to empty", lambda: _remove_cgroups(layout), 120)
    subprocess.run(["ip", "link", "delete", layout.link], stderr=subprocess.DEVNULL)
    # To remove a mount point would undo the mount in other clusters' nodes: only the last one may.
    if not any(True for root in _hierarchies("cgroup") for _ in Path(root).glob("kubebox-*")):
        provisioned = Path(PROVISIONED)
        if provisioned.is_dir() and not any(provisioned.iterdir()):
            provisioned.rmdir()


def in_node(layout: Layout, command: Sequence[str]) -> list[str]:
    """A command line that runs in the node's namespaces."""
    return ["nsenter", f"--target={layout.node_pid}", "--mount", "--net", "--pid", "--", *command]


def node_ready(layout: Layout) -> bool:
    """Whether the API says that the node is ready."""
    status, body = control_plane.api(layout, f"/api/v1/nodes/{NODE_NAME}")
    if status != 200:
        return False
    conditions = json.loads(body)["status"].get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def dns_answers(layout: Layout) -> bool:
    """Asks the DNS service's cluster address for kubernetes.default: kube-proxy and CoreDNS must both be at work."""
    labels = b"kubernetes.default.svc.cluster.local".split(b".")
    name = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(0.5)
        s.sendto(b"\x12\x34\x01\x00\x00\x01" + bytes(6) + name + b"\0\x01\0\x01", (layout.dns_ip, 53))
        answer = s.recv(512)
    return answer[3] & 15 == 0 and answer[7] > 0


def run_node(layout: Layout) -> None:
    """The node's process 1: sets the namespaces up, then starts, restarts and reaps its programs. Never returns."""
    sys.stdin.readline()
    _set_up(layout)
    commands = _commands(layout)
    started: dict[int, tuple[str, subprocess.Popen[bytes]]] = {}

    def start(name: str) -> None:
        with Path(layout.path("log", f"{name}.log")).open("ab") as log:
            process = subprocess.Popen(commands[name], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        started[process.pid] = name, process  # kept, or the next Popen would reap the ended ones unseen

    start("containerd")
    wait_for("containerd", _containerd_listens, 120, 0.05)
    sh("ctr", "--namespace=k8s.io", "images", "import", layout.toolbox_image)
    for name in commands:
        if name != "containerd":
            start(name)
    while True:
        pid, status = os.wait()
        name, process = started.pop(pid, ("", None))
        if process is not None:
            process.returncode = status
            sys.stdout.write(f"{name} ended with status {status}, starting it again\n")
            sys.stdout.flush()
            time.sleep(1)
            start(name)


def _set_up(layout: Layout) -> None:
    sh("mount", "--make-rshared", "/")
    for folder in NODE_MEMORY:
        sh("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", folder)
    for folder in NODE_FOLDERS:
        source = Path(layout.path("node", folder.strip("/").replace("/", "-")))
        source.mkdir(parents=True, exist_ok=True)
        Path(folder).mkdir(parents=True, exist_ok=True)
        sh("mount", "--bind", str(source), folder)
    sh("ip", "link", "set", "lo", "up")
    sh("ip", "address", "add", f"{layout.node_ip}/30", "dev", "eth0")
    sh("ip", "link", "set", "eth0", "up")
    sh("ip", "route", "add", "default", "via", layout.host_ip)
    for setting in ("net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables"):
        Path("/proc/sys", setting).write_text("1")


def _commands(layout: Layout) -> dict[str, list[str]]:
    def kubeconfig(user: str) -> str:
        return layout.path("node", f"{user}.kubeconfig")

    kubelet = [layout.kubebox, "kubelet", f"--config={layout.path('node', 'kubelet.json')}"]
    kubelet += [f"--kubeconfig={kubeconfig('kubelet')}", f"--hostname-override={NODE_NAME}"]
    commands = {
        "containerd": ["containerd", f"--config={layout.path('node', 'containerd.toml')}"],
        "kubelet": [*kubelet, f"--node-ip={layout.node_ip}"],
        "kube-proxy": [layout.kubebox, "kube-proxy", f"--config={layout.path('node', 'kube-proxy.json')}"],
        "coredns": [layout.kubebox, "coredns", "-conf", layout.path("node", "Corefile")],
        **control_plane.controllers(layout, kubeconfig),
    }
    # Volumes that are folders of the node get no group of their pod (fsGroup), and are made for root alone: they are
    # opened to all, as the provisioners of other single-node clusters do.
    open_ = 'while :; do find "$0" -mindepth 1 -maxdepth 1 ! -perm 0777 -exec chmod 0777 {} +; sleep 0.5; done'
    commands["volumes"] = ["sh", "-c", open_, PROVISIONED]
    # These two give up for seconds when the API refuses them, so they wait until it knows their roles.
    for name in ("kube-proxy", "coredns"):
        wait = 'until [ -e "$0" ]; do sleep 0.05; done; exec "$@"'
        commands[name] = ["sh", "-c", wait, layout.path("node", "roles-made"), *commands[name]]
    return commands


def _containerd_listens() -> bool:
    with socket.socket(socket.AF_UNIX) as s:
        s.connect("/run/containerd/containerd.sock")
        return True


def _hierarchies(*kinds: str) -> list[str]:
    """Where cgroup hierarchies are mounted (written for machines with cgroup v1)."""
    mounts = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
    return [mount[1] for mount in mounts if mount[2] in kinds]


def _make_cgroups(layout: Layout) -> None:
    for root in _hierarchies("cgroup"):
        group = Path(root, layout.cgroup)
        group.mkdir(exist_ok=True)
        for name in ("cpuset.cpus", "cpuset.mems"):
            if (group / name).exists():
                (group / name).write_text(Path(root, name).read_text())


def _remove_cgroups(layout: Layout) -> bool:
    """Whether none is left."""
    left = False
    for root in _hierarchies("cgroup", "cgroup2"):
        for folder, _, _ in os.walk(Path(root, layout.cgroup), topdown=False):
            try:
                Path(folder).rmdir()
            except OSError:
                left = True
    return not left
