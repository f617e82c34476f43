"""Which patch adds a gateway to a pod: a native sidecar, and the environment by which SDKs find it. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from sluice_operator import names
from sluice_operator.installation import Installation
from sluice_operator.kinds.references import ConfigMapKey
from sluice_operator.render import container
from sluice_operator.render.container import Extras, Ports
from sluice_operator.render.quantity import resources

Operation = dict[str, Any]
"""One operation of a JSON patch (RFC 6902)."""

PLACEHOLDER = "sluice"
"""Key that is put where there is none: SDKs refuse to start without one, and the sidecar asks for none."""


class Refused(Exception):  # noqa: N818  (it says what happened to the pod)
    """A pod that cannot have a gateway: why, and what to change."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def inject(
    pod: Mapping[str, Any],
    namespace: str,
    installation: Installation,
    version: str,
    *,
    ca_bundle: ConfigMapKey | None = None,
) -> list[Operation]:
    """The JSON patch for a pod of `namespace`; nothing for one that has its gateway, or does not ask for one.

    `version` is the gateway's, for the annotation; `ca_bundle` are the namespace's further trusted certificates. What
    the pod says itself stays as it is. Raises Refused.
    """
    metadata, spec = pod.get("metadata") or {}, pod.get("spec") or {}
    if (metadata.get("labels") or {}).get(names.INJECT) != "true" or _has_gateway(spec):
        return []
    _check_pod(spec)
    ports = _ports(metadata, spec)
    extras = Extras(ca_bundle=ca_bundle, ca_optional=True)
    added = container.volumes(extras)
    _check_names(spec, {volume["name"] for volume in added})
    sidecar = container.sidecar(namespace, installation, resources(installation.sidecar_resources), ports, extras)
    return [
        # Before the sidecar shifts the init containers.
        *_environment(spec, "initContainers", ports),
        *_environment(spec, "containers", ports),
        *_prepended("/spec/initContainers", spec.get("initContainers"), sidecar),
        *_appended("/spec/volumes", spec.get("volumes"), added),
        *_pull_secrets(spec, installation),
        *_entries("/metadata/labels", metadata.get("labels"), {names.GATEWAY: "sidecar"}),
        *_entries("/metadata/annotations", metadata.get("annotations"), {names.INJECTED: version}),
    ]


def _has_gateway(spec: Mapping[str, Any]) -> bool:
    return any(entry.get("name") == names.SIDECAR_CONTAINER for entry in spec.get("initContainers") or ())


def _check_pod(spec: Mapping[str, Any]) -> None:
    if spec.get("hostNetwork"):
        raise Refused(
            "a pod with hostNetwork cannot have a sidecar, whose ports would be the node's; take hostNetwork out, or "
            f"the label {names.INJECT}, and call the Service {names.GATEWAY_NAME}"
        )
    if (spec.get("os") or {}).get("name") == "windows":
        raise Refused(f"the sidecar runs on Linux alone; take the label {names.INJECT} out")


def _check_names(spec: Mapping[str, Any], mine: set[str]) -> None:
    if any(entry.get("name") == names.SIDECAR_CONTAINER for entry in spec.get("containers") or ()):
        raise Refused(f'the sidecar is called "{names.SIDECAR_CONTAINER}"; give your container another name')
    taken = sorted(mine & {volume.get("name") for volume in spec.get("volumes") or ()})
    if taken:
        raise Refused(f'the sidecar needs a volume called "{taken[0]}"; give yours another name')


def _ports(metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> Ports:
    """The sidecar's ports, none of which the pod has itself."""
    text = (metadata.get("annotations") or {}).get(names.PORT_ANNOTATION)
    port = names.SIDECAR_PORT
    if text is not None:
        if not (text.isascii() and text.isdecimal() and len(text) <= 5 and 1024 <= int(text) <= 65_534):
            raise Refused(f'annotation {names.PORT_ANNOTATION}: "{text}" is not a port from 1024 to 65534')
        port = int(text)
    for entry in _containers(spec):
        for theirs in entry.get("ports") or ():
            number = theirs.get("containerPort")
            if number in (port, port + 1) and theirs.get("protocol", "TCP") == "TCP":
                raise Refused(
                    f'the sidecar listens on {port} and {port + 1}, and container "{entry.get("name")}" has port '
                    f"{number}; give the sidecar another one by annotation {names.PORT_ANNOTATION}"
                )
    return Ports(port, port + 1)


def _containers(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from spec.get("initContainers") or ()
    yield from spec.get("containers") or ()


def _environment(spec: Mapping[str, Any], field: str, ports: Ports) -> Iterator[Operation]:
    """Variables that a container does not have. What `envFrom` brings cannot be seen here, and is overridden."""
    base = f"http://127.0.0.1:{ports.data}"
    wanted = {
        "OPENAI_BASE_URL": f"{base}/v1",  # its SDK adds /chat/completions
        "ANTHROPIC_BASE_URL": base,  # its SDK adds /v1/messages
        "OPENAI_API_KEY": PLACEHOLDER,
        "ANTHROPIC_API_KEY": PLACEHOLDER,
    }
    for index, entry in enumerate(spec.get(field) or ()):
        present = {variable.get("name") for variable in entry.get("env") or ()}
        missing = [{"name": name, "value": value} for name, value in wanted.items() if name not in present]
        yield from _appended(f"/spec/{field}/{index}/env", entry.get("env"), missing)


def _pull_secrets(spec: Mapping[str, Any], installation: Installation) -> Iterator[Operation]:
    present = {entry.get("name") for entry in spec.get("imagePullSecrets") or ()}
    missing = [{"name": name} for name in installation.images.pull_secrets if name not in present]
    yield from _appended("/spec/imagePullSecrets", spec.get("imagePullSecrets"), missing)


def _prepended(path: str, present: object, entry: Any) -> Iterator[Operation]:
    yield _add(f"{path}/0", entry) if present else _add(path, [entry])


def _appended(path: str, present: object, entries: list[Any]) -> Iterator[Operation]:
    if not entries:
        return
    if not present:
        yield _add(path, entries)
        return
    for entry in entries:
        yield _add(f"{path}/-", entry)


def _entries(path: str, present: object, entries: Mapping[str, str]) -> Iterator[Operation]:
    if not present:
        yield _add(path, dict(entries))
        return
    for key, value in entries.items():
        yield _add(f"{path}/{key.replace('~', '~0').replace('/', '~1')}", value)


def _add(path: str, value: Any) -> Operation:
    return {"op": "add", "path": path, "value": value}
