"""The volume of batch files, which the shared gateway and its worker mount. Pure."""

from dataclasses import dataclass
from typing import Any

from sluice_operator import names
from sluice_operator.kinds.references import Claim
from sluice_operator.plan.owned import metadata
from sluice_operator.plan.plan import Manifest
from sluice_operator.render.quantity import whole_bytes

MANY, ONE = "ReadWriteMany", "ReadWriteOnce"


@dataclass(frozen=True, slots=True)
class Files:
    """A claim that can be mounted."""

    claim: str = names.FILES_CLAIM
    one_node: bool = False
    """Whether the pods of one node alone can mount it."""

    @property
    def labels(self) -> dict[str, str]:
        """Of every pod that mounts it."""
        return {names.FILES: "true"}


def files_claim(namespace: str, wanted: Claim, *, one_node: bool) -> Manifest:
    """The PersistentVolumeClaim. `one_node`: a class that gives a volume to the pods of one node is enough."""
    chosen = {"storageClassName": wanted.storage_class} if wanted.storage_class else {}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata(namespace, names.FILES_CLAIM, "batch"),
        "spec": {
            "accessModes": [ONE if one_node else MANY],
            "resources": {"requests": {"storage": whole_bytes(wanted.storage)}},
            **chosen,
        },
    }


def together(files: Files | None) -> dict[str, Any]:
    """The field of a pod that keeps it on the node of the others that mount the volume, where they must share one.

    The first pod, with no other there, goes anywhere: a pod that matches its own rule is not held up by it.
    """
    if files is None or not files.one_node:
        return {}
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": files.labels}}
    return {"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}
