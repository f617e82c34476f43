"""Who may read what the gateways need from the API server: each object by its name, nothing else. Pure."""

from collections.abc import Iterable
from typing import Any

from sluice_operator import names
from sluice_operator.plan.owned import metadata
from sluice_operator.plan.plan import Manifest

VERBS = ["get", "list", "watch"]
"""With resourceNames, lists and watches are allowed for `metadata.name=NAME` alone."""


def access(
    namespace: str,
    config_map_names: Iterable[str],
    gateway_account: str,
    sidecar_accounts: Iterable[str],
    *,
    batch_account: str | None = None,
) -> list[Manifest]:
    """Roles and RoleBindings: all gateways read the named ConfigMaps, the shared gateway alone the credentials, and
    so does its worker, where there is one.

    Accounts are names of ServiceAccounts of the namespace; the order and repeats of what is given do not matter.
    """
    holders = [gateway_account, *([batch_account] if batch_account else [])]
    accounts = sorted({*holders, *sidecar_accounts})
    maps = sorted(set(config_map_names))
    return [
        _role(namespace, names.READER_ROLE, "config", "configmaps", maps),
        _binding(namespace, names.READER_ROLE, "config", accounts),
        _role(namespace, names.CREDENTIALS_SECRET, "credentials", "secrets", [names.CREDENTIALS_SECRET]),
        _binding(namespace, names.CREDENTIALS_SECRET, "credentials", sorted(holders)),
    ]


def _role(namespace: str, name: str, component: str, resource: str, objects: list[str]) -> dict[str, Any]:
    # Without resourceNames a rule would allow every object of the namespace, so no objects are no rule.
    rules = [{"apiGroups": [""], "resources": [resource], "resourceNames": objects, "verbs": VERBS}] if objects else []
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": metadata(namespace, name, component),
        "rules": rules,
    }


def _binding(namespace: str, name: str, component: str, accounts: list[str]) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": metadata(namespace, name, component),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace} for account in accounts],
    }
