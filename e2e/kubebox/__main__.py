"""python -m e2e.kubebox up|down|status|restart|load|enter: a real single-node Kubernetes in one folder, for tests."""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from e2e.kubebox import cluster
from e2e.kubebox.build import binaries
from e2e.kubebox.layout import Layout
from e2e.kubebox.node import in_node, run_node
from e2e.kubebox.processes import ClusterError


def _arguments() -> argparse.Namespace:
    cli = argparse.ArgumentParser(prog="python -m e2e.kubebox", description=__doc__)
    commands = cli.add_subparsers(required=True, metavar="COMMAND", dest="command")
    commands.add_parser("build", help="build the binary (cached outside the tree) and print its folder")
    for name in ("up", "down", "status", "restart", "load", "enter", "_node"):
        sub = commands.add_parser(name)
        sub.add_argument("--dir", type=Path, required=True, help="the cluster's folder")
        if name == "up":
            sub.add_argument("--node", action="store_true", help="start a node too (as root)")
            sub.add_argument("--port", type=int, default=0, help="the API's port (0: a free one)")
            sub.add_argument("--index", type=int, default=0, help="0 to 255: sets the node's networks apart")
            sub.add_argument("--bin", type=Path, help="where the binaries are (default: built and cached)")
            sub.add_argument("--apiserver-flag", action="append", default=[])
            sub.add_argument("--proxy-mode", default="nftables", choices=["nftables", "iptables"])
            sub.add_argument("--keep-failed", action="store_true", help="leave everything when the start fails")
        elif name == "restart":
            sub.add_argument("--pause", type=float, default=0, help="seconds between its end and its new start")
            sub.add_argument("name", choices=["etcd", "kube-apiserver"])
        elif name == "load":
            sub.add_argument("images", nargs="+", type=Path)
        elif name == "enter":
            sub.add_argument("inside", nargs="+")
    return cli.parse_args()


def main() -> None:
    """Runs one command; exits 1 with the reason when it fails."""
    options = _arguments()
    try:
        _run(options)
    except (ClusterError, subprocess.CalledProcessError) as problem:
        sys.exit(f"kubebox: {problem}")


def _run(options: argparse.Namespace) -> None:
    if options.command == "build":
        print(binaries())
        return
    if options.command == "up":
        began = time.monotonic()
        layout = cluster.up(
            options.dir,
            options.bin or binaries(),
            node=options.node,
            port=options.port,
            index=options.index,
            proxy_mode=options.proxy_mode,
            apiserver_flags=options.apiserver_flag,
            keep_failed=options.keep_failed,
            say=lambda what: print(f"{time.monotonic() - began:6.2f} s  {what}", flush=True),
        )
        print(f"export KUBECONFIG={layout.kubeconfig}")
        return
    if options.command == "down":
        if not cluster.down(options.dir):
            print("nothing there")
        return
    found = Layout.load(options.dir)
    if found is None:
        raise ClusterError(f"no cluster in {options.dir}")
    if options.command == "status":
        for name, pid, memory in cluster.status(found):
            print(f"{name:24} pid {pid:<8} {memory:7.0f} MiB")
        print(f"API {cluster.api_versions(found)} at port {found.port}")
    elif options.command == "restart":
        cluster.restart(found, options.name, options.pause)
    elif options.command == "load":
        cluster.load(found, options.images)
    elif options.command == "enter":
        command = in_node(found, options.inside)
        os.execvp(command[0], command)
    else:
        run_node(found)


if __name__ == "__main__":
    main()
