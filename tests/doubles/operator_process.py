"""The operator's process as the chart installs it: with an account that holds the chart's rules and nothing else."""

import functools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from doubles.chart import CHART, helm, objects
from doubles.kube import Api
from doubles.operating import Operator, operating

ACCESS = {"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}
"""What of the chart is applied: the account and its rights."""
HOME = "sluice-system"
"""The operator's own namespace."""


@functools.cache
def rendered(api: Api) -> list[dict[str, Any]]:
    """The chart's objects with its own values, for HOME."""
    environment = {**api.environment(), "HELM_CACHE_HOME": api.layout.path("helm-cache")}
    return objects(
        helm(api.layout.kubebox, "template", "sluice", str(CHART), "--namespace", HOME, environment=environment)
    )


@asynccontextmanager
async def installed(api: Api, folder: Path, *flags: str) -> AsyncIterator[Operator]:
    """Runs it, for all namespaces, and waits until it leads; `folder` gets its kubeconfig. Its rights go afterwards."""
    account = {"apiVersion": "v1", "kind": "List", "items": [o for o in rendered(api) if o["kind"] in ACCESS]}
    home = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": HOME}}
    api.apply(home)
    api.kubectl("apply", "--server-side", "-f", "-", given=account)
    try:
        kubeconfig = str(_login(api, folder))
        own = ("--kubeconfig", kubeconfig, "--watch-namespaces", "")
        async with operating(api, HOME, *own, *flags) as operator:
            await operator.leads()
            yield operator
    finally:
        # Other tests install the chart itself, which owns these.
        api.kubectl("delete", "-f", "-", "--ignore-not-found", given=account)


def _login(api: Api, folder: Path) -> Path:
    """A kubeconfig with nothing but the account's token."""
    config = yaml.safe_load(api.kubeconfig.read_text())
    token = api.kubectl("create", "token", "sluice-operator", "-n", HOME).strip()
    config["users"] = [{"name": user["name"], "user": {"token": token}} for user in config["users"]]
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config))
    return path
