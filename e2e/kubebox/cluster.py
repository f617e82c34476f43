"""Starting and ending a cluster in one folder, crashing its programs, and loading images into it."""

import http.client
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from e2e.kubebox import control_plane
from e2e.kubebox.certificates import make_certificates, make_kubeconfig
from e2e.kubebox.control_plane import api
from e2e.kubebox.layout import MARK, NODE_MEMORY, Layout, free_port
from e2e.kubebox.node import clear_node, dns_answers, in_node, node_ready, start_node
from e2e.kubebox.node_files import system_objects
from e2e.kubebox.processes import ClusterError, all_alive, kill, running, sh, spawn, wait_for

START_SECONDS = 180.0
"""For each step of a start; seconds are enough where nothing else runs on the machine."""
PACKAGES = "openssl, containerd, runc, containernetworking-plugins, iptables, nftables, iproute2, util-linux"


def up(
    folder: Path,
    binaries: Path,
    *,
    node: bool = False,
    port: int = 0,
    index: int = 0,
    proxy_mode: str = "nftables",
    apiserver_flags: Sequence[str] = (),
    keep_failed: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Layout:
    """Starts a cluster in `folder` and returns once it works; `say` is told each step.

    Without `node`: etcd, API server, controller manager and scheduler on 127.0.0.1, nothing runs pods. With it, as
    root, a node too. Raises ClusterError; whatever was started is ended again unless `keep_failed`.
    """
    folder, binaries = folder.resolve(), binaries.resolve()
    old = Layout.load(folder)
    if old and running(old):
        raise ClusterError(f"{folder} already holds a running cluster")
    if old:
        down(folder)
    if folder.exists() and any(folder.iterdir()):
        raise ClusterError(f"{folder} is not empty")
    if any(folder.is_relative_to(Path(memory).resolve()) for memory in NODE_MEMORY):
        raise ClusterError(f"the node could not see a folder in {', '.join(NODE_MEMORY)}: choose another")
    _check_machine(binaries, node=node, proxy_mode=proxy_mode)
    for name in ("log", "pid"):
        (folder / name).mkdir(parents=True)
    (folder / MARK).touch()
    layout = Layout(
        folder=folder,
        kubebox=str(binaries / "kubebox"),
        toolbox_image=str(binaries / "toolbox.tar"),
        port=port or free_port(),
        etcd_ports=[free_port(), free_port()],
        node=node,
        index=index,
        proxy_mode=proxy_mode,
        apiserver_flags=list(apiserver_flags),
    )
    layout.save()
    try:
        _start(layout, say)
    except BaseException as problem:
        if keep_failed:
            raise
        tails = _log_tails(layout)
        down(folder)
        if isinstance(problem, ClusterError):
            raise ClusterError(f"{problem}\n{tails}") from None
        raise
    return layout


def _start(layout: Layout, say: Callable[[str], None]) -> None:
    server = f"https://127.0.0.1:{layout.port}"
    make_certificates(layout)
    make_kubeconfig(layout, "admin", Path(layout.kubeconfig), server)
    say("certificates made")
    spawn(layout, "etcd", control_plane.etcd(layout))
    if layout.node:
        start_node(layout)
    spawn(layout, "kube-apiserver", control_plane.apiserver(layout))
    if layout.node:
        say("node's namespaces made, containerd starting")
    wait_for("the API", lambda: all_alive(layout) and api(layout, "/readyz")[0] == 200, START_SECONDS)
    say("API ready")
    if not layout.node:
        # Not before: the controller manager gives up after 10 s without an answer. A node starts it again.
        for user in ("kube-controller-manager", "kube-scheduler"):
            make_kubeconfig(layout, user, Path(layout.path(f"{user}.kubeconfig")), server)
        commands = control_plane.controllers(layout, lambda user: layout.path(f"{user}.kubeconfig"))
        for name, command in commands.items():
            spawn(layout, name, command)
    if layout.node:
        kubectl = [layout.kubebox, "kubectl", f"--kubeconfig={layout.kubeconfig}"]
        kubectl += [f"--cache-dir={layout.path('cache')}", "apply", "-f", "-"]
        sh(*kubectl, given=system_objects(layout).encode(), quiet=True)
        Path(layout.path("node", "roles-made")).touch()
    account = "/api/v1/namespaces/default/serviceaccounts/default"
    wait_for("the default service account", lambda: all_alive(layout) and api(layout, account)[0] == 200, START_SECONDS)
    say("controllers at work")
    if layout.node:
        wait_for("the node", lambda: node_ready(layout), START_SECONDS)
        say("node ready")
        wait_for("the cluster's DNS", lambda: dns_answers(layout), START_SECONDS)
        say("DNS answers")


def _log_tails(layout: Layout) -> str:
    logs = sorted((layout.folder / "log").glob("*.log"))
    return "\n".join(
        line for log in logs for line in (f"--- {log.name}", *log.read_text(errors="replace").splitlines()[-5:])
    )


def _check_machine(binaries: Path, *, node: bool, proxy_mode: str) -> None:
    programs = ["openssl"]
    if node:
        programs += ["containerd", "ctr", "runc", "ip", "unshare", "nsenter"]
        programs += ["nft" if proxy_mode == "nftables" else "iptables"]
        if os.geteuid() != 0:
            raise ClusterError("a node needs root")
    missing = [program for program in programs if not shutil.which(program)]
    files = [binaries / "kubebox"] + ([Path("/usr/lib/cni/bridge"), binaries / "toolbox.tar"] if node else [])
    missing += [str(file) for file in files if not file.exists()]
    if missing:
        cure = f"build.sh makes kubebox and toolbox.tar; the rest are Debian's packages {PACKAGES}"
        raise ClusterError(f"not there: {', '.join(missing)} ({cure})")


def down(folder: Path) -> bool:
    """Ends the cluster in `folder` and removes all of it; False when there is none."""
    layout = Layout.load(folder)
    if layout is None:
        return False
    for pid in running(layout).values():
        kill(pid)
    if layout.node:
        clear_node(layout)
    if (layout.folder / MARK).exists():
        shutil.rmtree(layout.folder)
    return True


def crash(layout: Layout, name: str) -> None:
    """Ends etcd or kube-apiserver at once, as a crash would; `restore` brings it back on the same data."""
    pid = running(layout).get(name)
    if pid is not None:
        kill(pid)


def restore(layout: Layout, name: str) -> None:
    """Starts etcd or kube-apiserver again and waits until the API answers."""
    commands = {"etcd": control_plane.etcd, "kube-apiserver": control_plane.apiserver}
    spawn(layout, name, commands[name](layout))

    def ready() -> bool:
        try:
            return all_alive(layout) and api(layout, "/readyz")[0] == 200
        except http.client.HTTPException:
            return False

    wait_for("the API", ready, START_SECONDS)


def restart(layout: Layout, name: str, pause: float = 0.0) -> None:
    """An outage of etcd or kube-apiserver of `pause` seconds and its start."""
    crash(layout, name)
    time.sleep(pause)
    restore(layout, name)


def load(layout: Layout, images: Sequence[Path]) -> None:
    """Imports image tars (docker-archive or OCI) into the node."""
    for image in images:
        with image.open("rb") as stream:
            command = in_node(layout, ["ctr", "--namespace=k8s.io", "images", "import", "-"])
            subprocess.run(command, check=True, stdin=stream, stdout=subprocess.DEVNULL)


def status(layout: Layout) -> list[tuple[str, int, float]]:
    """(program, pid, MiB of memory: its proportional share) of every program."""
    pids = running(layout)
    if layout.node and "node" in pids:
        inside = Path(f"/proc/{layout.node_pid}/task/{layout.node_pid}/children").read_text().split()
        for pid in map(int, inside):
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            program = arguments[1] if arguments[0].endswith(b"kubebox") else arguments[0]
            pids[Path(program.decode()).name] = pid
    found = []
    for name, pid in pids.items():
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        sizes = {line.split()[0]: int(line.split()[1]) / 1024 for line in lines}
        found.append((name, pid, sizes["Pss:"]))
    return found


def api_versions(layout: Layout) -> str:
    """The API server's version, for reports."""
    return str(json.loads(api(layout, "/version")[1])["gitVersion"])
